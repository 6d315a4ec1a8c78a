// The pages of `docs/` that travel with the extension, and how their sections are named in a link. A test holds every link
// of the code against the headings and against what .vscodeignore lets into the .vsix; what opens them is not known here.

/** Each is in .vscodeignore. */
export const DOCS_PAGES = [
  "guide",
  "configuration",
  "connect",
  "troubleshooting",
  "backup",
  "chat",
  "rotating-proxy",
  "openai",
  "metrics",
  "gemini-errors",
] as const;

export type DocsPage = (typeof DOCS_PAGES)[number];

export type DocsLink = { readonly page: DocsPage; readonly section: string };

/** The fragment that leads to a heading, as the editor's preview and public hosts of Markdown both make it. */
export function headingSlug(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}

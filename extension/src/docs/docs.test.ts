// Every link that the code opens leads to a heading of a page that is in the .vsix, every page's own links lead somewhere,
// and what the .vsix holds links to nothing that stays outside it.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { commands } from "../commands/table";
import { tools } from "../connect/tools";
import { TOPICS } from "../notices/topics";
import { COMMAND_LINKS, HELP, helpFor } from "./links";
import { DOCS_PAGES, headingSlug } from "./pages";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const textOf = (file: string) => readFileSync(join(root, file), "utf8");
const packed = textOf(".vscodeignore")
  .split("\n")
  .flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));

/** Without blocks of code, whose comments look like headings. */
const prose = (markdown: string) => markdown.replace(/^```.*?^```$/gms, "");

function sectionsOf(file: string): string[] {
  const text = prose(textOf(file));
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => headingSlug(plain(heading ?? "")));
  const anchors = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id ?? "");
  return [...headings, ...anchors];
}

const plain = (heading: string) => heading.replace(/`|\*/g, "");

const headingsOf = (page: string) =>
  [...prose(textOf(`docs/${page}.md`)).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => headingSlug(plain(heading ?? "")));

describe("what the code opens", () => {
  const fromManifest = [...textOf("package.nls.json").matchAll(/command:geminiAggregator\.openDocs\?([^)]+)\)/g)].map(
    ([, query]) => JSON.parse(decodeURIComponent(query ?? "")) as { page: string; section: string },
  );
  const inCode = readdirSync(join(root, "extension/src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .flatMap((file) => [...textOf(`extension/src/${file}`).matchAll(/openDocs\(\s*"([^"]+)",\s*"([^"]+)"/g)])
    .map(([, page, section]) => ({ page: page ?? "", section: section ?? "" }));
  const links = [
    ...Object.values(HELP),
    ...TOPICS.map(({ help }) => help),
    ...COMMAND_LINKS,
    ...tools.map(({ label }) => ({ page: "connect", section: headingSlug(label) })),
    ...fromManifest,
    ...inCode,
  ].map(({ page, section }) => `${page}#${section}`);

  // The editor's preview scrolls to headings only, not to anchors.
  it.each([...new Set(links)])("%s is a heading", (link) => {
    const [page = "", section = ""] = link.split("#");
    expect(headingsOf(page)).toContain(section);
  });

  it("the manifest's links were looked at", () => expect(fromManifest.length).toBeGreaterThan(0));

  it.each(DOCS_PAGES)("the page %s is in the .vsix", (page) => expect(packed).toContain(`docs/${page}.md`));

  it("helps only with commands that there are", () => {
    const failed = { kind: "refused", message: "" } as const;
    const known = commands.map(({ id }) => id);
    expect(helpFor("testProxy", { ...failed, code: "failed" })).toEqual({
      page: "troubleshooting",
      section: "a-proxy-fails",
    });
    expect(helpFor("addProxy", { ...failed, code: "invalid" })?.page).toBe("configuration");
    expect(helpFor("addProxy", { ...failed, code: "not_found" })).toBeUndefined();
    const named = [...textOf("extension/src/docs/links.ts").matchAll(/^ {2}(\w+): at\(/gm)].map(([, id]) => id ?? "");
    expect(named.filter((id) => !known.includes(id) && !(id in HELP))).toEqual([]);
  });
});

type Found = {
  readonly from: string;
  readonly to: string;
  readonly file: string;
  readonly section: string | undefined;
};

function linksIn(from: string): Found[] {
  return [...prose(textOf(from)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, to]) => to ?? "")
    .filter((to) => !/^(https?|command|mailto):/.test(to))
    .map((to) => {
      const [file = "", section] = to.split("#");
      return { from, to, file: file === "" ? from : normalize(join(dirname(from), file)), section };
    });
}

describe("links between pages", () => {
  const pages = readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md"));
  const all = [...pages.map((file) => `docs/${file}`), "README.md"].flatMap(linksIn);

  it.each(all)("$from → $to", ({ file, section }) => {
    expect(existsSync(join(root, file)), `${file} is not there`).toBe(true);
    if (section !== undefined) expect(sectionsOf(file)).toContain(section);
  });

  it("pages of the .vsix link to nothing outside it", () => {
    const inside = DOCS_PAGES.flatMap((page) => linksIn(`docs/${page}.md`));
    expect(inside.filter(({ file }) => !packed.includes(file)).map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });
});

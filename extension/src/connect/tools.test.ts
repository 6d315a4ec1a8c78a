// Each tool's address is what the tool appends its own paths to, and docs/connect.md shows the very texts of the table.
// `UPDATE_DOCS=1` writes that page.

import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { snippet, type Tool, takesToken, tools } from "./tools";

const URL_HERE = "http://127.0.0.1:3146";
const TOKEN = "local-token-0001";
const page = new URL("../../../docs/connect.md", import.meta.url);

/** What stands behind host and port, by how each tool is known to build its addresses. */
const KNOWN: Readonly<Record<string, string>> = {
  "gemini-cli": "",
  cline: "",
  "kilo-code": "",
  continue: "/v1beta/",
  "genai-js": "",
  "genai-python": "",
  "openai-js": "/v1",
  "openai-python": "/v1",
  aider: "/v1",
  opencode: "/v1beta",
  zed: "",
  copilot: "/v1/chat/completions",
  jetbrains: "/v1",
  curl: "/v1beta/models/gemini-2.5-flash:generateContent",
};

it("the table has the tools that are known, each once", () => {
  expect(tools.map(({ id }) => id)).toEqual(Object.keys(KNOWN));
});

it.each(tools.map((tool) => [tool.id, tool] as const))(
  "%s gets its address, and the token where it belongs",
  (id, tool) => {
    const text = snippet(tool, URL_HERE, TOKEN);
    expect(text.match(/http:\/\/[^\s"']*/g)).toEqual([URL_HERE + KNOWN[id]]);
    expect(text.split(TOKEN)).toHaveLength(takesToken(tool) ? 2 : 1);
    expect(text).not.toMatch(/\{(base|token)\}/);
  },
);

it("only Zed keeps the token elsewhere", () => {
  expect(tools.filter((tool) => !takesToken(tool)).map(({ id }) => id)).toEqual(["zed"]);
});

it.each(["opencode", "zed", "copilot"])("%s gets JSON", (id) => {
  const tool = tools.find((one) => one.id === id);
  expect(() => JSON.parse(tool === undefined ? "" : snippet(tool, URL_HERE, TOKEN))).not.toThrow();
});

it("docs/connect.md is made of the table", () => {
  const fresh = `${HEAD}\n${tools.map(section).join("\n")}`;
  if (process.env.UPDATE_DOCS) writeFileSync(page, fresh);
  expect(readFileSync(page, "utf8")).toBe(fresh);
});

const HEAD = `# Connect a tool

*Gemini Aggregator: Connect a Tool…* copies these texts with the address of your endpoint and its local token filled in, and
tells you when the tool's first request has come. \`<local token>\` is what *Gemini Aggregator: Copy Local Token* copies,
never a Google key. The model's names are examples.
`;

/** The id is the anchor: headings may change their words. */
function section(tool: Tool): string {
  return `<a id="${tool.id}"></a>\n\n## ${tool.label}\n\n${tool.where()}\n\n\`\`\`${tool.language}\n${snippet(tool, URL_HERE, "<local token>")}\n\`\`\`\n`;
}

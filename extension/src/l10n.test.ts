// Every text has its translation: what the sources say is in the bundle, and each language has all of it, with the
// same places for values. `npm run l10n` writes the bundle.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { getL10nJson } from "@vscode/l10n-dev";
import { expect, it } from "vitest";

/** The parser that `npm run l10n` uses, too, needs seconds for all sources. */
const PARSING_MS = 60_000;

const root = join(__dirname, "..", "..");
const read = (...path: string[]): Record<string, string> => JSON.parse(readFileSync(join(root, ...path), "utf8"));
const languages = readdirSync(join(root, "l10n"))
  .map((name) => /^bundle\.l10n\.(.+)\.json$/.exec(name)?.[1])
  .filter((language) => language !== undefined);

const placesIn = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([place]) => place).sort();

it(
  "the bundle is what the sources say",
  async () => {
    const sources = ["extension", "webview"].flatMap((part) =>
      readdirSync(join(root, part, "src"), { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
        .map((name) => ({ extension: ".ts" as const, contents: readFileSync(join(root, part, "src", name), "utf8") })),
    );
    const said = await getL10nJson(sources);
    expect(Object.keys(read("l10n", "bundle.l10n.json")).sort()).toEqual(Object.keys(said).sort());
  },
  PARSING_MS,
);

it.each(languages)("%s has every text, with the same places for values", (language) => {
  const pairs = [
    [read("l10n", "bundle.l10n.json"), read("l10n", `bundle.l10n.${language}.json`)],
    [read("package.nls.json"), read(`package.nls.${language}.json`)],
  ] as const;
  for (const [english, translated] of pairs) {
    expect(Object.keys(translated).sort()).toEqual(Object.keys(english).sort());
    for (const [name, text] of Object.entries(english)) {
      expect(translated[name]?.trim(), name).toBeTruthy();
      expect(placesIn(translated[name] ?? ""), name).toEqual(placesIn(typeof text === "string" ? text : name));
    }
  }
});

it("at least one language beside English is complete", () => {
  expect(languages.filter((language) => existsSync(join(root, `package.nls.${language}.json`)))).not.toEqual([]);
});

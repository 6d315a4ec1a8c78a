// `npm run l10n`: gathers every text that the extension and the panel say through `l10n.t` into l10n/bundle.l10n.json.
// Translations lie beside it and in package.nls.<language>.json; extension/src/l10n.test.ts says what is missing.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureNodeModules } from "./lib/ensure.mjs";
import { inRoot } from "./lib/paths.mjs";

ensureNodeModules();
const { getL10nJson } = await import("@vscode/l10n-dev");
const sources = [inRoot("extension", "src"), inRoot("webview", "src")].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => join(folder, name)),
);
const found = await getL10nJson(sources.map((file) => ({ extension: ".ts", contents: readFileSync(file, "utf8") })));
const sorted = Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(inRoot("l10n", "bundle.l10n.json"), `${JSON.stringify(sorted, null, 2)}\n`);
console.log(`l10n/bundle.l10n.json: ${Object.keys(sorted).length} texts`);

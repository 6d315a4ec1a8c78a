// The packaged extension for this machine: builds it from the checkout and
// finds the file in dist/. Knows the name it is packaged under and nothing of
// its inside. Small extensions that help tests and demo are packed here, too.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { distDir, inRoot, root } from "./paths.mjs";
import { must } from "./processes.mjs";
import { hostTarget } from "./targets.mjs";

/** Builds and packages the extension; gives the .vsix. @param {(text: string) => void} onOutput */
export async function buildVsix(onOutput) {
  await must(process.execPath, [inRoot("scripts", "package.mjs")], { cwd: root, timeoutMs: 1_800_000, onOutput });
  return findVsix();
}

/** The .vsix for this machine. */
export function findVsix() {
  const file = join(distDir, `gemini-api-key-aggregator-${hostTarget()}.vsix`);
  if (!existsSync(file)) throw new Error(`There is no ${file}. Run \`npm run package\` first.`);
  return file;
}

/** Packages an extension that needs no building, such as the demo's or a test's. @param {string} folder @param {string} file */
export async function packFolder(folder, file) {
  const vsce = inRoot("node_modules", "@vscode", "vsce", "vsce");
  const flags = ["--skip-license", "--allow-missing-repository", "--no-rewrite-relative-links", "--out", file];
  await must(process.execPath, [vsce, "package", ...flags], { cwd: folder, timeoutMs: 60_000 });
}

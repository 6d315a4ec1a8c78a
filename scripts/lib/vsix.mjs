// The packaged extension for this machine: builds it from the checkout and
// finds the file in dist/. Knows the name it is packaged under and nothing of
// its inside.

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

// The packaged extension for this machine: builds it from the checkout and
// finds the file among those in dist/. Knows the name it is packaged under and
// nothing of its inside.

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { distDir, inRoot, root } from "./paths.mjs";
import { must } from "./processes.mjs";

const systems = process.platform === "linux" ? ["linux", "alpine"] : [process.platform];
const names = systems.map((system) => `gemini-api-key-aggregator-${system}-${process.arch}.vsix`);

/** Builds and packages the extension; gives the .vsix. @param {(text: string) => void} onOutput */
export async function buildVsix(onOutput) {
  await must(process.execPath, [inRoot("scripts", "package.mjs")], { cwd: root, timeoutMs: 1_500_000, onOutput });
  return findVsix();
}

/** The newest .vsix for this machine in dist/. */
export function findVsix() {
  const files = names.map((name) => join(distDir, name)).filter((file) => existsSync(file));
  const newest = files.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
  if (!newest) throw new Error(`There is no packaged extension in ${distDir}. Run \`npm run package\` first.`);
  return newest;
}

// `npm run package`: dist/gemini-api-key-aggregator-<target>.vsix for this machine, or with --target NAME for another
// of VS Code's platforms. Builds what goes in first; what that is, .vscodeignore says.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildAddon } from "./lib/build-native.mjs";
import { bundle, packAddon, placeAddon } from "./lib/bundle.mjs";
import { ensureNodeModules } from "./lib/ensure.mjs";
import { distDir, inRoot, root } from "./lib/paths.mjs";
import { must } from "./lib/processes.mjs";
import { hostTarget, targetNamed } from "./lib/targets.mjs";

const PACK_MS = 5 * 60_000;
const { values } = parseArgs({ options: { target: { type: "string", default: hostTarget() } } });

try {
  targetNamed(values.target);
  ensureNodeModules();
  const addon = await buildAddon(values.target);
  await placeAddon(addon);
  await packAddon(addon);
  await bundle();
  await pack(values.target);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** @param {string} target */
async function pack(target) {
  mkdirSync(distDir, { recursive: true });
  const file = join(distDir, `gemini-api-key-aggregator-${target}.vsix`);
  const args = [
    ...["package", "--target", target, "--out", file],
    // Everything is bundled: no package has to travel along.
    "--no-dependencies",
    // Links in the README stay as they are until the project has a public address.
    ...["--allow-missing-repository", "--no-rewrite-relative-links"],
  ];
  const vsce = inRoot("node_modules", "@vscode", "vsce", "vsce");
  await must(process.execPath, [vsce, ...args], {
    cwd: root,
    timeoutMs: PACK_MS,
    onOutput: (text) => process.stderr.write(text),
  });
  console.log(`Packaged: ${file}`);
}

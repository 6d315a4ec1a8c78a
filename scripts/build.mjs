// `npm run build`: the headless program in target/release and the extension, ready to run, in extension/out. With
// --bundles only the TypeScript; with --target NAME the addon for another of VS Code's platforms.

import { parseArgs } from "node:util";
import { buildAddon, buildProgram } from "./lib/build-native.mjs";
import { bundle, placeAddon } from "./lib/bundle.mjs";
import { ensureNodeModules } from "./lib/ensure.mjs";
import { hostTarget } from "./lib/targets.mjs";

const { values } = parseArgs({
  options: { bundles: { type: "boolean", default: false }, target: { type: "string", default: hostTarget() } },
});

try {
  ensureNodeModules();
  if (!values.bundles) {
    // Side by side: two profiles, two folders, and the last part of each keeps only one core busy.
    const [addon] = await Promise.all([buildAddon(values.target), buildProgram()]);
    await placeAddon(addon);
  }
  await bundle();
  console.log(values.bundles ? "Built: extension/out" : "Built: extension/out, target/release/gemini-aggregator");
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/**
 * Where the built addon lies and how plain Node loads it: the file that the extension carries, nothing rebuilt. A copy
 * under another name is what a second extension, or a second version, would bring along. Knows nothing of its messages.
 */
import { copyFileSync, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { makeTempDir } from "../../lib/temp.mjs";

/** @typedef {typeof import("../../../native/addon/index").Aggregator} AggregatorClass */

const require = createRequire(import.meta.url);

/** @returns {string} the addon's file, unless AGGREGATOR_ADDON names another */
export function addonPath() {
  const path = process.env.AGGREGATOR_ADDON ?? resolve(import.meta.dirname, "../../../extension/out/aggregator.node");
  if (!existsSync(path)) throw new Error("The addon is not built. Run: npm run build");
  return path;
}

/** @param {string} [path] @returns {AggregatorClass} */
export function loadAddon(path = addonPath()) {
  return require(path).Aggregator;
}

/** The same addon under another name, which the system loads a second time. @returns {string} */
export function copiedAddon() {
  const copy = join(makeTempDir("addon").path, "copy.node");
  copyFileSync(addonPath(), copy);
  return copy;
}

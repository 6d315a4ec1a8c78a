// The way to the Rust core: loads the addon's file that lies beside the bundle, and names its class for the rest
// of the extension. It must not know what any command or message means.

import type { Aggregator } from "../../../native/addon/index";

export type { Aggregator };
export type AggregatorClass = typeof Aggregator;

/** The bundle keeps this `require` as it is: the build lays `aggregator.node` beside it, for one platform a .vsix. */
export function loadAddon(): AggregatorClass {
  return require("./aggregator.node").Aggregator;
}

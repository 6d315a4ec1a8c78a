// The way to the Rust core: finds the addon's file, and names its class for the rest of the extension. It must not know
// what any command or message means.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Aggregator } from "../../../native/addon/index";
import { unpacked } from "./unpack";

export type { Aggregator };
export type AggregatorClass = typeof Aggregator;

/**
 * Beside the bundle lies `aggregator.node` in a checkout and `aggregator.node.br` in a .vsix, for one platform each. The
 * packed one is unpacked into `folder`.
 */
export function loadAddon(folder: string): AggregatorClass {
  const plain = join(__dirname, "aggregator.node");
  return require(existsSync(plain) ? plain : unpacked(`${plain}.br`, folder)).Aggregator;
}

/**
 * What a large fleet costs the core, from 10 keys to 10,000: measured by a small program of the core's own, built for
 * release, on one core. Knows the promised bounds, not how anything is balanced.
 */
import { resolve } from "node:path";
import { run } from "../lib/processes.mjs";
import { pinned } from "./cores.mjs";

/** With 10,000 keys over 100 proxies. */
export const LONGEST_REBALANCE_MS = 10;
export const LONGEST_LOOKUP_NS = 200;
/** For each key, against the fleet a tenth as large: 1 when the cost grows with the keys, 10 when with their square. */
export const MOST_GROWTH_PER_KEY = 4;

/**
 * @typedef {object} Fleet
 * @property {number} keys
 * @property {number} proxies
 * @property {number} moves keys that spreading them all from one proxy moves
 * @property {number} rebalanceMs for those moves
 * @property {number} failureMs for the keys of a proxy that fails to leave it, in a fleet that is even
 * @property {number} editMs for a change of one key, from the command to its reply
 * @property {number} startMs for reading all that is stored
 * @property {number} lookupNs for one key's assignment
 */

const BUILD_MS = 20 * 60_000;

/** @returns {Promise<Fleet[]>} */
export async function measureFleet() {
  const root = resolve(import.meta.dirname, "../..");
  const target = process.env.CARGO_TARGET_DIR ?? resolve(root, "target");
  const build = ["build", "--release", "--locked", "-p", "aggregator-core", "--example", "fleet"];
  await run("cargo", build, { cwd: root, timeoutMs: BUILD_MS });
  const { stdout } = await run(...pinned("measured", resolve(target, "release/examples/fleet"), []));
  return JSON.parse(stdout);
}

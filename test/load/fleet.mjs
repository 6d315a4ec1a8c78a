/**
 * What a large fleet costs the core, from 10 keys to 10,000: measured by a small program of the core's own, built for
 * release, on one core. Knows the promised bounds, not how anything is balanced.
 */
import { measureExample } from "./example.mjs";

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

/** @returns {Promise<Fleet[]>} */
export function measureFleet() {
  return measureExample("fleet");
}

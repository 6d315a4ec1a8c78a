/**
 * Open-loop load: requests are sent at the times they are meant to be sent, however slow the answers are, and their
 * latency counts from that time. A server that stalls is so charged for all that wait meanwhile (no coordinated
 * omission). How late this driver itself was is measured beside it. Knows nothing of what is sent.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Histogram } from "./histogram.mjs";

/**
 * @typedef {object} Measured
 * @property {Histogram} latency from the intended time to the end, of those that went well
 * @property {Histogram} late from the intended time to the sending
 * @property {number} failed
 * @property {number} seconds from the first intended time to the last end
 */

/**
 * @param {{perSecond: number, seconds: number, send: (number: number) => Promise<void>}} load `send` rejects when it failed
 * @returns {Promise<Measured>}
 */
export async function openLoop({ perSecond, seconds, send }) {
  const [latency, late] = [new Histogram(), new Histogram()];
  let failed = 0;
  const begun = performance.now();
  const one = async (/** @type {number} */ number) => {
    const intended = begun + (number / perSecond) * 1000;
    late.record(performance.now() - intended);
    try {
      await send(number);
      latency.record(performance.now() - intended);
    } catch {
      failed += 1;
    }
  };
  /** @type {Promise<void>[]} */
  const all = [];
  const count = Math.round(perSecond * seconds);
  while (all.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - begun) / 1000) * perSecond) + 1);
    while (all.length < due) all.push(one(all.length));
    await pause(1);
  }
  await Promise.all(all);
  return { latency, late, failed, seconds: (performance.now() - begun) / 1000 };
}

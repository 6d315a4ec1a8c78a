/**
 * By which way requests left: the proxies' logs against the upstream's ledger, by the ports of their connections. Knows
 * nothing of what was asked.
 */
import assert from "node:assert/strict";

/** @typedef {import("../../upstream/ledger.mjs").Received} Received */

/**
 * By peer port: every key's requests came out of one proxy, two keys out of two.
 * @param {Received[]} requests
 * @param {import("../../proxies/proxy.mjs").Proxy[]} proxies
 * @param {(entry: Received) => string | null} [keyOf]
 * @returns {Promise<Map<string | null, Set<string>>>} the proxies' programs by key
 */
export async function eachThroughItsOwn(requests, proxies, keyOf = ({ key }) => key) {
  /** @type {Map<string | null, Set<string>>} */
  const byKey = new Map();
  for (const entry of requests) {
    const { peerPort } = entry;
    const found = await Promise.any(
      proxies.map(async (proxy) => (await proxy.waitForEntry((one) => one.peerPort === peerPort)) && proxy.program),
    );
    byKey.set(keyOf(entry), (byKey.get(keyOf(entry)) ?? new Set()).add(found));
  }
  const programs = [...byKey.values()].map((found) => [...found].join(" and "));
  assert.deepEqual(programs.sort(), proxies.map((proxy) => proxy.program).sort());
  return byKey;
}

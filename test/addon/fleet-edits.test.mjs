/**
 * Two people edit keys, proxies and assignments at once while tools ask: whatever was answered with "done" is there at
 * the end, in the live state and in the secret store alike, and no request failed for it. The edits are random, from a
 * seed that a failure names; FLEET_EDITS and FLEET_SEED choose others. The addon tells its host of a write ten times a
 * second at most, so an edit takes a tenth of a second.
 */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { after, before, test } from "node:test";
import { fetchRaw } from "../lib/fetch.mjs";
import { startMicrosocks, startTinyproxy } from "../proxies/index.mjs";
import { startUpstream } from "../upstream/index.mjs";
import { MODEL, prompt, tokenOf } from "./lib/bench.mjs";
import { Host } from "./lib/host.mjs";
import { persisted, shown } from "./lib/stored.mjs";
import { Writer } from "./lib/writer.mjs";

const EDITS = Number(process.env.FLEET_EDITS ?? 150);
const SEED = Number(process.env.FLEET_SEED ?? Date.now() % 1_000_000);
const LANES = 2;

/** @type {import("../upstream/index.mjs").Running} */
let upstream;
/** @type {import("../proxies/proxy.mjs").Proxy[]} */
let proxies = [];
before(async () => {
  upstream = await startUpstream();
  proxies = await Promise.all([1, 2, 3, 4, 5, 6, 7].map((n) => (n % 2 ? startTinyproxy() : startMicrosocks())));
});
after(async () => {
  for (const proxy of proxies) await proxy.stop();
  await upstream?.close();
});

/** Asks without a pause until told to end. @param {Host} host @param {string} url */
function load(host, url) {
  const agent = new Agent({ keepAlive: true, maxSockets: LANES });
  /** @type {string[]} */
  const failures = [];
  let asked = 0;
  let ends = false;
  async function lane() {
    while (!ends) {
      const headers = { "x-goog-api-key": tokenOf(host) };
      const answer = await fetchRaw(`${url}${MODEL}:generateContent`, { agent, headers, body: prompt("Hi") });
      const words = await answer.text();
      asked += 1;
      if (answer.status !== 200) failures.push(`${answer.status} ${words}`);
    }
  }
  const lanes = Promise.all(Array.from({ length: LANES }, lane));
  return async () => {
    ends = true;
    await lanes;
    agent.destroy();
    return { asked, failures };
  };
}

test(`${EDITS} random edits by two writers under load lose nothing (seed ${SEED})`, async (t) => {
  const settings = { upstream: { baseUrl: upstream.httpsUrl, caFile: upstream.caFile } };
  const host = new Host({ settings, secrets: ["test-key-writer"] });
  const url = await host.serve();
  // Nobody edits these two: there is always a way to answer.
  const [anchor, ...others] = proxies.map((proxy) => proxy.url);
  await host.done({ kind: "add_proxy", url: String(anchor), name: "anchor" });
  await host.done({ kind: "add_key", key: "test-key-writer-anchor", name: "anchor" });
  const writers = ["ada", "bob"].map(
    (name, i) => new Writer(host, { name, seed: SEED * 2 + i, urls: others.filter((_, n) => n % 2 === i) }),
  );

  const end = load(host, url);
  await Promise.all(writers.map((writer) => writer.edits(EDITS / 2)));
  const { asked, failures } = await end();
  assert.deepEqual(failures.slice(0, 5), [], `${failures.length} of ${asked} requests failed`);

  await host.until(() => isSaved(host), "the store never held what is live");
  assert.deepEqual(persisted(host.store), shown(host.snapshot()));
  for (const writer of writers) writer.check(host.snapshot());

  const live = shown(host.snapshot());
  await host.close();
  const again = new Host({ settings, store: host.store, secrets: ["test-key-writer"] });
  await again.serve();
  assert.deepEqual(shown(again.snapshot()), live);
  assert.equal(again.writes.length, 0, "opening what is whole writes nothing");
  await again.close();
  const edits = writers.reduce((sum, { made }) => sum + made, 0);
  t.diagnostic(
    `${edits} edits, ${asked} requests, ${live.keys.length} keys and ${live.proxies.length} proxies at the end`,
  );
});

/** @param {Host} host */
function isSaved(host) {
  try {
    assert.deepEqual(persisted(host.store), shown(host.snapshot()));
    return true;
  } catch {
    return false;
  }
}

/**
 * How many tunnels a key's requests cost: a thousand in a row through one CONNECT proxy share at most three, the
 * probe of the proxy's health among them. Counted by the proxy's own log; prints the figure.
 */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { after, before, test } from "node:test";
import { startTinyproxy } from "../proxies/index.mjs";
import { Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";

const REQUESTS = 1000;

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());

test(`${REQUESTS} sequential requests of one key open at most 3 tunnels`, async (t) => {
  const proxy = await bench.proxy(startTinyproxy());
  const config = { keys: [KEYS.alpha], proxies: [{ name: "way-out", url: proxy.url }], log: { level: "warn" } };
  const gateway = await bench.gateway(config, { baseUrl: bench.upstream.httpsUrl });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (let i = 0; i < REQUESTS; i += 1) {
      const answer = await gateway.ask(`${MODEL}:countTokens`, { agent, body: prompt(`number ${i}`) });
      assert.equal(answer.status, 200);
      await answer.bytes();
    }
  } finally {
    agent.destroy();
  }
  const tunnels = proxy.tunnels();
  t.diagnostic(`${REQUESTS} requests, ${tunnels} tunnels`);
  assert.equal(bench.upstream.ledger.requests.length, REQUESTS);
  assert.ok(tunnels <= 3, `${tunnels} tunnels were opened`);
});

/**
 * Quotas belong to a project and a model, not to a key: what rests after a 429, what goes on, and until when. The
 * program runs by the machine's clock here; the exact hours of daily quotas are the core's unit tests.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { behave } from "../upstream/index.mjs";
import { ALPHA, BETA, Bench, KEYS, prompt } from "./lib/bench.mjs";

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @param {import("./lib/gateway.mjs").Gateway} gateway @param {string} model @param {string} [key] that must serve */
function ask(gateway, model, key) {
  const headers = key ? { "x-aggregator-key": key } : {};
  return gateway.ask(`/v1beta/models/${model}:generateContent`, { headers, body: prompt("Hi") });
}

test("a model whose quota is used up rests, the same key serves another", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha] });
  bench.upstream.script.key(ALPHA).once(behave.quotaPerMinute({ retryDelay: "47s" }));
  assert.equal((await ask(gateway, "gemini-pro")).status, 429);
  assert.equal((await ask(gateway, "gemini-flash")).status, 200);
  const resting = await ask(gateway, "gemini-pro");
  assert.deepEqual([resting.status, resting.headers["x-aggregator-attempts"]], [429, "0"], "Google is not asked again");
  assert.match((await resting.json()).error.message, /Quota used up for gemini-pro/);
});

test("keys of one project rest together, a key of another serves", async () => {
  const together = [
    { ...KEYS.alpha, project: "projects/7" },
    { ...KEYS.beta, project: "projects/7" },
  ];
  const gateway = await bench.gateway({ keys: [...together, { name: "own", key: "test-key-gamma-0003" }] });
  bench.upstream.script.key(ALPHA).always(behave.quotaPerMinute({ retryDelay: "47s" }));
  assert.equal((await ask(gateway, "gemini-pro", "alpha")).status, 429);
  assert.equal((await ask(gateway, "gemini-pro", "beta")).status, 429);
  const answer = await ask(gateway, "gemini-pro");
  assert.deepEqual([answer.status, answer.headers["x-aggregator-key"]], [200, "own"]);
  const asked = bench.upstream.ledger.requests.filter((entry) => entry.key === BETA);
  assert.equal(asked.length, 0, "beta's project was known to rest");
});

for (const gzip of [true, false]) {
  test(`a daily quota rests beyond the short delay named beside it, ${gzip ? "gzip" : "plain"}`, async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha] });
    bench.upstream.script.key(ALPHA).once(behave.quotaPerDay({ retryDelay: "1s" }));
    const headers = { "accept-encoding": gzip ? "gzip" : "identity" };
    const path = "/v1beta/models/gemini-pro:generateContent";
    assert.equal((await gateway.ask(path, { headers, body: prompt("Hi") })).status, 429);
    const resting = await ask(gateway, "gemini-pro");
    const seconds = Number(resting.headers["retry-after"]);
    // At most the 25 hours of the day on which the clock is set back.
    assert.ok(seconds > 0 && seconds <= 25 * 3600, `Retry-After: ${seconds}`);
    assert.match((await resting.json()).error.message, /Daily quota used up for gemini-pro \(GenerateRequestsPerDay/);
  });
}

test("a model without any quota is out, not the key", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha] });
  bench.upstream.script.key(ALPHA).once(behave.quotaPerDay({ limit: 0 }));
  assert.equal((await ask(gateway, "gemini-pro")).status, 429);
  assert.equal((await ask(gateway, "gemini-flash")).status, 200);
  assert.match((await (await ask(gateway, "gemini-pro")).json()).error.message, /No quota for this model/);
});

test("with maxWaitSeconds a request waits for the earliest return, and no longer", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha], maxWaitSeconds: 20 });
  bench.upstream.script.key(ALPHA).once(behave.quotaPerMinute({ retryDelay: "0.4s" }));
  const answer = await ask(gateway, "gemini-pro");
  assert.deepEqual([answer.status, answer.headers["x-aggregator-attempts"]], [200, "2"]);
  bench.upstream.script.key(ALPHA).once(behave.quotaPerMinute({ retryDelay: "47s" }));
  assert.equal((await ask(gateway, "gemini-pro")).status, 429, "47 s is more than it may wait");
});

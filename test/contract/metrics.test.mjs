/**
 * The figures: what a scrape shows agrees with what the proxies' own logs and the upstream's ledger saw, Prometheus'
 * own checker takes it, and only the admin token opens it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, beforeEach, describe, test } from "node:test";
import { startDanted, startTinyproxy } from "../proxies/index.mjs";
import { behave } from "../upstream/index.mjs";
import { ALPHA, Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";
import { TOKEN } from "./lib/gateway.mjs";

const ADMIN = "admin-token-of-the-tests";
const GENERATE = `${MODEL}:generateContent`;
const SERVER = { adminToken: ADMIN };

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @typedef {import("./lib/gateway.mjs").Gateway} Gateway */

/** @param {Gateway} gateway @param {string} [path] */
async function scrape(gateway, path = "/admin/metrics") {
  const answer = await gateway.ask(path, { token: null, headers: { authorization: `Bearer ${ADMIN}` }, method: "GET" });
  assert.equal(answer.status, 200);
  return answer.text();
}

/**
 * One sample of a scrape; the labels in the order written.
 * @param {string} text @param {string} name @param {string[]} labels
 */
function sample(text, name, labels) {
  const fits = (/** @type {string} */ line) =>
    line.startsWith(`gemini_aggregator_${name}`) && labels.every((label) => line.includes(label));
  const lines = text.split("\n").filter(fits);
  assert.equal(lines.length, 1, `${name} ${labels}: ${lines.length} lines of\n${text}`);
  return Number(lines[0]?.split(" ").at(-1));
}

/** @param {Gateway} gateway @param {string} key @param {number} count */
async function serve(gateway, key, count) {
  for (let i = 0; i < count; i += 1) {
    const answer = await gateway.ask(GENERATE, { body: prompt("Hi"), headers: { "x-aggregator-key": key } });
    await answer.text();
    await gateway.logged(answer);
  }
}

describe("a scrape", () => {
  test("counts requests, tunnels and bytes of each key and each proxy", async () => {
    const east = await bench.proxy(startTinyproxy());
    const west = await bench.proxy(startDanted());
    const proxies = [
      { name: "east", url: east.url },
      { name: "west", url: west.url },
    ];
    const keys = [
      { ...KEYS.alpha, proxy: "east" },
      { ...KEYS.beta, proxy: "west" },
    ];
    const gateway = await bench.gateway({ server: SERVER, keys, proxies }, { baseUrl: bench.upstream.httpsUrl });
    await serve(gateway, "alpha", 5);
    await serve(gateway, "beta", 2);
    const text = await scrape(gateway);
    const of = (/** @type {string} */ name, /** @type {string[]} */ ...labels) => sample(text, name, labels);
    assert.equal(of("key_attempts_total", 'name="alpha"', 'outcome="served"'), 5);
    assert.equal(of("proxy_attempts_total", 'name="east"', 'outcome="served"'), 5);
    assert.equal(of("proxy_attempts_total", 'name="west"', 'outcome="served"'), 2);
    assert.equal(of("proxy_attempts_total", 'proxy="direct"', 'outcome="served"'), 0);
    assert.equal(of("key_answer_seconds_count", 'name="alpha"'), 5);
    // Five requests by one tunnel; the proxy's second one is the health probe's.
    assert.equal(of("key_tunnels_opened_total", 'name="alpha"'), 1);
    assert.equal(of("key_tunnels_reused_total", 'name="alpha"'), 4);
    assert.equal(of("proxy_tunnels_opened_total", 'name="east"'), 2);
    assert.ok(of("key_bytes_total", 'name="alpha"', 'direction="sent"') > 5 * JSON.stringify(prompt("Hi")).length);
    const received = of("proxy_bytes_total", 'name="east"', 'direction="received"');
    assert.ok(received > of("key_bytes_total", 'name="alpha"', 'direction="received"'), "the probe's come on top");
    assert.equal(of("proxy_assigned_keys", 'name="east"'), 1);
    assert.equal(of("balance_spread_keys"), 0);
    await gateway.stop();
  });

  test("is taken by Prometheus' own checker", async () => {
    const gateway = await bench.gateway({ server: SERVER, keys: [KEYS.alpha] });
    await serve(gateway, "alpha", 1);
    const checked = spawnSync("promtool", ["check", "metrics"], { input: await scrape(gateway), encoding: "utf8" });
    assert.equal(checked.status, 0, checked.stderr + checked.stdout);
    await gateway.stop();
  });

  test("shows a quota as the key's, and the error rate with it", async () => {
    const gateway = await bench.gateway({ server: SERVER, keys: [KEYS.alpha] });
    bench.upstream.script.key(ALPHA).once(behave.quotaPerMinute({ retryDelay: "30s" }));
    await serve(gateway, "alpha", 1);
    const text = await scrape(gateway);
    assert.equal(sample(text, "key_attempts_total", ['name="alpha"', 'outcome="quota"']), 1);
    assert.equal(sample(text, "key_error_ratio", ['name="alpha"']), 1);
    await gateway.stop();
  });

  test("counts requests that went direct where that is allowed", async () => {
    const only = await startTinyproxy();
    const config = { server: SERVER, keys: [KEYS.alpha], proxies: [{ name: "only", url: only.url }] };
    const gateway = await bench.gateway({ ...config, proxy: { failurePolicy: "reassignThenDirect" } });
    await serve(gateway, "alpha", 1);
    assert.equal(sample(await scrape(gateway), "direct_requests_total", []), 0);
    await only.stop();
    await serve(gateway, "alpha", 3);
    const text = await scrape(gateway);
    assert.equal(sample(text, "direct_requests_total", []), 3);
    assert.equal(sample(text, "key_direct_requests_total", ['name="alpha"']), 3);
    assert.equal(sample(text, "proxy_attempts_total", ['proxy="direct"', 'outcome="served"']), 3);
    await gateway.stop();
  });
});

describe("the admin API", () => {
  test("opens to its own token as a bearer, and to nothing else", async () => {
    const gateway = await bench.gateway({ server: SERVER, keys: [KEYS.alpha] });
    const ask = async (/** @type {Record<string, string>} */ headers, path = "/admin/metrics") => {
      const answer = await gateway.ask(path, { token: null, method: "GET", headers });
      return { status: answer.status, body: await answer.text() };
    };
    const refused = await ask({ authorization: `Bearer ${TOKEN}` });
    assert.equal(refused.status, 401);
    assert.match(JSON.parse(refused.body).error.message, /server\.adminToken/);
    assert.equal((await ask({ "x-goog-api-key": ADMIN })).status, 401);
    assert.equal((await ask({}, `/admin/metrics?key=${ADMIN}`)).status, 401);
    assert.equal((await ask({ authorization: `Bearer ${ADMIN}`, origin: "https://evil.example" })).status, 403);
    assert.equal((await ask({ authorization: `Bearer ${ADMIN}` }, "/admin/nothing")).status, 404);
    const health = JSON.parse(await scrape(gateway, "/admin/health"));
    assert.deepEqual([health.service, health.status, health.keys], ["gemini-aggregator", "healthy", 1]);
    const asClient = await gateway.ask(GENERATE, { token: ADMIN, body: prompt("Hi") });
    assert.equal(asClient.status, 401, "the admin token is worth nothing on the data plane");
    await asClient.text();
    await gateway.stop();
  });

  test("is closed, and says how to open it, when there is no admin token", async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha] });
    const answer = await gateway.ask("/admin/metrics", { token: null, method: "GET" });
    assert.equal(answer.status, 401);
    assert.match((await answer.json()).error.message, /GEMINI_AGGREGATOR_ADMIN_TOKEN/);
    await gateway.stop();
  });
});

/**
 * The rotating proxy: one proxy for all keys, a new tunnel for each request, individual proxies when it fails and only
 * until it works again. The proxies' own logs and the peer ports of the upstream's ledger are the witnesses.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { startDanted, startSquid, startTinyproxy } from "../proxies/index.mjs";
import { ALPHA, BETA, Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";
import { runProgram } from "./lib/program.mjs";

const GENERATE = `${MODEL}:generateContent`;
const SSE = `${MODEL}:streamGenerateContent?alt=sse`;
const USER = { user: "ada-rotate", password: "r0tating-w0rd" };
const WRONG = { user: "ada-rotate", password: "wr0ng-w0rd" };
const BOTH = [KEYS.alpha, KEYS.beta];
/** A round of health checks takes at most 11 s. */
const A_ROUND = { timeoutMs: 30_000 };

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** Its probes would show in the next test's ledger. @type {Gateway | null} */
let last = null;
afterEach(async () => {
  await last?.stop();
  last = null;
});

/** @typedef {import("./lib/gateway.mjs").Gateway} Gateway */

/**
 * @param {import("./lib/gateway.mjs").Config} config
 * @param {{baseUrl?: string, env?: Record<string, string>}} [options]
 */
async function gateway(config, options) {
  const proxy = { healthCheckIntervalSeconds: 10 };
  const secrets = [USER.password, WRONG.password];
  last = await bench.gateway({ keys: BOTH, proxy, ...config }, { secrets, ...options });
  return last;
}

/** @param {Gateway} gateway @param {string} [path] */
async function served(gateway, path = GENERATE) {
  const answer = await gateway.ask(path, { body: prompt("Hi") });
  assert.equal(answer.status, 200, await gateway.logged(answer));
  await answer.text();
  return String(answer.headers["x-aggregator-proxy"]);
}

/**
 * The words of the first `rotating.changed` that fit.
 * @param {Gateway} gateway
 * @param {RegExp} words
 */
function changed(gateway, words) {
  const fits = (/** @type {string} */ line) => line.includes('"rotating.changed"') && words.test(line);
  return gateway.log.waitFor((lines) => lines.find(fits), { what: `no rotating.changed with ${words}`, ...A_ROUND });
}

/** Wordless: the proxy's log names the port of each connection that the upstream saw. @param {string} key */
function portsOf(key) {
  return bench.upstream.ledger.requests.filter((entry) => entry.key === key).map((entry) => entry.peerPort);
}

describe("while it is on", () => {
  for (const kind of ["http", "https"]) {
    test(`100 requests of two keys make 100 connections to an ${kind} upstream, by the proxy's log`, async () => {
      const rotating = await bench.proxy(startSquid({ credentials: USER }));
      const own = await bench.proxy(startDanted());
      const url = rotating.url.replace("http://", "");
      const config = { proxies: [{ name: "own", url: own.url }], rotatingProxy: { url, enabled: true } };
      const baseUrl = kind === "http" ? bench.upstream.httpUrl : bench.upstream.httpsUrl;
      const running = await gateway(config, { baseUrl });
      for (let done = 0; done < 100; done += 10) {
        const ways = Array.from({ length: 10 }, (_, i) => served(running, i % 2 ? SSE : GENERATE));
        assert.deepEqual([...new Set(await Promise.all(ways))], ["rotating"]);
      }
      await running.stop();
      const { ledger } = bench.upstream;
      await ledger.settled(({ connections }) => connections.open === 0);
      const ports = [...portsOf(ALPHA), ...portsOf(BETA)];
      assert.equal(new Set(ports).size, 100, "a connection for each request");
      const resumed = ledger.connections.list.filter((connection) => connection.resumed);
      assert.deepEqual(resumed, [], "no TLS session ties two addresses together");
      assert.ok(portsOf(ALPHA).length >= 40 && portsOf(BETA).length >= 40, "both keys served");
      for (const port of ports) await rotating.waitForEntry((entry) => entry.peerPort === port);
      assert.ok(rotating.log().every((entry) => entry.user === USER.user || !entry.granted));
    });
  }

  test("the log names it, and switched off each key leaves through its own proxy, request after request on one tunnel", async () => {
    const rotating = await bench.proxy(startSquid({ credentials: USER }));
    const [east, west] = [await bench.proxy(startDanted()), await bench.proxy(startDanted())];
    const keys = [
      { ...KEYS.alpha, proxy: "east" },
      { ...KEYS.beta, proxy: "west" },
    ];
    const proxies = [
      { name: "east", url: east.url },
      { name: "west", url: west.url },
    ];
    const on = await gateway({ keys, proxies, rotatingProxy: { url: rotating.url, enabled: true } });
    const answer = await on.ask(GENERATE, { body: prompt("Hi") });
    assert.match(await on.logged(answer), /\[alpha → rotating → 200\]/);
    await on.stop();
    bench.fresh();
    const off = await gateway({ keys, proxies, rotatingProxy: { url: rotating.url, enabled: false } });
    const ways = [];
    for (let i = 0; i < 4; i += 1) ways.push(await served(off));
    assert.deepEqual(ways.sort(), ["east", "east", "west", "west"]);
    assert.deepEqual([new Set(portsOf(ALPHA)).size, new Set(portsOf(BETA)).size], [1, 1]);
  });

  test("ROTATING_PROXY alone switches it on", async () => {
    const rotating = await bench.proxy(startTinyproxy({ credentials: { user: "ada-rotate", password: "passw0rd" } }));
    const running = await gateway({}, { env: { ROTATING_PROXY: rotating.url.replace("http://", "") } });
    assert.equal(await served(running), "rotating");
  });
});

describe("when it fails", () => {
  test("killed under load, no request fails, each key goes its own way, and it returns by a probe", async () => {
    const rotating = await startSquid({ credentials: USER });
    const own = await bench.proxy(startDanted());
    const running = await gateway({
      proxies: [{ name: "own", url: own.url }],
      rotatingProxy: { url: rotating.url, enabled: true, maxRetries: 2 },
    });
    assert.equal(await served(running), "rotating");
    await rotating.stop();
    const ways = await Promise.all(Array.from({ length: 20 }, () => served(running)));
    assert.deepEqual([...new Set(ways)], ["own"]);
    assert.match(
      await changed(running, /failed again and again/),
      /"WARN".*refused.*each key leaves through its own proxy/,
    );
    assert.equal(await served(running), "own");
    await bench.proxy(startSquid({ credentials: USER, port: rotating.port }));
    await changed(running, /works again: every key/);
    assert.equal(await served(running), "rotating");
  });

  test("with no other proxy nothing goes direct, and the error says why", async () => {
    const rotating = await startSquid({ credentials: USER });
    const running = await gateway({ rotatingProxy: { url: rotating.url, enabled: true, maxRetries: 1 } });
    await rotating.stop();
    const known = bench.upstream.ledger.connections.list;
    for (const expected of [502, 503]) {
      const answer = await running.ask(GENERATE, { body: prompt("Hi") });
      assert.equal(answer.status, expected);
      const { error } = await answer.json();
      assert.match(
        error.message,
        expected === 502 ? /rotating proxy \(http:.*••••@.*failed.*refused/ : /the rotating proxy does not serve/,
      );
    }
    const opened = bench.upstream.ledger.connections.list.filter((connection) => !known.includes(connection));
    assert.deepEqual(opened, []);
    assert.deepEqual(bench.upstream.ledger.requests, []);
  });

  test("a password it does not take disables it at once, in words, and nothing tries it any more", async () => {
    const rotating = await bench.proxy(startSquid({ credentials: USER }));
    const own = await bench.proxy(startDanted());
    const url = rotating.urlAs("http", WRONG);
    const running = await gateway({ proxies: [{ name: "own", url: own.url }], rotatingProxy: { url, enabled: true } });
    const words = await changed(running, /disabled until you change its URL/);
    assert.match(words, /ada-rotate:••••@.*did not accept the credentials.*Check the user name and password/);
    await rotating.waitForEntry((entry) => !entry.granted);
    const refusals = rotating.log().length;
    for (let i = 0; i < 3; i += 1) assert.equal(await served(running), "own");
    assert.equal(rotating.log().length, refusals);
  });
});

describe("values that cannot be used", () => {
  test("ROTATING_PROXY without a password is warned of and leaves each key its own way", async () => {
    const own = await bench.proxy(startDanted());
    const env = { ROTATING_PROXY: "ada-rotate@127.0.0.1:8080" };
    const running = await gateway({ proxies: [{ name: "own", url: own.url }] }, { env });
    const warned = (/** @type {string} */ line) => /"WARN".*ROTATING_PROXY is not used.*no password/.test(line);
    await running.log.waitFor((lines) => lines.some(warned), { what: "no warning" });
    assert.equal(await served(running), "own");
  });

  test("check names the place of a bad one in the file, and warns of a user name without -rotate", async () => {
    const check = (/** @type {object} */ rotatingProxy) =>
      runProgram(["check"], { config: { keys: BOTH, rotatingProxy } });
    const bad = await check({ url: "ada-rotate:hidden-w0rd@127.0.0.1:x", enabled: true });
    assert.equal(bad.code, 1);
    assert.match(bad.said, /keys\.yaml:\d+:\d+: rotatingProxy\.url: .*port/);
    assert.ok(!bad.said.includes("hidden-w0rd"));
    const unusual = await check({ url: "ada:some-w0rd@127.0.0.1:8080", enabled: true });
    assert.equal(unusual.code, 0);
    assert.match(unusual.said, /does not end in "-rotate"/);
  });
});

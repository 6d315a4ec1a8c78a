/**
 * What happens when a proxy does not do its part: wrong credentials, a dead proxy, a name only it could know, an
 * environment that offers other ways out. The error names the masked proxy, a password is nowhere, and no key ever
 * takes a way that was not given to it.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { freePort } from "../lib/ports.mjs";
import { startDanted, startMicrosocks, startSocks4, startSquid, startTinyproxy } from "../proxies/index.mjs";
import { BETA, Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";
import { runProgram } from "./lib/program.mjs";

const GENERATE = `${MODEL}:generateContent`;
const RIGHT = { user: "ada", password: "right-passw0rd" };
const WRONG = { user: "ada", password: "wr0ng-p@ss:word/%" };

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @typedef {import("../proxies/proxy.mjs").Proxy} Proxy */

/** A gateway whose one key leaves through `url`. @param {string} url @param {{baseUrl?: string}} [options] */
function through(url, options) {
  const keys = [{ ...KEYS.alpha, proxy: "way-out" }];
  return bench.gateway({ keys, proxies: [{ name: "way-out", url }] }, options);
}

describe("wrong credentials", () => {
  /** @type {[string, () => Promise<Proxy>][]} */
  const asking = [
    ["http", () => startSquid({ credentials: RIGHT })],
    ["http", () => startTinyproxy({ credentials: RIGHT })],
    ["https", () => startSquid({ authority: bench.authority, credentials: RIGHT })],
    ["socks5", () => startMicrosocks({ credentials: RIGHT })],
    ["socks5h", () => startMicrosocks({ credentials: RIGHT })],
  ];
  for (const [scheme, start] of asking) {
    test(`${scheme}: the error names the masked proxy, and the password is nowhere`, async () => {
      const proxy = await bench.proxy(start());
      const gateway = await through(proxy.urlAs(scheme, WRONG));
      const answer = await gateway.ask(GENERATE, { body: prompt("Hi") });
      assert.equal(answer.status, 502);
      const { error } = await answer.json();
      assert.equal(error.status, "UNAVAILABLE");
      assert.ok(error.message.includes(`way-out (${scheme}://ada:••••@127.0.0.1:${proxy.port})`), error.message);
      assert.match(error.message, /did not accept the credentials/);
      assert.match(await gateway.logged(answer), /alpha → way-out → no answer \(.*credentials/);
      assert.equal(bench.upstream.ledger.connections.total, 0);
      // The canary looks for the password in what was said and logged, in every spelling.
      await gateway.stop();
    });
  }

  test("socks4: a wrong userid is refused in words", async () => {
    const proxy = await bench.proxy(startSocks4({ userid: "ada" }));
    const gateway = await through(proxy.urlAs("socks4", { user: "eve", password: "" }));
    const answer = await gateway.ask(GENERATE, { body: prompt("Hi") });
    assert.equal(answer.status, 502);
    assert.match((await answer.json()).error.message, /Proxy way-out \(socks4:\/\/.*@127\.0\.0\.1:\d+\).* failed\. /);
    assert.equal(bench.upstream.ledger.connections.total, 0);
  });

  test("a proxy that wants credentials and gets none says which remedy", async () => {
    for (const proxy of [
      await bench.proxy(startSquid({ credentials: RIGHT })),
      await bench.proxy(startMicrosocks({ credentials: RIGHT })),
    ]) {
      const scheme = proxy.program === "squid" ? "http" : "socks5";
      const gateway = await through(proxy.urlAs(scheme, null));
      const answer = await gateway.ask(GENERATE, { body: prompt("Hi") });
      assert.equal(answer.status, 502);
      assert.match((await answer.json()).error.message, /asks for a user name and password.*Add them to the URL/);
    }
  });
});

describe("a dead proxy", () => {
  test("another key serves through its own proxy; the first key never goes direct", async () => {
    const alive = await bench.proxy(startDanted());
    const dead = await freePort();
    const gateway = await bench.gateway({
      keys: [
        { ...KEYS.alpha, proxy: "dead" },
        { ...KEYS.beta, proxy: "alive" },
      ],
      proxies: [
        { name: "dead", url: `http://ada:right-passw0rd@127.0.0.1:${dead}` },
        { name: "alive", url: alive.url },
      ],
      proxy: { failurePolicy: "fail" },
    });
    for (let i = 0; i < 4; i += 1) {
      const answer = await gateway.ask(GENERATE, { body: prompt("Hi") });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["x-aggregator-key"], "beta");
      if (answer.headers["x-aggregator-attempts"] === "2") {
        assert.match(await gateway.logged(answer), /\[alpha → dead → no answer \(.*refused.*\), beta → alive → 200\]/);
      }
    }
    await gateway.stop();
    const { ledger } = bench.upstream;
    await ledger.settled(({ connections }) => connections.open === 0);
    assert.ok(ledger.requests.every((entry) => entry.key === BETA));
    const known = alive.log().map((entry) => entry.peerPort);
    assert.deepEqual(
      ledger.connections.list.map((c) => c.peerPort).filter((port) => !known.includes(port)),
      [],
    );
  });

  test("alone, it is an error that says what and where, and nothing reaches the upstream", async () => {
    const gateway = await through(`socks5h://127.0.0.1:${await freePort()}`);
    for (let i = 0; i < 5; i += 1) {
      const answer = await gateway.ask(GENERATE, { body: prompt("Hi") });
      assert.ok([502, 503].includes(answer.status), `status ${answer.status}`);
      assert.match((await answer.json()).error.message, /way-out/);
    }
    assert.equal(bench.upstream.ledger.connections.total, 0);
  });

  test("it serves again once it runs again", async () => {
    const first = await startMicrosocks();
    const gateway = await through(first.url);
    assert.equal((await gateway.ask(GENERATE, { body: prompt("Hi") })).status, 200);
    await first.stop();
    const broken = await gateway.ask(GENERATE, { body: prompt("Hi") });
    assert.equal(broken.status, 502);
    await bench.proxy(startMicrosocks({ port: first.port }));
    assert.equal((await gateway.ask(GENERATE, { body: prompt("Hi") })).status, 200);
  });
});

describe("certificates", () => {
  test("an https proxy that nobody vouches for gets neither credentials nor requests", async () => {
    const proxy = await bench.proxy(startSquid({ authority: bench.authority, credentials: RIGHT }));
    const gateway = await bench.gateway({
      keys: [{ ...KEYS.alpha, proxy: "way-out" }],
      proxies: [{ name: "way-out", url: proxy.url }],
      upstream: { caFile: null },
    });
    const answer = await gateway.ask(GENERATE, { body: prompt("Hi") });
    assert.equal(answer.status, 502);
    assert.match((await answer.json()).error.message, /way-out \(https:.*TLS with the proxy failed: .*certificate/);
    assert.deepEqual(proxy.log(), []);
    assert.deepEqual(bench.upstream.ledger.requests, []);
  });

  test("an upstream that nobody vouches for gets no request, direct or through a proxy, and the proxy is not blamed", async () => {
    const proxy = await bench.proxy(startDanted());
    for (const proxies of [[], [{ name: "way-out", url: proxy.url }]]) {
      const config = { keys: [KEYS.alpha], proxies, upstream: { caFile: null } };
      const gateway = await bench.gateway(config, { baseUrl: bench.upstream.httpsUrl });
      const answer = await gateway.ask(GENERATE, { body: prompt("Hi") });
      assert.equal(answer.status, 502);
      assert.match((await answer.json()).error.message, /TLS with the upstream.* failed: .*certificate/);
      assert.deepEqual(bench.upstream.ledger.requests, []);
    }
  });
});

describe("names", () => {
  test("socks5 and socks4 resolve on this machine, and say so when the name is not known here", async () => {
    const proxy = await bench.proxy(startSocks4({ names: ["generativelanguage.test"] }));
    const gateway = await through(proxy.urlAs("socks4"), {
      baseUrl: `http://generativelanguage.test:${bench.upstream.httpPort}`,
    });
    const answer = await gateway.ask(GENERATE, { body: prompt("Hi") });
    assert.equal(answer.status, 502);
    assert.match((await answer.json()).error.message, /could not be resolved on this machine.*socks5h or socks4a/);
  });

  test("socks5 sends the proxy an address, socks5h the name", async () => {
    const proxy = await bench.proxy(startMicrosocks());
    const baseUrl = `http://localhost:${bench.upstream.httpPort}`;
    for (const scheme of ["socks5", "socks5h"]) {
      const gateway = await through(proxy.urlAs(scheme), { baseUrl });
      assert.equal((await gateway.ask(GENERATE, { body: prompt("Hi") })).status, 200);
      const asked = scheme === "socks5" ? "127.0.0.1" : "localhost";
      assert.equal(proxy.log().at(-1)?.target, `${asked}:${bench.upstream.httpPort}`);
    }
  });
});

test("a password in a socks4 URL is refused by check and by serve, without being shown", async () => {
  for (const scheme of ["socks4", "socks4a"]) {
    const proxies = [{ name: "old", url: `${scheme}://ada:secret-w0rd@127.0.0.1:1080` }];
    for (const command of ["check", "serve"]) {
      const { code, said } = await runProgram([command], { config: { keys: [KEYS.alpha], proxies } });
      assert.equal(code, 1);
      assert.match(said, /keys\.yaml:\d+:\d+: proxies\.0\.url: .*SOCKS4 has none, only a user id/);
      assert.ok(!said.includes("secret-w0rd"));
    }
  }
});

test("proxies that the environment offers are ignored", async () => {
  const tempting = await bench.proxy(startTinyproxy());
  const url = tempting.url;
  const env = { HTTP_PROXY: url, http_proxy: url, HTTPS_PROXY: url, https_proxy: url, ALL_PROXY: url, all_proxy: url };
  const direct = await bench.gateway({ keys: [KEYS.alpha] }, { env, baseUrl: bench.upstream.httpsUrl });
  const answer = await direct.ask(GENERATE, { body: prompt("Hi") });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["x-aggregator-proxy"], "direct");
  const own = await bench.proxy(startDanted());
  const config = { keys: [{ ...KEYS.alpha, proxy: "own" }], proxies: [{ name: "own", url: own.url }] };
  const proxied = await bench.gateway(config, { env: { ...env, NO_PROXY: "*", no_proxy: "*" } });
  assert.equal((await proxied.ask(GENERATE, { body: prompt("Hi") })).status, 200);
  const ports = new Set(own.log().map((entry) => entry.peerPort));
  assert.ok(ports.has(bench.upstream.ledger.requests.at(-1)?.peerPort ?? -1));
  assert.deepEqual(tempting.log(), []);
});

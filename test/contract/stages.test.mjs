/**
 * Tests on demand tell how far they came: through real proxies of every scheme, each failing where this file breaks it.
 * The core is asked as the editor asks it, and the upstream's ledger is the witness that nothing left by another way.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { Host } from "../addon/lib/host.mjs";
import { freePort } from "../lib/ports.mjs";
import {
  startDanted,
  startMicrosocks,
  startSocks4,
  startSquid,
  startTelling,
  startTinyproxy,
  startTlsInFront,
} from "../proxies/index.mjs";
import { behave } from "../upstream/index.mjs";
import { ALPHA, Bench } from "./lib/bench.mjs";

const RIGHT = { user: "ada", password: "right-passw0rd" };
const WRONG = { user: "ada", password: "wr0ng-passw0rd" };

/** @typedef {import("../../native/addon/types.gen").Tested} Tested */
/** @typedef {import("../proxies/proxy.mjs").Proxy} Proxy */

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @param {import("../../native/addon/types.gen").Reply} reply @returns {Tested} */
function tested(reply) {
  if (reply.kind !== "tested") throw new Error(`No test ran: ${JSON.stringify(reply)}`);
  return reply;
}

/**
 * One key, through `url` where there is one; its test and the proxy's.
 * @param {{url?: string, baseUrl?: string, trusted?: boolean}} options
 */
async function testBoth({ url, baseUrl = bench.upstream.httpsUrl, trusted = true }) {
  const upstream = { baseUrl, ...(trusted ? { caFile: bench.authority.caFile } : {}) };
  const host = new Host({ settings: { upstream }, secrets: [ALPHA, RIGHT.password, WRONG.password] });
  await host.open();
  const id = await host.done({ kind: "add_key", key: ALPHA, name: "alpha" });
  let proxy = null;
  if (url !== undefined) {
    const proxyId = await host.done({ kind: "add_proxy", url, name: "eu-1" });
    await host.done({ kind: "assign_proxy", key_id: id, proxy_id: proxyId });
    proxy = tested(await host.command({ kind: "test_proxy", id: proxyId }));
  }
  const key = tested(await host.command({ kind: "test_key", id }));
  const snapshot = host.snapshot();
  await host.close();
  return { key, proxy, snapshot };
}

/** @param {Tested} result */
const names = ({ stages }) => stages.map(({ stage }) => stage);

/**
 * It failed at `stage`, the last one told, and says so in the whole.
 * @param {Tested | null} result @param {string} stage @param {RegExp} words @param {string} fault
 */
function failedAt(result, stage, words, fault) {
  assert.ok(result !== null);
  assert.equal(result.works, false, result.message);
  const last = result.stages.at(-1);
  assert.equal(last?.stage, stage, JSON.stringify(result));
  assert.match(last.words, words);
  assert.match(result.message, words);
  assert.ok(result.stages.slice(0, -1).every(({ ok }) => ok) && !last.ok, JSON.stringify(result.stages));
  assert.equal(result.fault, fault);
}

describe("all is well", () => {
  const tunnel = ["dns", "proxy_connect", "proxy_login", "tls"];
  /** @type {[string, string, () => Promise<Proxy>, string[], RegExp][]} */
  const ways = [
    ["http", "squid", () => startSquid({ credentials: RIGHT }), tunnel, /resolved by the proxy/],
    ["http", "tinyproxy", () => startTinyproxy(), tunnel, /resolved by the proxy/],
    [
      "https",
      "squid",
      () => startSquid({ authority: bench.authority, credentials: RIGHT }),
      ["dns", "proxy_connect", "proxy_tls", "proxy_login", "tls"],
      /resolved by the proxy/,
    ],
    [
      "https",
      "haproxy before tinyproxy",
      async () => startTlsInFront(await startTinyproxy(), bench.authority),
      ["dns", "proxy_connect", "proxy_tls", "proxy_login", "tls"],
      /resolved by the proxy/,
    ],
    ["socks4", "socks4", () => startSocks4({ userid: "ada" }), tunnel, /resolved on this machine/],
    ["socks4a", "socks4", () => startSocks4({ userid: "ada" }), tunnel, /resolved by the proxy/],
    ["socks5", "microsocks", () => startMicrosocks({ credentials: RIGHT }), tunnel, /resolved on this machine/],
    ["socks5h", "danted", () => startDanted(), tunnel, /resolved by the proxy/],
  ];
  for (const [scheme, by, start, stages, lookup] of ways) {
    test(`${scheme} by ${by}: each stage with its time, up to Gemini`, async () => {
      const running = await bench.proxy(start());
      const { key, proxy } = await testBoth({ url: running.urlAs(scheme) });
      assert.deepEqual(names(key), [...stages, "gemini"], key.message);
      assert.match(key.message, /^Key "alpha" works: DNS \d+ ms, proxy eu-1 \d+ ms, TLS \d+ ms, Gemini \d+ ms\.$/);
      assert.match(key.stages[0]?.words ?? "", lookup);
      assert.ok(key.works && key.stages.every(({ ok, ms }) => ok && Number.isInteger(ms)));
      assert.equal(key.fault, undefined);
      assert.ok(proxy?.works);
      assert.deepEqual(names(proxy), stages);
      assert.equal(key.address, null, "no proxy told an address");
    });
  }

  test("without a proxy, in clear and over TLS", async () => {
    const secured = await testBoth({});
    assert.deepEqual(names(secured.key), ["dns", "connect", "tls", "gemini"]);
    const plain = await testBoth({ baseUrl: bench.upstream.httpUrl });
    assert.deepEqual(names(plain.key), ["dns", "connect", "gemini"]);
    assert.ok(Math.abs(plain.snapshot.clock_skew_ms ?? Number.NaN) < 5000, "one machine, one clock");
  });

  test("the time stands at the stage that took it", async () => {
    bench.upstream.script.key(ALPHA).always(behave.say({ pieces: ["{}"], headerDelayMs: 300 }));
    const { key } = await testBoth({});
    const slow = key.stages.filter(({ ms }) => ms >= 290).map(({ stage }) => stage);
    assert.deepEqual(slow, ["gemini"], JSON.stringify(key.stages));
  });

  test("every test opens a connection of its own", async () => {
    const host = new Host({ settings: { upstream: { baseUrl: bench.upstream.httpUrl } } });
    await host.open();
    const id = await host.done({ kind: "add_key", key: ALPHA, name: "alpha" });
    for (let round = 0; round < 3; round += 1) {
      assert.deepEqual(names(tested(await host.command({ kind: "test_key", id }))), ["dns", "connect", "gemini"]);
    }
    assert.equal(bench.upstream.ledger.connections.total, 3);
    await host.close();
  });

  test("the address that the proxy tells is shown, of the pool's and of the rotating one", async () => {
    const telling = await bench.proxy(startTelling({ exits: ["203.0.113.9"] }));
    const { key, proxy } = await testBoth({ url: telling.url });
    assert.equal(key.address, "203.0.113.9");
    assert.equal(proxy?.address, "203.0.113.9");
    const { httpUrl } = bench.upstream;
    const host = new Host({ settings: { upstream: { baseUrl: httpUrl }, rotatingProxy: { enabled: true } } });
    await host.open();
    await host.done({ kind: "configure_rotating", url: telling.urlAs("http", RIGHT), enabled: true });
    const rotating = tested(await host.command({ kind: "test_rotating" }));
    assert.equal(rotating.address, "203.0.113.9");
    assert.deepEqual(names(rotating), ["dns", "proxy_connect", "proxy_login"]);
    const id = await host.done({ kind: "add_key", key: ALPHA, name: "alpha" });
    assert.match(tested(await host.command({ kind: "test_key", id })).message, /rotating proxy \d+ ms/);
    await host.close();
  });
});

describe("the way breaks", () => {
  test("the proxy's host name does not exist", async () => {
    const { key, proxy } = await testBoth({ url: "http://nowhere.invalid:3128" });
    for (const result of [key, proxy]) failedAt(result, "dns", /proxy's host name could not be resolved/, "proxy");
  });

  test("Gemini's host name does not exist here", async () => {
    const { key } = await testBoth({ baseUrl: "https://nowhere.invalid" });
    failedAt(key, "dns", /upstream's host name could not be resolved/, "upstream");
    const running = await bench.proxy(startMicrosocks());
    const through = await testBoth({ url: running.urlAs("socks5"), baseUrl: "https://nowhere.invalid" });
    failedAt(through.key, "dns", /could not be resolved on this machine/, "upstream");
    assert.equal(running.tunnels(), 0);
  });

  test("nothing listens on the proxy's port", async () => {
    const { key, proxy } = await testBoth({ url: `socks5h://127.0.0.1:${await freePort()}` });
    for (const result of [key, proxy]) failedAt(result, "proxy_connect", /The proxy refused the connection/, "proxy");
  });

  for (const [scheme, start] of /** @type {[string, () => Promise<Proxy>][]} */ ([
    ["http", () => startSquid({ credentials: RIGHT })],
    ["socks5h", () => startMicrosocks({ credentials: RIGHT })],
  ])) {
    test(`${scheme}: the password is wrong`, async () => {
      const running = await bench.proxy(start());
      const { key, proxy } = await testBoth({ url: running.urlAs(scheme, WRONG) });
      for (const result of [key, proxy]) failedAt(result, "proxy_login", /did not accept the credentials/, "proxy");
      assert.equal(bench.upstream.ledger.connections.total, 0);
    });
  }

  test("the proxy does not reach Gemini", async () => {
    const running = await bench.proxy(startMicrosocks());
    const baseUrl = `https://127.0.0.1:${await freePort()}`;
    const { key, proxy } = await testBoth({ url: running.urlAs("socks5h"), baseUrl });
    for (const result of [key, proxy]) failedAt(result, "proxy_login", /The proxy (says|answered)/, "proxy");
  });

  test("Gemini's certificate is not trusted, directly and through a proxy", async () => {
    const running = await bench.proxy(startSquid());
    for (const url of [undefined, running.url]) {
      const { key } = await testBoth({ ...(url === undefined ? {} : { url }), trusted: false });
      failedAt(key, "tls", /TLS with the upstream.* failed: its certificate is signed by an authority/, "upstream");
      assert.equal(bench.upstream.ledger.requests.length, 0, "the key stayed here");
    }
  });

  test("Gemini's certificate is for another name", async () => {
    const running = await bench.proxy(startSquid({ names: ["elsewhere.test"] }));
    const baseUrl = `https://elsewhere.test:${bench.upstream.httpsPort}`;
    const { key } = await testBoth({ url: running.url, baseUrl });
    failedAt(key, "tls", /its certificate is for another host name/, "upstream");
  });

  test("the https proxy's certificate is not trusted", async () => {
    const running = await bench.proxy(startSquid({ authority: bench.authority }));
    const { key, proxy } = await testBoth({ url: running.urlAs("https"), trusted: false });
    for (const result of [key, proxy]) failedAt(result, "proxy_tls", /TLS with the proxy failed.*not trusted/, "proxy");
    assert.equal(bench.upstream.ledger.connections.total, 0);
  });
});

describe("Gemini says no", () => {
  test("an invalid key", async () => {
    bench.upstream.script.key(ALPHA).always(behave.invalidKey());
    const { key, snapshot } = await testBoth({});
    failedAt(key, "gemini", /Gemini answered 400/, "key");
    assert.equal(snapshot.keys[0]?.status, "disabled");
  });

  test("a quota that is used up leaves the key valid", async () => {
    bench.upstream.script.key(ALPHA).always(behave.quotaPerMinute());
    const { key } = await testBoth({});
    failedAt(key, "gemini", /Gemini answered 429/, "quota");
    assert.match(key.message, /The key is valid/);
  });
});

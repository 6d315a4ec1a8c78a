/**
 * Requests and streams through real proxies of every scheme, with and without credentials, to the upstream in clear
 * and over TLS. The proxies' own logs and the peer ports of the upstream's ledger are the witnesses; the program is
 * never asked how it got there.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import {
  startDanted,
  startMicrosocks,
  startSocks4,
  startSquid,
  startTinyproxy,
  startTlsInFront,
} from "../proxies/index.mjs";
import { ALPHA, BETA, Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";

const NAME = "generativelanguage.test";
const USER = { user: "ada", password: "p@ss:w0rd/1" };
const PLAIN_USER = { user: "ada", password: "passw0rd" };
const SSE = `${MODEL}:streamGenerateContent?alt=sse`;

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @typedef {import("../proxies/proxy.mjs").Proxy} Proxy */

/**
 * @param {string} url of the proxy
 * @param {string} baseUrl
 * @param {object} [more]
 */
function through(url, baseUrl, more = {}) {
  const keys = [{ ...KEYS.alpha, proxy: "way-out" }];
  return bench.gateway({ keys, proxies: [{ name: "way-out", url }], ...more }, { baseUrl });
}

/** @param {import("./lib/gateway.mjs").Gateway} gateway */
async function requestAndStream(gateway) {
  const whole = await gateway.ask(`${MODEL}:generateContent`, { body: prompt("through") });
  assert.equal(whole.status, 200, await gateway.logged(whole));
  assert.equal(whole.headers["x-aggregator-proxy"], "way-out");
  assert.equal((await whole.json()).candidates[0].content.parts[0].text, "echo: through");
  const stream = await gateway.ask(SSE, { body: prompt("streamed") });
  assert.equal(stream.status, 200);
  const text = await stream.text();
  assert.equal(text.split("data: ").length, 4, "three events came");
  assert.match(await gateway.logged(stream), /alpha → way-out → 200/);
}

/**
 * Every connection that the upstream saw came out of this proxy: no more of them than the proxy opened, and each from
 * a port that the proxy's log names, where it names ports.
 * @param {Proxy} proxy
 * @param {string} target as it was asked for
 */
async function onlyThrough(proxy, target) {
  const { ledger } = bench.upstream;
  assert.ok(ledger.requests.every((entry) => entry.key === ALPHA));
  // Squid writes a tunnel down when it has ended; the program that held them open is stopped by now.
  await ledger.settled(({ connections }) => connections.open === 0);
  const ports = ledger.connections.list.map((connection) => connection.peerPort);
  await proxy.waitForEntry(() => proxy.tunnels() >= ports.length);
  const granted = proxy.log().filter((entry) => entry.granted);
  assert.deepEqual([...new Set(granted.map((entry) => entry.target))], [target]);
  const named = granted.map((entry) => entry.peerPort);
  if (named.every((port) => port !== null)) assert.deepEqual([...named].sort(), [...ports].sort());
  assert.equal(granted.length, ports.length);
}

/**
 * @typedef {object} Case
 * @property {string} scheme
 * @property {string} by
 * @property {() => Promise<Proxy>} start
 * @property {string} [host] by which the upstream is asked for
 * @property {boolean} [plainOnly]
 */

/** @type {Case[]} */
const CASES = [
  {
    scheme: "http",
    by: "squid with credentials",
    start: () => startSquid({ credentials: USER, names: [NAME] }),
    host: NAME,
  },
  { scheme: "http", by: "tinyproxy", start: () => startTinyproxy() },
  { scheme: "http", by: "tinyproxy with credentials", start: () => startTinyproxy({ credentials: PLAIN_USER }) },
  {
    scheme: "https",
    by: "squid with credentials",
    start: () => startSquid({ authority: bench.authority, credentials: USER, names: [NAME] }),
    host: NAME,
  },
  { scheme: "https", by: "squid", start: () => startSquid({ authority: bench.authority }) },
  {
    scheme: "https",
    by: "haproxy before tinyproxy with credentials",
    start: async () =>
      startTlsInFront(await startTinyproxy({ credentials: PLAIN_USER }), bench.authority, { credentials: PLAIN_USER }),
  },
  { scheme: "socks", by: "danted", start: () => startDanted() },
  { scheme: "socks5", by: "danted", start: () => startDanted() },
  { scheme: "socks5", by: "microsocks with credentials", start: () => startMicrosocks({ credentials: USER }) },
  {
    scheme: "socks5h",
    by: "microsocks with credentials",
    start: () => startMicrosocks({ credentials: USER }),
    host: "localhost",
  },
  { scheme: "socks5h", by: "danted", start: () => startDanted(), host: "127.0.0.1" },
  { scheme: "socks4", by: "danted", start: () => startDanted() },
  { scheme: "socks4", by: "twisted with a userid", start: () => startSocks4({ userid: "ada" }) },
  { scheme: "socks4a", by: "twisted", start: () => startSocks4({ names: [NAME] }), host: NAME },
  {
    scheme: "socks4a",
    by: "twisted with a userid",
    start: () => startSocks4({ userid: "ada", names: [NAME] }),
    host: NAME,
  },
];

describe("a request and a stream pass", () => {
  for (const { scheme, by, start, host = "127.0.0.1" } of CASES) {
    test(`through ${scheme}: ${by}`, async () => {
      const { httpPort, httpsPort } = bench.upstream;
      for (const [kind, port] of /** @type {[string, number][]} */ ([
        ["http", httpPort],
        ["https", httpsPort],
      ])) {
        bench.fresh();
        const proxy = await start();
        try {
          const gateway = await through(proxy.urlAs(scheme), `${kind}://${host}:${port}`);
          await requestAndStream(gateway);
          await gateway.stop();
          await onlyThrough(proxy, `${host}:${port}`);
        } finally {
          await proxy.stop();
        }
      }
    });
  }
});

describe("two keys, two proxies", () => {
  test("each key leaves only through its own proxy, by the proxies' logs and the ledger's ports", async () => {
    const east = await bench.proxy(startSquid({ credentials: USER }));
    const west = await bench.proxy(startDanted());
    const gateway = await bench.gateway(
      {
        keys: [KEYS.alpha, KEYS.beta],
        proxies: [
          { name: "east", url: east.url },
          { name: "west", url: west.url },
        ],
      },
      { baseUrl: bench.upstream.httpsUrl },
    );
    /** @type {Map<string, Set<string>>} the proxies that the answers name for each key */
    const named = new Map();
    for (let i = 0; i < 6; i += 1) {
      const answer = await gateway.ask(i % 2 ? SSE : `${MODEL}:generateContent`, { body: prompt(`number ${i}`) });
      assert.equal(answer.status, 200);
      await answer.text();
      const key = String(answer.headers["x-aggregator-key"]);
      named.set(key, (named.get(key) ?? new Set()).add(String(answer.headers["x-aggregator-proxy"])));
    }
    assert.deepEqual([...named.keys()].sort(), ["alpha", "beta"]);
    const proxyOf = (/** @type {string} */ key) => [...(named.get(key) ?? [])];
    assert.equal(proxyOf("alpha").length, 1, "one proxy for each key");
    assert.notDeepEqual(proxyOf("alpha"), proxyOf("beta"), "and not the same one");

    await gateway.stop();
    const { ledger } = bench.upstream;
    await ledger.settled(({ connections }) => connections.open === 0);
    const byProxy = /** @type {Record<string, Proxy>} */ ({ east, west });
    for (const [key, secret] of [
      ["alpha", ALPHA],
      ["beta", BETA],
    ]) {
      const proxy = byProxy[String(proxyOf(String(key))[0])];
      const ports = new Set(ledger.requests.filter((entry) => entry.key === secret).map((entry) => entry.peerPort));
      assert.equal(ports.size, 1, "three requests in a row share one tunnel");
      for (const port of ports) await proxy?.waitForEntry((entry) => entry.peerPort === port);
    }
    const all = [...east.log(), ...west.log()].map((entry) => entry.peerPort);
    assert.deepEqual(
      ledger.connections.list.map((c) => c.peerPort).filter((port) => !all.includes(port)),
      [],
    );
  });
});

/**
 * Proves the bench's proxies before anything is proved with them: each carries a request to the simulated upstream for
 * an independent client (curl), its log agrees with the upstream's ledger, and wrong credentials are refused.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createAuthority } from "../lib/authority.mjs";
import { run } from "../lib/processes.mjs";
import { startUpstream } from "../upstream/index.mjs";
import { startDanted, startMicrosocks, startSocks4, startSquid, startTinyproxy, startTlsInFront } from "./index.mjs";

const KEY = "test-key-alpha-0001";
const GOOD = { user: "ada", password: "p@ss:w0rd/1" };
const BAD = { user: "ada", password: "P@SS:W0RD/1" };
const PLAIN = { user: "ada", password: "passw0rd" };

/** @type {import("../lib/authority.mjs").Authority} */
let authority;
/** @type {import("../upstream/index.mjs").Running} */
let upstream;
/** @type {import("./proxy.mjs").Proxy[]} */
const started = [];

before(async () => {
  authority = await createAuthority();
  upstream = await startUpstream({ authority });
});

after(async () => {
  await Promise.all(started.map((proxy) => proxy.stop()));
  await upstream?.close();
  authority?.dispose();
});

/** @param {Promise<import("./proxy.mjs").Proxy>} starting */
async function keep(starting) {
  const proxy = await starting;
  started.push(proxy);
  return proxy;
}

/**
 * One request by curl through a proxy.
 * @param {string} proxyUrl
 * @param {string} host as it stands in the URL
 */
async function ask(proxyUrl, host) {
  const url = `https://${host}:${upstream.httpsPort}/v1beta/models`;
  const trust = ["--cacert", authority.caFile, "--proxy-cacert", authority.caFile];
  const written = ["-sS", "-o", "/dev/null", "-w", "%{http_code} %{http_connect}", "-m", "10"];
  const { code, stdout } = await run(
    "curl",
    [...written, ...trust, "-x", proxyUrl, "-H", `x-goog-api-key: ${KEY}`, url],
    { mayFail: true },
  );
  const [status, connect] = stdout.split(" ").map(Number);
  return { code, status, connect };
}

/**
 * The proxy carries one request, and the ledger's last entry came out of the port that the proxy's log names.
 * @param {import("./proxy.mjs").Proxy} proxy
 * @param {{scheme?: string, host?: string, user?: string | null}} [how]
 */
async function carries(proxy, { scheme, host = "localhost", user } = {}) {
  upstream.ledger.clear();
  const before = proxy.tunnels();
  const { status } = await ask(scheme ? proxy.urlAs(scheme) : proxy.url, host);
  assert.equal(status, 200);
  const [received, ...more] = upstream.ledger.requests;
  assert.equal(more.length, 0);
  assert.equal(received?.key, KEY);
  await proxy.waitForEntry(() => proxy.tunnels() > before);
  const entry = proxy.log().at(-1);
  assert.equal(entry?.target, `${host}:${upstream.httpsPort}`);
  if (entry?.peerPort !== null)
    assert.equal(entry?.peerPort, received?.peerPort, "the log names the port that the upstream saw");
  if (user !== undefined) assert.equal(entry?.user, user);
  assert.equal(proxy.tunnels(), before + 1);
}

describe("squid", () => {
  test("carries a request for a user over HTTP and shows the outgoing port", async () => {
    const proxy = await keep(startSquid({ credentials: GOOD }));
    await carries(proxy, { user: "ada" });
    const { connect } = await ask(proxy.urlAs("http", BAD), "localhost");
    assert.equal(connect, 407, "passwords are compared case by case");
    await proxy.waitForEntry((entry) => !entry.granted);
  });

  test("speaks TLS itself and knows names that nobody else knows", async () => {
    const proxy = await keep(startSquid({ credentials: GOOD, authority, names: ["generativelanguage.test"] }));
    assert.match(proxy.url, /^https:/);
    await carries(proxy, { host: "generativelanguage.test", user: "ada" });
  });

  test("asks nobody for credentials when it has none", async () => {
    await carries(await keep(startSquid()), { user: null });
  });
});

describe("tinyproxy", () => {
  test("carries a request with credentials and refuses wrong ones", async () => {
    const proxy = await keep(startTinyproxy({ credentials: PLAIN }));
    await carries(proxy);
    const { connect } = await ask(proxy.urlAs("http", { ...PLAIN, password: "wrong" }), "localhost");
    assert.equal(connect, 401, "this version answers 401, not 407");
    assert.equal((await ask(proxy.urlAs("http", null), "localhost")).connect, 407);
  });

  test("carries a request without credentials", async () => {
    await carries(await keep(startTinyproxy()));
  });

  test("stands behind TLS", async () => {
    const inner = await startTinyproxy({ credentials: PLAIN });
    await carries(await keep(startTlsInFront(inner, authority, { credentials: PLAIN })));
  });
});

describe("microsocks", () => {
  test("carries SOCKS5 with user and password, by name and by address", async () => {
    const proxy = await keep(startMicrosocks({ credentials: GOOD }));
    await carries(proxy, { scheme: "socks5h", host: "localhost" });
    await carries(proxy, { scheme: "socks5", host: "127.0.0.1" });
    const before = proxy.tunnels();
    const { code } = await ask(proxy.urlAs("socks5h", BAD), "localhost");
    assert.notEqual(code, 0);
    assert.equal(proxy.tunnels(), before);
  });

  test("carries SOCKS5 without credentials", async () => {
    await carries(await keep(startMicrosocks()), { scheme: "socks5h" });
  });
});

describe("danted", () => {
  test("carries SOCKS5 and SOCKS4 and shows the outgoing port", async () => {
    const proxy = await keep(startDanted());
    await carries(proxy, { scheme: "socks5", host: "127.0.0.1" });
    await carries(proxy, { scheme: "socks4", host: "127.0.0.1" });
    assert.ok(proxy.log().every((entry) => entry.peerPort !== null));
  });
});

describe("socks4", () => {
  test("carries SOCKS4 for the right userid only", async () => {
    const proxy = await keep(startSocks4({ userid: "ada" }));
    await carries(proxy, { scheme: "socks4", host: "127.0.0.1", user: "ada" });
    const { code } = await ask(proxy.urlAs("socks4", { user: "eve", password: "" }), "127.0.0.1");
    assert.notEqual(code, 0);
    const refused = await proxy.waitForEntry((entry) => !entry.granted);
    assert.equal(refused.user, "eve");
  });

  test("resolves the names of SOCKS4a itself", async () => {
    const proxy = await keep(startSocks4({ names: ["generativelanguage.test"] }));
    await carries(proxy, { scheme: "socks4a", host: "generativelanguage.test", user: null });
  });
});

test("a stopped proxy accepts nobody and can start again on its port", async () => {
  const first = await startMicrosocks();
  await first.stop();
  assert.notEqual((await ask(first.url, "localhost")).code, 0);
  await carries(await keep(startMicrosocks({ port: first.port })), { scheme: "socks5h" });
});

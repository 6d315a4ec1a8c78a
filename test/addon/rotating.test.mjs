/**
 * The rotating proxy as the editor handles it: configured, tested, switched while requests run, kept in the secret of
 * earlier versions, shown with its figures and without its password.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { fetchRaw } from "../lib/fetch.mjs";
import { startDanted, startSquid, startTelling } from "../proxies/index.mjs";
import { behave, createGate, startUpstream } from "../upstream/index.mjs";
import { ALPHA, ask, BETA, MODEL, prompt, tokenOf } from "./lib/bench.mjs";
import { Host } from "./lib/host.mjs";

const USER = { user: "ada-rotate", password: "r0tating-w0rd" };
const WRONG = { user: "ada-rotate", password: "wr0ng-w0rd" };
const SECRETS = [ALPHA, BETA, USER.password, WRONG.password];
const SECRET = "geminiRotatingProxyConfig";

/** @type {import("../upstream/index.mjs").Running} */
let upstream;
/** @type {import("../proxies/proxy.mjs").Proxy} */
let rotating;
/** @type {import("../proxies/proxy.mjs").Proxy} */
let own;
before(async () => {
  upstream = await startUpstream();
  rotating = await startSquid({ credentials: USER });
  own = await startDanted();
});
after(async () => {
  await rotating?.stop();
  await own?.stop();
  await upstream?.close();
});
beforeEach(() => {
  upstream.script.clear();
  upstream.ledger.clear();
});

/** Two keys on a proxy of their own. */
async function furnished() {
  const settings = { upstream: { baseUrl: upstream.httpUrl } };
  const host = new Host({ settings, secrets: SECRETS });
  const url = await host.serve();
  await host.done({ kind: "add_proxy", url: own.url, name: "own" });
  await host.done({ kind: "add_key", key: ALPHA, name: "alpha" });
  await host.done({ kind: "add_key", key: BETA, name: "beta" });
  const way = async () => {
    const answer = await ask(url, tokenOf(host));
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.headers["x-aggregator-proxy"];
  };
  return { host, url, way };
}

/** As the provider writes it. @param {import("../proxies/proxy.mjs").Credentials} [credentials] */
const address = (credentials) => rotating.urlAs("http", credentials).replace("http://", "");

describe("switching", () => {
  test("streams under way end whole on the way they began, and the next request takes the other", async () => {
    const { host, url, way } = await furnished();
    const assigned = () => host.snapshot().keys.map((key) => key.proxy_id);
    const before = assigned();
    /** @type {import("../lib/fetch.mjs").Answer[]} */
    const streams = [];
    const gates = [];
    for (const [enabled, expected] of /** @type {[boolean | null, string][]} */ ([
      [null, "own"],
      [true, "rotating"],
      [false, "own"],
      [true, "rotating"],
    ])) {
      if (enabled !== null) await host.done({ kind: "configure_rotating", enabled, url: address() });
      const gate = createGate();
      upstream.script.any().once(behave.answer({ gate, pieces: 3 }));
      const path = `${url}${MODEL}:streamGenerateContent?alt=sse`;
      const asked = fetchRaw(path, { headers: { "x-goog-api-key": tokenOf(host) }, body: prompt("Hi") });
      await gate.next();
      const stream = await asked;
      assert.equal(stream.headers["x-aggregator-proxy"], expected);
      streams.push(stream);
      gates.push(gate);
      assert.equal(await way(), expected);
    }
    assert.deepEqual(assigned(), before, "assignments are kept");
    for (const gate of gates) gate.open();
    for (const stream of streams) assert.equal((await stream.text()).split("data: ").length, 4);
    await host.close();
  });

  test("the setting alone keeps it unused, and lets it serve again", async () => {
    const { host, way } = await furnished();
    await host.done({ kind: "configure_rotating", enabled: true, url: address() });
    await host.applySettings({ rotatingProxy: { enabled: false } });
    assert.equal(await way(), "own");
    assert.equal(host.snapshot().rotating?.mode, "off");
    await host.applySettings({ rotatingProxy: { enabled: true } });
    assert.equal(await way(), "rotating");
    await host.close();
  });
});

describe("configuring", () => {
  test("what cannot be used is refused with words and changes nothing", async () => {
    const { host } = await furnished();
    for (const [url, words] of /** @type {[string | undefined, RegExp][]} */ ([
      [undefined, /There is no rotating proxy yet/],
      ["ada-rotate@127.0.0.1:8080", /no password/],
      ["ada-rotate:r0tating-w0rd@127.0.0.1:port", /port/],
      ["ftp://127.0.0.1:1", /not supported/],
    ])) {
      const reply = await host.command({
        kind: "configure_rotating",
        enabled: true,
        ...(url === undefined ? {} : { url }),
      });
      assert.equal(reply.kind === "refused" && reply.field, "url");
      assert.match(reply.message, words);
    }
    assert.equal(host.snapshot().rotating, null);
    assert.equal(host.store.has(SECRET), false);
    await host.close();
  });

  test("it is kept, shown masked with its figures, and gone when it is removed", async () => {
    const { host, way } = await furnished();
    await host.done({ kind: "configure_rotating", enabled: true, url: address() });
    for (let i = 0; i < 3; i += 1) assert.equal(await way(), "rotating");
    const shown = host.snapshot().rotating;
    assert.deepEqual([shown?.enabled, shown?.mode, shown?.requests, shown?.success_rate], [true, "on", 3, 1]);
    assert.equal(shown?.masked_url, `http://ada-rotate:••••@127.0.0.1:${rotating.port}`);
    assert.equal(typeof shown?.average_latency_ms, "number");
    const kept = JSON.parse(host.store.get(SECRET) ?? "");
    assert.deepEqual(kept, { enabled: true, url: rotating.url, isValid: true, errorCount: 0 });
    await host.close();

    const again = new Host({
      store: host.store,
      settings: { upstream: { baseUrl: upstream.httpUrl } },
      secrets: SECRETS,
    });
    const url = await again.serve();
    assert.equal((await ask(url, tokenOf(again))).headers["x-aggregator-proxy"], "rotating");
    await again.done({ kind: "configure_rotating", enabled: false, url: "" });
    assert.deepEqual([again.snapshot().rotating, again.store.has(SECRET)], [null, false]);
    assert.equal((await ask(url, tokenOf(again))).headers["x-aggregator-proxy"], "own");
    await again.close();
  });

  test("a wrong password is told by the test, disables it, and switched on with the right one it serves", async () => {
    const { host, way } = await furnished();
    await host.done({ kind: "configure_rotating", enabled: true, url: address(WRONG) });
    const refused = await host.command({ kind: "test_rotating" });
    assert.match(refused.message, /ada-rotate:••••@.* failed\. .*did not accept the credentials/);
    assert.equal(host.snapshot().rotating?.mode, "refused");
    assert.equal(await way(), "own");
    await host.until(() => host.events().some(({ type }) => type === "rotating.changed"), "nothing was told");
    await host.done({ kind: "configure_rotating", enabled: true });
    assert.equal(host.snapshot().rotating?.mode, "on", "switched on again, it has another chance");
    await host.done({ kind: "configure_rotating", enabled: true, url: address(USER) });
    assert.match((await host.command({ kind: "test_rotating" })).message, /works: a tunnel to Gemini took \d+ ms/);
    assert.equal(await way(), "rotating");
    await host.close();
  });
});

describe("the addresses from which it leaves", () => {
  test("are counted where the provider tells them, and whatever else it writes there is not", async (t) => {
    const exits = ["203.0.113.1", "2001:DB8::2", "203.0.113.3", "r2d29b70ff2044", ""];
    for (const header of ["X-ProxyMesh-IP", "x-brd-ip"]) {
      const telling = await startTelling({ header, exits });
      t.after(() => telling.stop());
      const { host, way } = await furnished();
      await host.done({ kind: "configure_rotating", enabled: true, url: telling.url });
      for (let i = 0; i < exits.length * 2; i += 1) assert.equal(await way(), "rotating");
      const shown = host.snapshot().rotating;
      assert.equal(shown?.addresses_seen, 3);
      assert.ok(
        ["203.0.113.1", "2001:db8::2", "203.0.113.3"].includes(String(shown?.last_address)),
        String(shown?.last_address),
      );
      await host.close();
    }
  });

  test("are none where it tells nothing", async () => {
    const { host, way } = await furnished();
    await host.done({ kind: "configure_rotating", enabled: true, url: address() });
    assert.equal(await way(), "rotating");
    const shown = host.snapshot().rotating;
    assert.deepEqual([shown?.addresses_seen, shown?.last_address], [0, null]);
    await host.close();
  });
});

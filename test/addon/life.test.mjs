/**
 * One life of the core in plain Node: open, serve, take commands, show itself, close. A key with a proxy answers a real
 * request through it. What is malformed or comes at the wrong time is refused with words, and everything goes on.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { accepts, withDeadline } from "../lib/wait.mjs";
import { startTinyproxy } from "../proxies/index.mjs";
import { behave, startUpstream } from "../upstream/index.mjs";
import { loadAddon } from "./lib/addon.mjs";
import { ALPHA, ask, BETA, tokenOf } from "./lib/bench.mjs";
import { Host, listening } from "./lib/host.mjs";

/** @type {import("../upstream/index.mjs").Running} */
let upstream;
before(async () => {
  upstream = await startUpstream();
});
after(() => upstream?.close());
beforeEach(() => {
  upstream.script.clear();
  upstream.ledger.clear();
});

const toUpstream = () => ({ upstream: { baseUrl: upstream.httpsUrl, caFile: upstream.caFile } });

describe("the main job", () => {
  test("a key added with a proxy in the pool answers a request through that proxy", async () => {
    const proxy = await startTinyproxy({ credentials: { user: "tester", password: "proxy-password-1" } });
    const host = new Host({ settings: toUpstream(), secrets: [ALPHA, BETA, "proxy-password-1"] });
    const url = await host.serve();
    const proxyId = await host.done({ kind: "add_proxy", url: proxy.url, name: "way-out" });
    const keyId = await host.done({ kind: "add_key", key: ALPHA, name: "alpha" });
    const [key] = host.snapshot().keys;
    assert.deepEqual([key?.id, key?.proxy_id, key?.masked_key], [keyId, proxyId, "••••0001"]);

    const answer = await ask(url, tokenOf(host), "through the proxy");
    assert.equal(answer.status, 200);
    assert.equal(answer.body.candidates[0].content.parts[0].text, "echo: through the proxy");
    assert.equal(answer.headers["x-aggregator-proxy"], "way-out");
    assert.equal(upstream.ledger.requests.at(-1)?.key, ALPHA);
    await proxy.waitForEntry(({ target, granted }) => granted && target === `127.0.0.1:${upstream.httpsPort}`);
    await host.until(() => host.events().some(({ type }) => type === "request.finished"), "the request was never told");
    const [request] = host.snapshot().requests;
    assert.deepEqual([request?.status, request?.attempts[0]?.proxy_name], [200, "way-out"]);
    await host.close();
    await proxy.stop();
  });

  test("a key whose text is replaced starts clean: neither rests nor tunnels of the old one are its own", async () => {
    const host = new Host({ settings: toUpstream(), secrets: [ALPHA, BETA] });
    const url = await host.serve();
    const id = await host.done({ kind: "add_key", key: ALPHA, name: "mine" });
    assert.equal((await ask(url, tokenOf(host))).status, 200);
    upstream.script.key(ALPHA).always(behave.quotaPerDay());
    assert.equal((await ask(url, tokenOf(host))).status, 429);
    await host.done({ kind: "modify_key", id, key: BETA });
    assert.equal((await ask(url, tokenOf(host))).status, 200);
    const ports = (/** @type {string} */ key) =>
      upstream.ledger.requests.filter((request) => request.key === key).map(({ peerPort }) => peerPort);
    assert.equal(ports(BETA).length, 1);
    assert.ok(!ports(ALPHA).includes(ports(BETA)[0]), "the new key rode on the old one's connection");
    await host.close();
  });

  test("a refused key and a proxy's wrong password are told without either", async () => {
    const proxy = await startTinyproxy({ credentials: { user: "tester", password: "the-right-one" } });
    const wrong = proxy.urlAs("http", { user: "tester", password: "proxy-password-2" });
    const host = new Host({ settings: toUpstream(), secrets: [ALPHA, BETA, "proxy-password-2"] });
    const url = await host.serve();
    await host.done({ kind: "add_key", key: ALPHA, name: "alpha" });
    const beta = await host.done({ kind: "add_key", key: BETA, name: "beta" });
    upstream.script.key(ALPHA).always(behave.suspendedKey());
    upstream.script.key(BETA).always(behave.errorNamingTheKey());
    const refused = await ask(url, tokenOf(host));
    assert.doesNotMatch(JSON.stringify(refused), /test-key-/);
    const proxyId = await host.done({ kind: "add_proxy", url: wrong, name: "locked" });
    await host.done({ kind: "assign_proxy", key_id: beta, proxy_id: proxyId });
    const tested = await host.command({ kind: "test_proxy", id: proxyId });
    assert.equal(tested.kind === "tested" && tested.works, false);
    assert.match(tested.message, /locked/);
    assert.equal((await ask(url, tokenOf(host))).status >= 400, true);
    await host.close();
    await proxy.stop();
  });

  test("the search for secrets finds what is there: the masked key, were it one", async () => {
    const host = new Host({ secrets: ["••••0001"] });
    await host.serve();
    await host.done({ kind: "add_key", key: ALPHA });
    await assert.rejects(host.close(), /a secret was seen/);
  });

  test("stops and starts again on command, and shows it", async () => {
    const host = new Host({ settings: toUpstream() });
    const first = await host.serve();
    assert.deepEqual(JSON.parse(await host.core.stopServer()), { kind: "stopped" });
    assert.equal(await accepts(Number(new URL(first).port)), false);
    assert.equal(host.snapshot().endpoint.kind, "stopped");
    const again = listening(await host.start());
    assert.equal(await accepts(again.port), true);
    assert.deepEqual(host.snapshot().endpoint, again);
    await host.close();
    assert.equal(await accepts(again.port), false);
  });
});

describe("at the wrong time", () => {
  test("before it is open and after it is closed everything is refused with words", async () => {
    const host = new Host();
    const before = /The core is not open\./;
    await assert.rejects(host.start(), before);
    await assert.rejects(host.core.command('{"kind":"rotate_local_token"}'), before);
    assert.throws(() => host.core.snapshot(), before);
    assert.throws(() => host.core.localToken(), before);
    host.core.vaultWritten(77);
    await host.serve();
    host.core.vaultWritten(78, "answered though nobody asked");
    await host.close();
    await host.core.close();
    await assert.rejects(host.core.open("{}"), /./);
    await assert.rejects(host.start(), before);
    assert.throws(() => host.core.snapshot(), before);
  });

  test("a command that waits for the vault does not hang when the core closes", async () => {
    const host = new Host({ vault: () => {}, secrets: [ALPHA] });
    await host.serve();
    const adding = host.command({ kind: "add_key", key: ALPHA });
    const settled = adding.then(
      (reply) => reply.kind,
      () => "rejected",
    );
    await host.until(() => host.writes.length === 1, "the write was never asked for");
    await withDeadline(host.close(), 5000, "close hangs");
    assert.notEqual(await withDeadline(settled, 5000, "the command hangs"), "done");
  });
});

describe("malformed input", () => {
  const canary = "test-key-canary-7777";
  const texts = [
    "",
    "{",
    "null",
    "[]",
    `{"kind":"add_key","key":"${canary}"`,
    `{"kind":"add_key","key":"${canary}","colour":"red"}`,
    `{"kind":"add_key","key":["${canary}"]}`,
    `{"kind":"${canary}"}`,
    `{"kind":"apply_settings","settings":{"server":{"port":70000,"host":"${canary}"}}}`,
    `{"kind":"apply_settings","settings":{"${canary}":1}}`,
    `{"kind":"add_key","key":"${canary} \\ud800"}`,
    `"${canary}`.repeat(1000),
    "[".repeat(100_000),
  ];

  test("a command that cannot be read is refused, and does not come back in the words", async () => {
    const host = new Host({ secrets: [canary] });
    await host.serve();
    for (const text of texts) {
      const reply = JSON.parse(await host.core.command(text));
      assert.deepEqual([reply.kind, reply.code], ["refused", "invalid"], text.slice(0, 60));
      assert.doesNotMatch(reply.message, /canary|panic/);
      assert.match(reply.message, /\.$/);
    }
    assert.deepEqual(host.snapshot().keys, []);
    await host.done({ kind: "add_key", key: ALPHA });
    await host.close();
  });

  test("options that cannot be read reject, and do not come back in the words", async () => {
    for (const text of [...texts, `{"settings":{},"secrets":{"a":1,"${canary}":2},"token_file":""}`]) {
      const host = new Host();
      await assert.rejects(host.core.open(text), (/** @type {Error} */ error) => {
        assert.doesNotMatch(error.message, /canary|panic/);
        return true;
      });
      await host.core.close();
    }
  });

  test("settings out of bounds reject with their place", async () => {
    const host = new Host({ settings: { maxAttempts: 0, proxy: { rebalanceThreshold: 6 } } });
    await assert.rejects(host.open(), /maxAttempts: .*\nproxy\.rebalanceThreshold: /);
    await host.close();
  });

  test("arguments of the wrong kind throw an ordinary error", async () => {
    const host = new Host();
    const core = /** @type {any} */ (host.core);
    const Core = /** @type {any} */ (loadAddon());
    assert.throws(() => new Core(), Error);
    assert.throws(() => new Core("text"), Error);
    assert.throws(() => Core.secretNames({ geminiApiKeysIds: 5 }), Error);
    assert.throws(() => core.vaultWritten("one"), Error);
    for (const call of [() => core.command(5), () => core.open(), () => core.open({})]) {
      await assert.rejects(async () => call(), Error);
    }
    await host.serve();
    await host.close();
  });

  test("a damaged list of keys is no obstacle, a whole one names its keys", () => {
    const Core = loadAddon();
    const fixed = Core.secretNames();
    for (const damaged of ["", "{", '{"a":1', "[1]"]) {
      const named = Core.secretNames({ geminiApiKeysIds: damaged });
      assert.deepEqual(
        named.filter((name) => !name.includes("apiKeyStatus_a") && name !== "a"),
        fixed,
      );
    }
    const whole = Core.secretNames({ geminiApiKeysIds: '["key-1"]' });
    assert.deepEqual(whole, [...fixed, "apiKeyStatus_key-1", "key-1"]);
  });
});

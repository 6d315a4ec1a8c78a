/**
 * What the user entered lives in the host's secret store: writes arrive one after another and a change counts only when
 * the host has stored it. What was stored is all there after closing and opening again, and what was damaged meanwhile
 * is named while the rest still works.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { startUpstream } from "../upstream/index.mjs";
import { ALPHA, ask, BETA, tokenOf } from "./lib/bench.mjs";
import { Host } from "./lib/host.mjs";

const PROXY_PASSWORD = "proxy-password-3";
const FAR = `socks5h://tester:${PROXY_PASSWORD}@127.0.0.1:9`;
const NEAR = "http://127.0.0.1:10";
const SECRETS = [ALPHA, BETA, PROXY_PASSWORD];
const QUIET = { server: { port: 0 }, proxy: { healthCheckIntervalSeconds: 600 } };

/** @param {Host} host what the user entered, as the panel shows it */
function entered(host) {
  const { keys, proxies } = host.snapshot();
  return {
    keys: keys.map(({ id, name, masked_key, enabled, project, weight, proxy_id, proxy_assigned_at, is_manual }) => {
      return { id, name, masked_key, enabled, project, weight, proxy_id, proxy_assigned_at, is_manual };
    }),
    proxies: proxies.map(({ id, name, masked_url, enabled }) => ({ id, name, masked_url, enabled })),
  };
}

/** A host with two proxies and four keys: automatic, by hand, pinned to none, disabled. */
async function furnished() {
  const host = new Host({ settings: QUIET, secrets: SECRETS });
  await host.serve();
  const far = await host.done({ kind: "add_proxy", url: FAR, name: "far" });
  await host.done({ kind: "add_proxy", url: NEAR, name: "near" });
  await host.done({ kind: "add_key", key: ALPHA, name: "alpha", project: "p-1", weight: 7, cooldown_seconds: 9 });
  const byHand = await host.done({ kind: "add_key", key: BETA, name: "beta" });
  const pinned = await host.done({ kind: "add_key", key: "test-key-gamma-0003", name: "gamma" });
  const off = await host.done({ kind: "add_key", key: "test-key-delta-0004", name: "delta" });
  await host.done({ kind: "assign_proxy", key_id: byHand, proxy_id: far });
  await host.done({ kind: "assign_proxy", key_id: pinned, proxy_id: null });
  await host.done({ kind: "disable_key", id: off });
  return host;
}

describe("writing", () => {
  test("writes come one after another, a key's text before the list names it", async () => {
    /** @type {((error?: string) => void)[]} */
    const answers = [];
    const host = new Host({
      secrets: SECRETS,
      vault: (write, answer) => answers.push(() => host.keep(write, answer)),
    });
    await host.serve();
    const adding = [1, 2, 3, 4, 5].map((n) => host.done({ kind: "add_key", key: `${ALPHA}${n}`, name: `key ${n}` }));
    for (let n = 1; n <= adding.length; n += 1) {
      await host.until(() => answers.length >= n, `write ${n} was never asked for`);
      assert.equal(host.writes.length, n, "the next write waits for the answer to this one");
      assert.equal(host.snapshot().keys.length, n - 1, "a key is not there before it is stored");
      answers[n - 1]?.();
      await host.until(() => host.snapshot().keys.length === n, `key ${n} never appeared`);
    }
    const ids = await Promise.all(adding);
    assert.deepEqual(
      host.writes.map(({ ticket }) => ticket),
      [1, 2, 3, 4, 5],
    );
    for (const { writes } of host.writes) {
      const names = writes.map(({ name }) => name);
      const text = names.findIndex((name) => ids.includes(name));
      assert.ok(text >= 0 && text < names.indexOf("geminiApiKeysIds"), names.join());
    }
    // Which of several commands given at once comes first is not promised.
    assert.deepEqual(JSON.parse(host.store.get("geminiApiKeysIds") ?? "").sort(), ids.sort());
    await host.close();
  });

  test("what the host could not store is not applied, and the next change is", async () => {
    let broken = true;
    const host = new Host({
      secrets: SECRETS,
      vault: (write, answer) => (broken ? answer("The keyring is locked.") : host.keep(write, answer)),
    });
    const url = await host.serve();
    const before = host.snapshot();
    for (const command of /** @type {const} */ ([
      { kind: "add_key", key: ALPHA, name: "alpha" },
      { kind: "add_proxy", url: FAR, name: "far" },
    ])) {
      const reply = await host.command(command);
      assert.equal(reply.kind === "refused" && reply.code, "not_saved");
      assert.match(reply.message, /not applied.*The keyring is locked\./);
    }
    assert.deepEqual(host.snapshot(), before);
    assert.equal((await ask(url, tokenOf(host))).status, 503, "no key serves");
    broken = false;
    const id = await host.done({ kind: "add_key", key: ALPHA, name: "alpha" });
    assert.deepEqual(JSON.parse(host.store.get("geminiApiKeysIds") ?? ""), [id]);
    assert.equal(host.snapshot().keys.length, 1);
    await host.close();
  });

  test("a key that could not be removed still serves", async () => {
    const upstream = await startUpstream();
    let broken = false;
    const host = new Host({
      settings: { upstream: { baseUrl: upstream.httpUrl } },
      secrets: SECRETS,
      vault: (write, answer) => (broken ? answer("The keyring is locked.") : host.keep(write, answer)),
    });
    const url = await host.serve();
    const id = await host.done({ kind: "add_key", key: ALPHA });
    broken = true;
    assert.equal((await host.command({ kind: "remove_key", id })).kind, "refused");
    assert.equal((await ask(url, tokenOf(host))).status, 200);
    broken = false;
    await host.done({ kind: "remove_key", id });
    assert.equal((await ask(url, tokenOf(host))).status, 503);
    assert.equal([...host.store.values()].join().includes(ALPHA), false, "its text is gone from the store");
    await host.close();
    await upstream.close();
  });
});

describe("reading", () => {
  /** @type {Map<string, string>} */
  let whole;
  before(async () => {
    const host = await furnished();
    await host.close();
    whole = host.store;
  });

  test("keys, proxies, assignments and what was set by hand are there after closing and opening again", async () => {
    const host = await furnished();
    const was = entered(host);
    assert.deepEqual(
      was.keys.map(({ is_manual, enabled }) => [is_manual, enabled]),
      [
        [false, true],
        [true, true],
        [true, true],
        [false, false],
      ],
    );
    await host.close();
    const again = new Host({ settings: QUIET, store: host.store, secrets: SECRETS });
    await again.serve();
    assert.deepEqual(entered(again), was);
    assert.equal(again.writes.length, 0, "opening what is whole writes nothing");
    await again.close();
  });

  test("the key read back is the key that was entered", async () => {
    const upstream = await startUpstream();
    const settings = { upstream: { baseUrl: upstream.httpUrl } };
    const host = new Host({ settings });
    await host.serve();
    await host.done({ kind: "add_key", key: ALPHA });
    await host.close();
    const again = new Host({ settings, store: host.store, secrets: SECRETS });
    assert.equal((await ask(await again.serve(), tokenOf(again))).status, 200);
    assert.equal(upstream.ledger.requests.at(-1)?.key, ALPHA);
    await again.close();
    await upstream.close();
  });

  /**
   * Opens what `damage` left of a furnished store.
   * @param {(store: Map<string, string>, ids: string[]) => void} damage
   */
  async function opened(damage) {
    const store = new Map(whole);
    damage(store, JSON.parse(store.get("geminiApiKeysIds") ?? "[]"));
    const again = new Host({ settings: QUIET, store, secrets: SECRETS });
    const { warnings } = await again.open();
    return { again, warnings, shown: entered(again) };
  }

  /** @type {[string, (store: Map<string, string>, ids: string[]) => void, {keys: number, proxies: number}, RegExp][]} */
  const damages = [
    ["a key's text is gone", (store, ids) => store.delete(ids[1] ?? ""), { keys: 3, proxies: 2 }, /is gone/],
    [
      "a key's text has line breaks",
      (store, ids) => store.set(ids[0] ?? "", `${ALPHA}\r\nx-injected: 1`),
      { keys: 3, proxies: 2 },
      /not a usable key/,
    ],
    ["the list of keys is torn", (store) => store.set("geminiApiKeysIds", '["key'), { keys: 4, proxies: 2 }, /damaged/],
    [
      "the proxies are torn",
      (store) => store.set("geminiProxyPool", store.get("geminiProxyPool")?.slice(0, -9) ?? ""),
      { keys: 4, proxies: 2 },
      /damaged: one entry[\s\S]*unreadable proxy 1.*switched off/,
    ],
    [
      "one proxy has a scheme that there is not",
      (store) => store.set("geminiProxyPool", (store.get("geminiProxyPool") ?? "").replace("socks5h:", "gopher:")),
      { keys: 4, proxies: 2 },
      /Stored proxy 1 .*gopher[\s\S]*unreadable proxy 1.*switched off/,
    ],
    [
      "the assignments are torn",
      (store) => store.set("geminiProxyAssignments", "{"),
      { keys: 4, proxies: 2 },
      /damaged/,
    ],
    ["the names are torn", (store) => store.set("geminiApiKeyDetails", '{"keys":'), { keys: 4, proxies: 2 }, /damaged/],
  ];
  for (const [name, damage, left, warning] of damages) {
    test(`${name}: it is named, the rest is loaded and serves`, async () => {
      const { again, warnings, shown } = await opened(damage);
      assert.deepEqual({ keys: shown.keys.length, proxies: shown.proxies.length }, left);
      assert.match(warnings.join("\n"), warning);
      assert.ok(warnings.length <= 2, warnings.join("\n"));
      assert.equal((await again.start()).kind, "listening");
      await again.done({ kind: "add_key", key: "test-key-new-0009" });
      await again.close();
    });
  }
});

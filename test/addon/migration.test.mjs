/**
 * Secrets of earlier versions in the host's store: the first start shows their keys, proxies and assignments and has the
 * new form stored, the second deletes the old, the third writes nothing. A window that only watches writes nothing.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startUpstream } from "../upstream/index.mjs";
import { ALPHA, ask, BETA, tokenOf } from "./lib/bench.mjs";
import { Host, listening } from "./lib/host.mjs";

const PASSWORD = "proxy-password-9";
const SECRETS = [ALPHA, BETA, PASSWORD];
const QUIET = { server: { port: 0 }, proxy: { healthCheckIntervalSeconds: 600 } };

/** What the first generation left: a proxy's URL beside one key, the other disabled. */
function firstGeneration() {
  return new Map([
    ["geminiApiKeysIds", '["api-key-1","api-key-2"]'],
    ["api-key-1", ALPHA],
    ["api-key-2", BETA],
    ["apiKeyStatus_api-key-1", JSON.stringify({ status: "available", proxy: `http://me:${PASSWORD}@127.0.0.1:9` })],
    ["apiKeyStatus_api-key-2", JSON.stringify({ status: "disabled" })],
    ["geminiProxies", JSON.stringify([`http://me:${PASSWORD}@127.0.0.1:9`, "gopher://127.0.0.1:70"])],
    ["geminiProxySettings", JSON.stringify({ autoAssignmentEnabled: false, healthCheckInterval: 30_000 })],
  ]);
}

/** @param {Host} host */
function shown(host) {
  const { keys, proxies } = host.snapshot();
  return {
    keys: keys.map(({ id, enabled, proxy_id, is_manual }) => {
      const proxy = proxies.find((one) => one.id === proxy_id);
      return { id, enabled, proxy: proxy?.masked_url ?? null, is_manual };
    }),
    proxies: proxies.map(({ masked_url }) => masked_url),
  };
}

/** @param {Map<string, string>} store */
function hostOn(store) {
  return new Host({ settings: QUIET, store, secrets: SECRETS });
}

test("what an earlier version stored is taken over once, and deleted only when the new was read back", async () => {
  const store = firstGeneration();
  const first = hostOn(store);
  const report = await first.open();
  assert.equal(report.warnings.length, 2, report.warnings.join("\n"));
  assert.match(report.warnings.join("\n"), /Proxy 2 of .*gopher[\s\S]*"api-key-2" was disabled/);
  assert.match(report.notes.join("\n"), /2 keys, 1 proxies, 1 assignments/);
  assert.deepEqual(report.legacy_settings, { autoAssignment: false, healthCheckIntervalSeconds: 30 });
  assert.equal(first.writes.length, 0, "a window that does not serve writes nothing");
  const masked = "http://me:••••@127.0.0.1:9";
  const wanted = {
    keys: [
      { id: "api-key-1", enabled: true, proxy: masked, is_manual: true },
      { id: "api-key-2", enabled: false, proxy: null, is_manual: false },
    ],
    proxies: [masked],
  };
  assert.deepEqual(shown(first), wanted, "the earlier setting kept the second key off the proxy");
  listening(await first.start());
  await first.until(() => store.has("proxyMigrationVersion"), "the new form was never stored");
  assert.equal(store.get("geminiProxies"), firstGeneration().get("geminiProxies"), "the old is still there");
  await first.close();

  const second = hostOn(store);
  const again = await second.open();
  assert.deepEqual({ ...again, warnings: again.warnings }, { role: "leader", warnings: [], notes: [] });
  assert.deepEqual(shown(second).proxies, wanted.proxies);
  assert.deepEqual(shown(second).keys[0], wanted.keys[0]);
  listening(await second.start());
  await second.until(() => !store.has("geminiProxySettings"), "the old was never deleted");
  const old = [...store.keys()].filter((name) => /^apiKeyStatus_|^geminiProxies$|before/.test(name));
  assert.deepEqual(old, []);
  await second.close();

  const third = hostOn(store);
  await third.serve();
  assert.deepEqual(shown(third).proxies, wanted.proxies);
  assert.equal(third.writes.length, 0);
  await third.close();
});

test("a store that refuses the new form keeps the old whole, and no change is saved over it", async () => {
  const upstream = await startUpstream();
  const store = firstGeneration();
  store.set("apiKeyStatus_api-key-1", JSON.stringify({ status: "available" }));
  store.delete("geminiProxies");
  let broken = true;
  const host = new Host({
    settings: { upstream: { baseUrl: upstream.httpUrl } },
    store,
    secrets: SECRETS,
    vault: (write, answer) => (broken ? answer("The keyring is locked.") : host.keep(write, answer)),
  });
  await host.open();
  const { url } = listening(await host.start());
  assert.equal((await ask(url, tokenOf(host))).status, 200, "the keys serve");
  const reply = await host.command({ kind: "add_proxy", url: "http://127.0.0.1:10", name: "new" });
  assert.equal(reply.kind === "refused" && reply.code, "not_saved");
  assert.deepEqual(store.get("geminiProxySettings"), firstGeneration().get("geminiProxySettings"));
  broken = false;
  await host.done({ kind: "add_proxy", url: "http://127.0.0.1:10", name: "new" });
  assert.equal(store.get("proxyMigrationVersion"), "2.0.0");
  assert.match(store.get("geminiProxyPool") ?? "", /127\.0\.0\.1:10/);
  await host.close();
  await upstream.close();
});

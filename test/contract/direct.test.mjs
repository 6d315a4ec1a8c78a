/**
 * Whether a request ever goes past the proxies, counted in the kernel: a network namespace with a packet counter on the
 * upstream's ports. Only `reassignThenDirect` may, only when every proxy is dead, and then everybody is told.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { tokenOf } from "../addon/lib/bench.mjs";
import { Host } from "../addon/lib/host.mjs";
import { fetchRaw } from "../lib/fetch.mjs";
import { startTinyproxy } from "../proxies/index.mjs";
import { startUpstream } from "../upstream/index.mjs";
import { ALPHA, MODEL, prompt } from "./lib/bench.mjs";
import { inOwnNetwork } from "./lib/namespace.mjs";

const POLICIES = ["reassign", "fail", "reassignThenDirect"];

/** @type {any} */
let found;
before(async () => {
  found = await inOwnNetwork("dead-fleet.mjs");
});

/** @param {any} side @param {string} kind */
const told = (side, kind) => side.events.filter((/** @type {any} */ { event }) => event === kind);

describe("packets that no proxy sent", () => {
  test("are counted: a connection without a proxy is seen", () => {
    assert.ok(found.control > 0);
  });

  for (const policy of POLICIES) {
    test(`${policy}: there are none while the proxies live`, () => {
      for (const { alive } of [found.deadProxies[policy], found.deadUpstream[policy]]) {
        for (const { status, proxy } of alive.answers) {
          assert.equal(status, 200);
          assert.match(proxy, /^(danted|tinyproxy)$/);
        }
        assert.equal(alive.packets, 0);
      }
    });

    test(`${policy}: there are none when the upstream dies behind living proxies`, () => {
      const side = found.deadUpstream[policy];
      for (const { status, proxy, told } of side.dead.answers) {
        assert.ok(status >= 500, `status ${status}`);
        assert.match(proxy, /^(danted|tinyproxy)$/);
        assert.doesNotMatch(told, /direct/);
      }
      assert.equal(side.dead.packets, 0);
      for (const kind of ["proxy.error", "direct.used"]) assert.deepEqual(told(side, kind), []);
    });
  }

  for (const policy of ["reassign", "fail"]) {
    test(`${policy}: there are none when every proxy is dead; the error names a proxy`, () => {
      const { dead, connections, ...side } = found.deadProxies[policy];
      for (const { status, words, told } of dead.answers) {
        assert.ok(status >= 500, `status ${status}`);
        assert.match(words, /danted|tinyproxy/);
        assert.doesNotMatch(told, /direct/);
      }
      assert.deepEqual({ packets: dead.packets, connections }, { packets: 0, connections: 0 });
      assert.deepEqual(told(side, "direct.used"), []);
      assert.ok(told(side, "proxy.error").length > 0);
    });
  }

  test("reassignThenDirect: there are some when every proxy is dead, and header, log and event say so", () => {
    const { dead, connections, ...side } = found.deadProxies.reassignThenDirect;
    for (const { status, proxy, told } of dead.answers) {
      assert.deepEqual({ status, proxy }, { status: 200, proxy: "direct" });
      assert.match(told, /key-\d → direct, no proxy works → 200/);
    }
    assert.ok(dead.packets > 0 && connections > 0);
    const [event, ...more] = told(side, "direct.used");
    assert.match(event.message, /No proxy works: key "key-\d" goes direct, as you allowed/);
    assert.deepEqual(more, [], "told once a minute, not for each request");
  });
});

test("a direct request is counted for its key, and the count is shown", async () => {
  const upstream = await startUpstream();
  const proxy = await startTinyproxy();
  const settings = {
    upstream: { baseUrl: upstream.httpsUrl, caFile: upstream.caFile },
    proxy: { failurePolicy: "reassignThenDirect" },
  };
  const host = new Host({ settings, secrets: [ALPHA] });
  const url = await host.serve();
  await host.done({ kind: "add_proxy", url: proxy.url, name: "only" });
  await host.done({ kind: "add_key", key: ALPHA, name: "alpha" });
  const ask = async () => {
    const answer = await fetchRaw(`${url}${MODEL}:generateContent`, {
      headers: { "x-goog-api-key": tokenOf(host) },
      body: prompt("Hi"),
    });
    await answer.bytes();
    return [answer.status, answer.headers["x-aggregator-proxy"]];
  };
  const count = () => host.snapshot().keys[0]?.direct_count;
  assert.deepEqual([await ask(), count()], [[200, "only"], 0]);
  await proxy.stop();
  for (const n of [1, 2, 3]) assert.deepEqual([await ask(), count()], [[200, "direct"], n]);
  await host.until(() => host.events().some(({ type }) => type === "direct.used"), "it was never told");
  const [latest] = host.snapshot().requests;
  assert.deepEqual(latest?.attempts.map(({ direct_fallback, proxy_name }) => [direct_fallback, proxy_name]).at(-1), [
    true,
    null,
  ]);
  await host.close();
  await upstream.close();
});

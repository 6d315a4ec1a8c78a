/**
 * Keys and proxies by the admin API of the running program: added, changed, removed, assigned, tested; what is wrong is
 * refused with its place and changes nothing; and two admins do not overwrite each other.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { startMicrosocks, startTinyproxy } from "../../proxies/index.mjs";
import { Bench, KEYS, MODEL, prompt } from "../lib/bench.mjs";
import { Admin, SERVER } from "./lib.mjs";

const NEW_KEY = "test-key-gamma-0003";

/** @type {Bench} */
let bench;
/** @type {Admin} */
let admin;
/** @type {import("../lib/gateway.mjs").Gateway} */
let gateway;

before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(async () => {
  bench.fresh();
  await gateway?.stop();
  gateway = await bench.gateway(
    { server: SERVER, keys: [KEYS.alpha, KEYS.beta] },
    { secrets: [NEW_KEY, "s3cret-pass"] },
  );
  admin = new Admin(gateway);
});

/** @param {string} key */
async function servedBy(key) {
  const answer = await gateway.ask(`${MODEL}:generateContent`, {
    body: prompt("Hi"),
    headers: { "x-aggregator-key": key },
  });
  await answer.text();
  return { status: answer.status, proxy: answer.headers["x-aggregator-proxy"] };
}

describe("keys", () => {
  test("one that is added serves at once, is changed, switched, tested and removed", async () => {
    const added = await admin.expect(201, "POST", "/keys", { key: NEW_KEY, name: "gamma", weight: 2, project: "p-1" });
    const { id } = added.body;
    assert.equal(added.headers.location, `/admin/keys/${id}`);
    assert.equal(added.headers.etag, `"${added.body.version}"`);
    const shape =
      "id name status health_score circuit last_used failure_count next_retry weight project proxy_id proxy_assigned_at is_manual current_requests cooling_down_until used_history masked_key";
    for (const field of shape.split(" ")) assert.ok(field in added.body, field);
    assert.deepEqual([added.body.weight, added.body.project, added.body.masked_key], [2, "p-1", "••••0003"]);
    assert.equal((await servedBy("gamma")).status, 200);
    const changed = await admin.expect(200, "PATCH", `/keys/${id}`, {
      name: "delta",
      project: null,
      cooldown_seconds: 7,
    });
    assert.deepEqual([changed.body.name, changed.body.project, changed.body.cooldown_seconds], ["delta", null, 7]);
    assert.equal(changed.body.used_history.length, 1);
    assert.equal((await admin.expect(200, "POST", `/keys/${id}/disable`)).body.status, "disabled");
    assert.equal((await servedBy("delta")).status, 503);
    assert.equal((await admin.expect(200, "POST", `/keys/${id}/enable`)).body.status, "available");
    assert.equal((await admin.expect(200, "POST", `/keys/${id}/test`)).body.works, true);
    await admin.expect(204, "DELETE", `/keys/${id}`);
    assert.equal((await admin.refused(404, "GET", `/keys/${id}`)).code, "not_found");
    assert.equal((await admin.expect(200, "GET", "/keys")).body.keys.length, 2);
  });

  test("what is wrong is refused with its place and changes nothing", async () => {
    const before = (await admin.expect(200, "GET", "/keys")).body.version;
    const id = (await admin.expect(200, "GET", "/keys")).body.keys[0].id;
    for (const [
      status,
      method,
      path,
      body,
      where,
    ] of /** @type {[number, string, string, any, string | undefined][]} */ ([
      [400, "POST", "/keys", {}, "key"],
      [400, "POST", "/keys", { key: 5 }, "key"],
      [400, "POST", "/keys", { key: "two words" }, "key"],
      [400, "POST", "/keys", { key: "k", wieght: 1 }, "wieght"],
      [400, "POST", "/keys", { key: "k", weight: 101 }, "weight"],
      [400, "POST", "/keys", { key: "k", weight: "1" }, "weight"],
      [409, "POST", "/keys", { key: KEYS.beta.key }, "key"],
      [409, "POST", "/keys", { key: "k", name: "beta" }, "name"],
      [404, "POST", "/keys", { key: "k", proxy_id: "nowhere" }, "proxy_id"],
      [400, "POST", "/keys", "[]", undefined],
      [400, "POST", "/keys", "{", undefined],
      [400, "PATCH", `/keys/${id}`, { key: "k" }, "key"],
      [400, "PATCH", `/keys/${id}`, { cooldown_seconds: 0 }, "cooldown_seconds"],
      [400, "PUT", `/keys/${id}/proxy`, {}, "proxy_id"],
      [404, "PUT", `/keys/${id}/proxy`, { proxy_id: "nowhere" }, "proxy_id"],
      [400, "POST", `/keys/${id}/enable`, { now: true }, "now"],
      [400, "GET", "/keys?limit=1", null, "limit"],
      [404, "PATCH", "/keys/nobody", { weight: 1 }, undefined],
      [404, "GET", "/nothing", null, undefined],
    ])) {
      const headers = typeof body === "string" ? { "content-type": "application/json" } : {};
      const said = await admin.expect(status, method, path, body, headers);
      assert.equal(said.body.error.path, where, `${method} ${path} ${JSON.stringify(body)}`);
      assert.match(said.body.error.message, /^[A-Z].*\.$/);
    }
    assert.equal((await admin.expect(415, "POST", "/keys", "{}", { "content-type": "text/plain" })).status, 415);
    assert.equal((await admin.expect(413, "POST", "/keys", { key: "k".repeat(1024 * 1024) })).status, 413);
    const wrong = await admin.expect(405, "PUT", "/keys", {});
    assert.equal(wrong.headers.allow, "GET, POST");
    assert.equal((await admin.expect(200, "GET", "/keys")).body.version, before);
  });

  test("two admins do not overwrite each other", async () => {
    const { keys, version } = (await admin.expect(200, "GET", "/keys")).body;
    const path = `/keys/${keys[0].id}`;
    const seen = { "if-match": String((await admin.expect(200, "GET", path)).headers.etag) };
    const first = await admin.expect(200, "PATCH", path, { weight: 5 }, seen);
    const second = await admin.expect(412, "PATCH", path, { weight: 9 }, seen);
    assert.equal(second.body.error.code, "changed");
    for (const [method, action] of [
      ["DELETE", ""],
      ["POST", "/disable"],
      ["DELETE", "/proxy"],
    ]) {
      await admin.expect(412, String(method), `${path}${action}`, null, seen);
    }
    await admin.expect(412, "POST", "/keys", { key: NEW_KEY }, { "if-match": `"${version}"` });
    const shown = await admin.expect(200, "GET", path);
    assert.deepEqual([shown.body.weight, shown.body.status, shown.headers.etag], [5, "available", first.headers.etag]);
    await servedBy("alpha");
    assert.equal((await admin.expect(200, "GET", path)).headers.etag, shown.headers.etag, "serving is no edit");
    await admin.expect(200, "PATCH", path, { weight: 9 }, { "if-match": `"x", ${shown.headers.etag}` });
    await admin.expect(200, "PATCH", path, { weight: 1 });
    const race = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const tag = String(first.headers.etag);
        return (await admin.ask("PATCH", path, { weight: index + 20 }, { "if-match": tag })).status;
      }),
    );
    assert.deepEqual([...new Set(race)], [412]);
    const current = String((await admin.expect(200, "GET", path)).headers.etag);
    const won = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        return (await admin.ask("PATCH", path, { weight: index + 20 }, { "if-match": current })).status;
      }),
    );
    assert.deepEqual(won.sort(), [200, 412, 412, 412, 412, 412, 412, 412]);
  });
});

describe("proxies", () => {
  test("one that is added carries keys, by itself and by hand, and is not added twice", async () => {
    const east = await bench.proxy(startTinyproxy());
    const west = await bench.proxy(startMicrosocks({ credentials: { user: "ada", password: "s3cret-pass" } }));
    const added = (await admin.expect(201, "POST", "/proxies", { name: "east", url: east.url })).body;
    for (const field of "id name masked_url status assigned_key_count active_requests last_health_check error_count last_error latency_ms".split(
      " ",
    ))
      assert.ok(field in added, field);
    assert.equal(added.assigned_key_count, 2, "keys without a proxy are placed at once");
    const again = await admin.refused(409, "POST", "/proxies", { url: `${east.url.toUpperCase()}/` });
    assert.deepEqual([again.code, again.path], ["duplicate", "url"]);
    assert.equal((await admin.refused(400, "POST", "/proxies", { url: "ftp://127.0.0.1:1" })).path, "url");
    const second = (await admin.expect(201, "POST", "/proxies", { url: west.url })).body;
    assert.ok(!second.masked_url.includes("s3cret-pass"));
    const placed = (await admin.expect(200, "GET", "/keys")).body.keys.map((/** @type {any} */ key) => key.proxy_id);
    assert.deepEqual(new Set(placed), new Set([added.id, second.id]), "the new proxy takes its share at once");
    const key = (await admin.expect(200, "GET", "/keys")).body.keys[0];
    const pinned = (await admin.expect(200, "PUT", `/keys/${key.id}/proxy`, { proxy_id: second.id })).body;
    assert.deepEqual([pinned.proxy_id, pinned.is_manual], [second.id, true]);
    assert.deepEqual(await servedBy("alpha"), { status: 200, proxy: second.name });
    const direct = (await admin.expect(200, "PUT", `/keys/${key.id}/proxy`, { proxy_id: null })).body;
    assert.deepEqual([direct.proxy_id, direct.is_manual], [null, true]);
    assert.deepEqual(await servedBy("alpha"), { status: 200, proxy: "direct" });
    const back = (await admin.expect(200, "DELETE", `/keys/${key.id}/proxy`)).body;
    assert.ok(back.proxy_id && !back.is_manual);
    assert.equal((await admin.expect(200, "POST", `/proxies/${second.id}/test`)).body.works, true);
    const renamed = (await admin.expect(200, "PATCH", `/proxies/${second.id}`, { name: "west", enabled: false })).body;
    assert.deepEqual([renamed.name, renamed.status, renamed.assigned_key_count], ["west", "inactive", 0]);
    await admin.expect(412, "DELETE", `/proxies/${second.id}`, null, { "if-match": `"${second.version}"` });
    await admin.expect(204, "DELETE", `/proxies/${second.id}`, null, { "if-match": `"${renamed.version}"` });
    assert.equal((await admin.expect(200, "GET", "/proxies")).body.proxies.length, 1);
  });

  test("rebalancing evens out what was pinned to one side", async () => {
    const east = await bench.proxy(startTinyproxy());
    const west = await bench.proxy(startTinyproxy());
    const one = (await admin.expect(201, "POST", "/proxies", { name: "east", url: east.url })).body;
    await admin.expect(201, "POST", "/keys", { key: NEW_KEY, proxy_id: one.id });
    await admin.expect(201, "POST", "/proxies", { name: "west", url: west.url });
    assert.match((await admin.expect(200, "POST", "/rebalance")).body.message, /moved|balanced/);
    const counts = (await admin.expect(200, "GET", "/proxies")).body.proxies.map(
      (/** @type {any} */ proxy) => proxy.assigned_key_count,
    );
    assert.ok(Math.abs(counts[0] - counts[1]) <= 1, counts.join(" and "));
  });

  test("the rotating proxy is configured and shown without its password", async () => {
    const none = (await admin.expect(200, "GET", "/rotating-proxy")).body;
    assert.deepEqual([none.enabled, none.mode, none.masked_url], [false, "off", null]);
    assert.equal((await admin.refused(400, "PUT", "/rotating-proxy", { enabled: true })).path, "url");
    const way = await bench.proxy(startTinyproxy());
    const set = await admin.expect(200, "PUT", "/rotating-proxy", { url: way.url, enabled: true });
    assert.deepEqual([set.body.enabled, set.body.mode], [true, "on"]);
    assert.equal((await servedBy("alpha")).proxy, "rotating");
    await admin.expect(412, "PUT", "/rotating-proxy", { enabled: false }, { "if-match": `"${none.version}"` });
    await admin.expect(200, "PUT", "/rotating-proxy", { enabled: false }, { "if-match": String(set.headers.etag) });
    assert.equal((await servedBy("alpha")).proxy, "direct");
    const gone = await admin.expect(200, "PUT", "/rotating-proxy", { url: "", enabled: false });
    assert.equal(gone.body.masked_url, null);
  });
});

/**
 * The stream of events and the pages of the request log while requests come in: nothing twice, nothing left out, and the
 * whole state where something would be. Also backups, and who may ask at all.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { behave } from "../../upstream/index.mjs";
import { ALPHA, BETA, Bench, KEYS, MODEL, prompt } from "../lib/bench.mjs";
import { TOKEN } from "../lib/gateway.mjs";
import { ADMIN, Admin, SERVER } from "./lib.mjs";

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
  gateway = await bench.gateway({ server: SERVER, keys: [KEYS.alpha, KEYS.beta] });
  admin = new Admin(gateway);
});

/** @param {number} count @returns {Promise<string[]>} their ids, in order */
async function serve(count) {
  const ids = [];
  for (let i = 0; i < count; i += 1) {
    const answer = await gateway.ask(`${MODEL}:generateContent`, { body: prompt(`number ${i}`) });
    await answer.text();
    await gateway.logged(answer);
    ids.push(answer.id);
  }
  return ids;
}

describe("events", () => {
  test("begin with the whole state and tell what happens, a request with its record", async () => {
    const events = await admin.events();
    const first = await events.next();
    assert.equal(first?.name, "snapshot");
    assert.deepEqual(Object.keys(first?.data), ["at", "keys", "proxies", "rotating_proxy"]);
    assert.equal(first?.data.keys.length, 2);
    const [id] = await serve(1);
    const finished = await events.until("request.finished");
    assert.deepEqual([finished.data.request_id, finished.data.request.id], [id, id]);
    assert.equal(finished.data.request.status, 200);
    const key = (await admin.expect(201, "POST", "/keys", { key: "test-key-gamma-0003" })).body;
    assert.equal((await events.until("key.added")).data.key_id, key.id);
    await admin.expect(200, "PATCH", `/keys/${key.id}`, { weight: 3 });
    assert.equal((await events.until("key.updated")).data.key_id, key.id);
    await admin.expect(204, "DELETE", `/keys/${key.id}`);
    assert.equal((await events.until("key.removed")).data.key_id, key.id);
    events.leave();
  });

  test("name the request on whose way they happened", async () => {
    const events = await admin.events();
    await events.next();
    bench.upstream.script.key(ALPHA).once(behave.quotaPerMinute({ retryDelay: "47s" }));
    bench.upstream.script.key(BETA).once(behave.invalidKey());
    const answer = await gateway.ask(`${MODEL}:generateContent`, { body: prompt("Hi") });
    await answer.text();
    for (const kind of ["key.cooling", "key.disabled"]) {
      const { data } = await events.until(kind);
      assert.deepEqual([data.request_id, data.request], [answer.id, undefined], kind);
    }
    await admin.expect(201, "POST", "/keys", { key: "test-key-gamma-0003" });
    assert.equal((await events.until("key.added")).data.request_id, undefined, "a person did that");
    events.leave();
  });

  test("are resumed without a gap or a repeat", async () => {
    const events = await admin.events();
    await events.next();
    const before = await serve(3);
    const seen = [await events.until("request.finished"), await events.until("request.finished")];
    events.leave();
    const missed = await serve(4);
    const again = await admin.events(seen[1]?.id);
    for (const id of [before[2], ...missed]) {
      assert.equal((await again.next())?.data.request_id, id);
    }
    const [later] = await serve(1);
    assert.equal((await again.next())?.data.request_id, later);
    again.leave();
  });

  test("begin with the whole state where they cannot be resumed", async () => {
    const events = await admin.events();
    const first = await events.next();
    await serve(1);
    const told = await events.until("request.finished");
    events.leave();
    for (const id of ["other-7", "", `${told.id}0`]) {
      const stranger = await admin.events(id);
      assert.equal((await stranger.next())?.name, "snapshot", id);
      stranger.leave();
    }
    assert.notEqual(first?.id, told.id);
  });

  test("a reader that comes back when too much has happened is given the state", async () => {
    const events = await admin.events();
    const first = await events.next();
    const { id } = (await admin.expect(200, "GET", "/keys")).body.keys[0];
    for (let change = 0; change < 1_025; change += 1) {
      await admin.expect(200, "PATCH", `/keys/${id}`, { weight: 2 + (change % 2) });
    }
    const told = await events.until("key.updated");
    events.leave();
    const late = await admin.events(first?.id);
    assert.equal((await late.next())?.name, "snapshot", "the first of 1,025 is kept no more");
    late.leave();
    const just = await admin.events(told.id);
    assert.equal((await just.next())?.name, "key.updated", "the other 1,024 are");
    just.leave();
  });

  test("end with the program, which does not wait for their readers", async () => {
    const events = await admin.events();
    await events.next();
    const started = Date.now();
    await gateway.stop();
    for (let told = await events.next(); told; told = await events.next());
    assert.ok(Date.now() - started < 900, "the grace is one second");
  });
});

describe("the request log", () => {
  test("is read page by page while requests come in", async () => {
    const ids = await serve(7);
    const found = [];
    let cursor = "";
    for (let page = 0; page < 4; page += 1) {
      const { body } = await admin.expect(200, "GET", `/requests?limit=2${cursor}`);
      found.push(...body.requests.map((/** @type {any} */ request) => request.id));
      if (body.next_cursor === null) break;
      cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`;
      await serve(1);
    }
    assert.deepEqual(found, ids.reverse());
  });

  test("is filtered, and refuses what is no filter", async () => {
    await serve(2);
    const count = async (/** @type {string} */ query) =>
      (await admin.expect(200, "GET", `/requests?${query}`)).body.requests.length;
    assert.equal(await count("dialect=gemini&outcome=direct&model=gemini-3.8-flash"), 2);
    assert.equal(await count("dialect=openai"), 0);
    assert.equal(await count("outcome=failed"), 0);
    for (const query of ["limit=0", "limit=501", "limit=x", "dialect=latin", "outcome=x", "cursor=a%20b", "lim=1"]) {
      const { path } = await admin.refused(400, "GET", `/requests?${query}`);
      assert.equal(path, query.split("=")[0]);
    }
  });
});

describe("a backup", () => {
  test("holds no secret without a passphrase, and everything with one", async () => {
    const plain = (await admin.expect(200, "GET", "/backup")).body;
    assert.ok(!plain.text.includes(ALPHA));
    const sealed = await admin.expect(200, "GET", "/backup", null, { "x-backup-passphrase": "correct horse battery" });
    const [key] = (await admin.expect(200, "GET", "/keys")).body.keys;
    await admin.expect(204, "DELETE", `/keys/${key.id}`);
    const body = { text: sealed.body.text, passphrase: "correct horse battery" };
    assert.equal(
      (await admin.refused(400, "POST", "/backup", { ...body, passphrase: "wrong horse" })).path,
      "passphrase",
    );
    const preview = (await admin.expect(200, "POST", "/backup", { ...body, preview: true })).body;
    assert.deepEqual(preview.diff.keys.added, [key.name]);
    assert.equal((await admin.expect(200, "GET", "/keys")).body.keys.length, 1);
    await admin.expect(412, "POST", "/backup", body, { "if-match": `"${sealed.body.version}"` });
    assert.deepEqual((await admin.expect(200, "POST", "/backup", body)).body.diff.keys.added, [key.name]);
    const restored = (await admin.expect(200, "GET", "/keys")).body.keys;
    assert.deepEqual([restored.length, restored[0].name], [2, key.name]);
  });
});

describe("a reload", () => {
  test("answers what the file changed, and refuses a bad file with its words", async () => {
    const file = join(gateway.dir, "keys.yaml");
    const config = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify({ ...config, keys: [KEYS.alpha] }, null, 2));
    const { body } = await admin.expect(200, "POST", "/config/reload");
    assert.match(body.message, /\.$/);
    assert.equal((await admin.expect(200, "GET", "/keys")).body.keys.length, 1);
    writeFileSync(file, JSON.stringify({ ...config, kyes: [] }, null, 2));
    assert.match((await admin.refused(400, "POST", "/config/reload")).message, /kyes/);
    assert.equal((await admin.expect(200, "GET", "/keys")).body.keys.length, 1);
  });
});

describe("who may ask", () => {
  test("only the admin token, from this machine's own names", async () => {
    const paths = ["/admin/keys", "/admin/events", "/admin/nothing"];
    for (const path of paths) {
      const none = await gateway.ask(path, { token: null });
      assert.deepEqual([none.status, none.headers["www-authenticate"]], [401, "Bearer"]);
      const data = await gateway.ask(path, { token: TOKEN, headers: { authorization: `Bearer ${TOKEN}` } });
      assert.equal(data.status, 401, "a token of the data plane opens nothing here");
      const inQuery = await gateway.ask(`${path}?key=${ADMIN}`, { token: ADMIN });
      assert.equal(inQuery.status, 401, "only as a bearer");
    }
    const asData = await gateway.ask("/v1beta/models", { token: ADMIN });
    assert.equal(asData.status, 401);
    for (const [status, header] of /** @type {[number, Record<string, string>][]} */ ([
      [403, { origin: "https://evil.example" }],
      [421, { host: "evil.example" }],
    ])) {
      const said = await admin.expect(status, "GET", "/keys", null, header);
      assert.equal(typeof said.body.error.message, "string");
    }
  });
});

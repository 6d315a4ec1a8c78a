/**
 * Lists of what lives in one project each: answered for all keys together, in pages whose token this endpoint gives.
 * The simulated upstream keeps the projects apart and refuses a page token anywhere but where it gave it.
 */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { behave } from "../upstream/index.mjs";
import { Bench, KEYS, prompt } from "./lib/bench.mjs";

const GAMMA = { name: "gamma", key: "test-key-gamma-0003" };
/** Eight together, so that some are asked at once. */
const MANY = Array.from({ length: 8 }, (_, i) => ({
  name: `many-${i}`,
  key: `test-key-many-${String(i).padStart(4, "0")}`,
}));

/** @type {Bench} */
let bench;
beforeEach(async () => {
  bench = await Bench.start();
});
afterEach(() => bench.stop());

/** @typedef {import("./lib/gateway.mjs").Gateway} Gateway */

/** Caches of one key, made through the endpoint. @param {Gateway} gateway @param {string} key @param {number} count */
async function make(gateway, key, count) {
  const names = [];
  for (let made = 0; made < count; made += 1) {
    const answer = await gateway.ask("/v1beta/cachedContents", {
      headers: { "x-aggregator-key": key },
      body: { model: "models/gemini-3.8-flash", ...prompt("long") },
    });
    assert.equal(answer.status, 200);
    names.push(String((await answer.json()).name));
  }
  return names;
}

/** A cache that the upstream has and nobody here has seen. @param {string} key @param {string} name */
function hidden(key, name) {
  bench.upstream.world.put(key, name, { name, model: "models/gemini-3.8-flash" });
  return name;
}

/** @param {Gateway} gateway @param {string} [query] @param {Record<string, string>} [headers] */
async function list(gateway, query = "", headers = {}) {
  const answer = await gateway.ask(`/v1beta/cachedContents${query}`, { headers });
  const text = await answer.text();
  const body = JSON.parse(text);
  const names = (body.cachedContents ?? []).map((/** @type {{name: string}} */ item) => item.name);
  const skipped = answer.headers["x-aggregator-skipped"];
  return { answer, status: answer.status, text, names, next: body.nextPageToken, error: body.error, skipped };
}

/** Every page, from the first to the last. @param {Gateway} gateway @param {number} size */
async function pages(gateway, size) {
  const all = [];
  for (let token = ""; token !== undefined; ) {
    const page = await list(gateway, `?pageSize=${size}&pageToken=${encodeURIComponent(token)}`);
    assert.equal(page.status, 200, page.text);
    assert.ok(page.names.length <= size, `${page.names.length} members in a page of ${size}`);
    all.push(page.names);
    token = page.next;
  }
  return all;
}

/** The keys that were asked, in order. */
function asked() {
  return bench.upstream.ledger.requests.map((entry) => entry.key);
}

test("one list answers for all keys, each member as its project gave it", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta, GAMMA] });
  const [a, b] = [await make(gateway, "alpha", 2), await make(gateway, "beta", 1)];
  const { names, next, skipped, answer } = await list(gateway);
  assert.deepEqual([names, next, skipped], [[...a, ...b], undefined, undefined]);
  assert.equal(answer.headers["x-aggregator-attempts"], "3");
  assert.match(await gateway.logged(answer), /alpha .* beta .* gamma/);
  const used = await gateway.ask(`/v1beta/${b[0]}`);
  assert.equal(used.headers["x-aggregator-key"], "beta");
});

test("pages have at most the size asked for, go through the keys in order and lose nothing", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta, ...MANY] });
  const all = [...(await make(gateway, "alpha", 5)), ...(await make(gateway, "beta", 2))];
  for (const [i, { name }] of MANY.entries()) all.push(...(await make(gateway, name, i % 3)));
  for (const size of [1, 2, 3, 4, 7, 100]) {
    const got = await pages(gateway, size);
    assert.deepEqual(got.flat(), all, `pages of ${size}`);
    assert.ok(
      got.slice(0, -1).every((page) => page.length > 0),
      "no page in the middle is empty",
    );
  }
});

test("what a list names is used with its key afterwards, seen by nobody before", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
  const name = hidden(KEYS.beta.key, "cachedContents/made-elsewhere");
  await list(gateway);
  for (let turn = 0; turn < 3; turn += 1) {
    const used = await gateway.ask(`/v1beta/${name}`);
    assert.deepEqual([used.status, used.headers["x-aggregator-key"]], [200, "beta"]);
    await used.bytes();
  }
});

test("a pinned list is that key's own, with Google's tokens", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
  await make(gateway, "alpha", 1);
  const mine = await make(gateway, "beta", 3);
  bench.fresh();
  const pin = { "x-aggregator-key": "beta" };
  const first = await list(gateway, "?pageSize=2", pin);
  const rest = await list(gateway, `?pageSize=2&pageToken=${encodeURIComponent(first.next)}`, pin);
  assert.deepEqual([...first.names, ...rest.names], mine);
  assert.deepEqual(new Set(asked()), new Set([KEYS.beta.key]));
});

test("with one key a list passes as it came", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha] });
  const text = '{\n  "cachedContents": [ {"name": "cachedContents/x"} ],\n  "nextPageToken": "Google\'s"\n}\n';
  bench.upstream.script.any().once(behave.say({ pieces: [text] }));
  const answer = await gateway.ask("/v1beta/cachedContents?pageSize=7&pageToken=T");
  assert.equal(await answer.text(), text);
  assert.equal(bench.upstream.ledger.requests[0]?.target, "/v1beta/cachedContents?pageSize=7&pageToken=T");
});

test("keys of one project are asked once, the second only when the first cannot", async () => {
  const [alpha, beta] = [
    { ...KEYS.alpha, project: "shared" },
    { ...KEYS.beta, project: "shared" },
  ];
  bench.upstream.world.assign(KEYS.alpha.key, "shared");
  bench.upstream.world.assign(KEYS.beta.key, "shared");
  const gateway = await bench.gateway({ keys: [alpha, beta, GAMMA] });
  const made = await make(gateway, "beta", 1);
  bench.fresh();
  assert.deepEqual((await list(gateway)).names, made);
  assert.deepEqual(asked(), [KEYS.alpha.key, GAMMA.key]);
  bench.fresh();
  bench.upstream.script.key(KEYS.alpha.key).always(behave.internal());
  const second = await list(gateway);
  assert.deepEqual([second.names, second.skipped], [made, undefined]);
  assert.deepEqual(asked(), [KEYS.alpha.key, KEYS.beta.key, GAMMA.key]);
});

test("what two keys of one project see, unknown to be one, is given once", async () => {
  const twins = [0, 1].map((i) => ({ name: `twin-${i}`, key: `test-key-twin-000${i}` }));
  for (const { key } of twins) bench.upstream.world.assign(key, "twins");
  const [first, second] = [twins[0] ?? GAMMA, twins[1] ?? GAMMA];
  const gateway = await bench.gateway({ keys: [KEYS.alpha, first, GAMMA, second] });
  const made = [...(await make(gateway, "twin-1", 2)), ...(await make(gateway, "twin-0", 2))];
  made.push(...(await make(gateway, "gamma", 1)));
  made.push(hidden("test-key-twin-0000", "cachedContents/of-both"));
  for (const size of [1, 2, 100]) {
    const got = (await pages(gateway, size)).flat();
    assert.deepEqual([...got].sort(), [...made].sort(), `pages of ${size}`);
  }
  const owner = (await gateway.ask(`/v1beta/${made[0]}`)).headers["x-aggregator-key"];
  assert.equal(owner, "twin-1", "its learned owner keeps it");
});

test("a key that is disabled, resting or failing is named, and the others answer", async () => {
  const keys = [KEYS.alpha, KEYS.beta, GAMMA, { name: "off", key: "test-key-off-0000", enabled: false }];
  const gateway = await bench.gateway({ keys });
  const expected = await make(gateway, "gamma", 1);
  bench.upstream.script.key(KEYS.alpha.key).once(behave.quotaPerMinute({ retryDelay: "47s" }));
  bench.upstream.script.key(KEYS.beta.key).always(behave.internal());
  const first = await list(gateway);
  assert.equal(first.status, 200);
  assert.deepEqual(first.names, expected);
  assert.equal(first.skipped, "alpha, beta, off");
  bench.fresh();
  bench.upstream.script.key(KEYS.beta.key).always(behave.overloaded());
  const resting = await list(gateway);
  assert.deepEqual([resting.status, resting.skipped], [200, "alpha, beta, off"]);
  assert.ok(!asked().includes(KEYS.alpha.key), "a resting key is not asked");
});

test("when no key answers, the error of the last is given", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
  bench.upstream.script.key(KEYS.alpha.key).always(behave.internal());
  bench.upstream.script.key(KEYS.beta.key).always(behave.overloaded());
  const { status, error, skipped } = await list(gateway);
  assert.deepEqual([status, error.status, skipped], [503, "UNAVAILABLE", "alpha, beta"]);
});

test("a list larger than a page may be fails its key only", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
  const large = JSON.stringify({ cachedContents: [{ name: "cachedContents/x", about: "x".repeat(9 * 1024 * 1024) }] });
  bench.upstream.script.key(KEYS.alpha.key).once(behave.say({ pieces: [large] }));
  const { status, names, skipped, answer } = await list(gateway);
  assert.deepEqual([status, names.includes("cachedContents/x"), skipped], [200, false, "alpha"]);
  assert.match(await gateway.logged(answer), /larger than 8 MiB/);
});

test("a question that is wrong for all is asked once", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
  const { status, error } = await list(gateway, "?pageSize=many");
  assert.deepEqual([status, error.status, asked().length], [400, "INVALID_ARGUMENT", 1]);
});

test("a page token from elsewhere, or of a key that is gone, is refused in words", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
  const gone = Buffer.from('{"v":1,"k":"key_0_gone"}').toString("base64url");
  for (const [token, words] of [
    ["Cg0KC2ZpbGVz", /not given by this endpoint/],
    [gone, /key that is gone/],
  ]) {
    const { status, error } = await list(gateway, `?pageToken=${token}`);
    assert.equal(status, 400);
    assert.match(error.message, /** @type {RegExp} */ (words));
  }
  assert.deepEqual(asked(), []);
});

test("a list's addresses of files point here", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
  const uri = `${bench.upstream.httpUrl}/v1beta/files/one`;
  bench.upstream.script
    .key(KEYS.alpha.key)
    .once(behave.say({ pieces: [JSON.stringify({ files: [{ name: "files/one", uri }] })] }));
  const { files } = await (await gateway.ask("/v1beta/files")).json();
  assert.equal(files[0].uri, `${gateway.url}/v1beta/files/one`);
});

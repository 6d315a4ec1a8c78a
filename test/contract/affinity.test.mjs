/**
 * Files, caches and batches belong to the project of the key that made them; the simulated upstream refuses them to
 * every other key, as Google does. So whoever's turn it is, a request that names one goes out with its maker.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { behave } from "../upstream/index.mjs";
import { Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";

const TURNS = 4;

/** @type {Bench} */
let bench;
/** @type {import("./lib/gateway.mjs").Gateway} */
let gateway;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(async () => {
  bench.fresh();
  gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
});

/** A small file, uploaded in one piece. @param {string} [key] that must make it */
async function upload(key) {
  const headers = {
    "x-goog-upload-protocol": "multipart",
    "content-type": "multipart/related; boundary=cut",
    ...(key ? { "x-aggregator-key": key } : {}),
  };
  const parts = [
    '--cut\r\ncontent-type: application/json\r\n\r\n{"file":{"displayName":"a"}}\r\n',
    "--cut\r\ncontent-type: text/plain\r\n\r\nhello\r\n--cut--\r\n",
  ];
  const answer = await gateway.ask("/upload/v1beta/files?uploadType=multipart", {
    headers,
    body: Buffer.from(parts.join("")),
  });
  assert.equal(answer.status, 200);
  const { file } = await answer.json();
  return { name: String(file.name), uri: String(file.uri), key: String(answer.headers["x-aggregator-key"]) };
}

/** @param {...string} uris */
function about(...uris) {
  return { contents: [{ role: "user", parts: uris.map((fileUri) => ({ fileData: { fileUri } })) }] };
}

for (const accepted of ["gzip", "identity"]) {
  test(`a file is used with the key that made it, whoever's turn it is (${accepted})`, async () => {
    const file = await upload();
    const headers = { "accept-encoding": accepted };
    for (let turn = 0; turn < TURNS; turn += 1) {
      const read = await gateway.ask(`/v1beta/${file.name}`, { headers });
      assert.deepEqual([read.status, read.headers["x-aggregator-key"]], [200, file.key]);
      await read.bytes();
      const used = await gateway.ask(`${MODEL}:generateContent`, { headers, body: about(file.uri) });
      assert.deepEqual([used.status, used.headers["x-aggregator-key"]], [200, file.key]);
      await used.bytes();
    }
    const gone = await gateway.ask(`/v1beta/${file.name}`, { method: "DELETE" });
    assert.deepEqual([gone.status, gone.headers["x-aggregator-key"]], [200, file.key]);
  });
}

test("a cache made by one key is used by it", async () => {
  const body = { model: "models/gemini-3.8-flash", ...prompt("long") };
  const made = await gateway.ask("/v1beta/cachedContents", { body });
  assert.equal(made.status, 200);
  const { name } = await made.json();
  for (let turn = 0; turn < TURNS; turn += 1) {
    const used = await gateway.ask(`${MODEL}:generateContent`, { body: { ...prompt("Hi"), cachedContent: name } });
    assert.deepEqual([used.status, used.headers["x-aggregator-key"]], [200, made.headers["x-aggregator-key"]]);
    await used.bytes();
  }
});

test("other requests still take turns", async () => {
  await upload();
  const keys = new Set();
  for (let turn = 0; turn < TURNS; turn += 1) {
    const answer = await gateway.ask(`${MODEL}:generateContent`, { body: prompt("files/unknown is a file of mine") });
    keys.add(answer.headers["x-aggregator-key"]);
    await answer.bytes();
  }
  assert.equal(keys.size, 2);
});

test("two files of two keys in one request are refused with both names, and nothing is asked", async () => {
  const [first, second] = [await upload("alpha"), await upload("beta")];
  bench.fresh();
  const answer = await gateway.ask(`${MODEL}:generateContent`, { body: about(first.uri, second.uri) });
  assert.equal(answer.status, 400);
  const { error } = await answer.json();
  assert.ok(error.message.includes(first.name) && error.message.includes(second.name), error.message);
  assert.deepEqual(bench.upstream.ledger.requests, []);
});

test("while its maker rests, a file's request is told to wait and not sent elsewhere", async () => {
  const file = await upload("alpha");
  bench.upstream.script.key(KEYS.alpha.key).once(behave.quotaPerMinute({ retryDelay: "47s" }));
  const refused = await gateway.ask(`${MODEL}:generateContent`, { body: about(file.uri) });
  assert.equal(refused.status, 429);
  await refused.bytes();
  bench.fresh();
  const waiting = await gateway.ask(`${MODEL}:generateContent`, { body: about(file.uri) });
  assert.equal(waiting.status, 429);
  assert.ok(Number(waiting.headers["retry-after"]) > 0);
  assert.deepEqual(bench.upstream.ledger.requests, []);
});

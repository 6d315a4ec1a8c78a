/**
 * Files, caches, batches, stores, interactions and what came later belong to the project of the key that made them; the
 * simulated upstream refuses them to every other key, as Google does. So whoever's turn it is, a request that names one
 * goes out with its maker.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { behave } from "../upstream/index.mjs";
import { Bench, inHalves, KEYS, MODEL, prompt } from "./lib/bench.mjs";

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

for (const [how, stream] of /** @type {[string, boolean][]} */ ([
  ["whole", false],
  ["as a stream", true],
])) {
  test(`an interaction answered ${how} is continued, read and deleted with its key`, async () => {
    const made = await gateway.ask("/v1beta/interactions", {
      body: { model: "gemini-3.8-flash", input: "Hi", stream },
    });
    const key = made.headers["x-aggregator-key"];
    const id = /"id":\s*"(v1_[^"]+)"/.exec(await made.text())?.[1];
    assert.ok(id);
    for (const field of ["previous_interaction_id", "previousInteractionId"]) {
      for (let turn = 0; turn < 3; turn += 1) {
        const body = { model: "gemini-3.8-flash", input: "And?", [field]: id };
        const next = await gateway.ask("/v1beta/interactions", { body });
        assert.deepEqual([next.status, next.headers["x-aggregator-key"]], [200, key], field);
        await next.bytes();
      }
    }
    for (const [method, path] of [
      ["GET", `/v1beta/interactions/${id}`],
      ["GET", `/v1beta/interactions/${id}?stream=true`],
      ["POST", `/v1beta/interactions/${id}/cancel`],
      ["DELETE", `/v1beta/interactions/${id}`],
    ]) {
      const answer = await gateway.ask(String(path), { method: String(method), headers: { "content-length": "0" } });
      assert.equal(answer.headers["x-aggregator-key"], key, `${method} ${path}`);
      await answer.bytes();
    }
  });
}

test("what an interaction says is not taken for what it made", async () => {
  const file = await upload("alpha");
  const body = { model: "gemini-3.8-flash", input: "Hi" };
  const says = {
    id: "v1_x",
    outputs: [
      { type: "text", text: `see ${file.name}` },
      { type: "function_call", id: "call_1" },
    ],
  };
  bench.upstream.script.key(KEYS.beta.key).once(behave.say({ pieces: [JSON.stringify(says)] }));
  await (await gateway.ask("/v1beta/interactions", { headers: { "x-aggregator-key": "beta" }, body })).bytes();
  const read = await gateway.ask(`/v1beta/${file.name}`);
  assert.deepEqual([read.status, read.headers["x-aggregator-key"]], [200, "alpha"]);
});

/** Answers of the upstream that name one thing each, and requests that name it afterwards. */
const NAMED = /** @type {[string, string, string, object, string, object | null][]} */ ([
  ["a token", "POST", "/v1alpha/auth_tokens", { name: "auth_tokens/a.b_1" }, "/v1alpha/auth_tokens/a.b_1", null],
  [
    "a store",
    "POST",
    "/v1beta/fileSearchStores",
    { name: "fileSearchStores/s1" },
    `${MODEL}:generateContent`,
    { tools: [{ file_search: { file_search_store_names: ["fileSearchStores/s1"] } }] },
  ],
  [
    "a store's operation",
    "POST",
    "/v1beta/fileSearchStores/s2:importFile",
    { name: "fileSearchStores/s2/operations/o1" },
    "/v1beta/fileSearchStores/s2/operations/o1",
    null,
  ],
  [
    "a tuned model",
    "POST",
    "/v1beta/tunedModels",
    { name: "tunedModels/m1/operations/o2" },
    "/v1beta/tunedModels/m1:generateContent",
    {},
  ],
  [
    "a video's operation",
    "POST",
    `${MODEL}:predictLongRunning`,
    { name: "models/veo/operations/o3" },
    "/v1beta/models/veo/operations/o3",
    null,
  ],
  [
    "a finished video",
    "GET",
    "/v1beta/models/veo/operations/o4",
    { response: { video: { uri: "https://generativelanguage.googleapis.com/v1beta/files/v1:download?alt=media" } } },
    "/v1beta/files/v1:download?alt=media",
    null,
  ],
  ["an agent", "POST", "/v1beta/agents", { id: "a1" }, "/v1beta/interactions", { agent: "a1", input: "Hi" }],
  ["an environment", "POST", "/v1beta/environments", { id: "e1" }, "/v1beta/environments/e1/files/notes.txt", null],
  [
    "a credential in a list",
    "GET",
    "/v1beta/credentials",
    { credentials: [{ id: "c1" }] },
    "/v1beta/credentials/c1",
    null,
  ],
  ["a webhook", "POST", "/v1beta/webhooks", { id: "w1", name: "mine" }, "/v1beta/webhooks/w1:ping", {}],
]);

for (const [what, method, path, answer, later, body] of NAMED) {
  test(`${what} keeps to its key`, async () => {
    bench.upstream.script.any().always(behave.say({ pieces: [JSON.stringify(answer)] }));
    const made = await gateway.ask(path, {
      method,
      headers: { "x-aggregator-key": "beta" },
      ...(method === "POST" ? { body: {} } : {}),
    });
    assert.equal(made.status, 200);
    await made.bytes();
    for (let turn = 0; turn < TURNS; turn += 1) {
      const used = await gateway.ask(later, body ? { body } : {});
      assert.equal(used.headers["x-aggregator-key"], "beta");
      await used.bytes();
    }
  });
}

test("a name whose slash is escaped is the same name", async () => {
  const file = await upload("beta");
  for (let turn = 0; turn < TURNS; turn += 1) {
    const read = await gateway.ask(`/v1beta/${file.name.replace("/", "%2F")}`);
    assert.equal(read.headers["x-aggregator-key"], "beta");
    await read.bytes();
  }
});

test("a pin wins over the owner, even over two", async () => {
  const [first, second] = [await upload("alpha"), await upload("beta")];
  for (const pin of ["alpha", "beta"]) {
    const headers = { "x-aggregator-key": pin };
    const read = await gateway.ask(`/v1beta/${first.name}`, { headers });
    assert.deepEqual([read.status, read.headers["x-aggregator-key"]], [pin === "alpha" ? 200 : 403, pin]);
    const both = await gateway.ask(`${MODEL}:generateContent`, { headers, body: about(first.uri, second.uri) });
    assert.deepEqual([both.status, both.headers["x-aggregator-key"]], [403, pin], "the upstream's word, not ours");
  }
});

test("while nothing is owned, a body is not read ahead", async () => {
  const { halves, release } = inHalves(JSON.stringify(prompt("Hi")));
  const asking = gateway.ask(`${MODEL}:generateContent`, { body: halves });
  await bench.upstream.ledger.waitFor((entry) => entry.path.endsWith(":generateContent"));
  release();
  assert.equal((await asking).status, 200);
});

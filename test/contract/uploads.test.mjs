/**
 * Resumable uploads by hand: the address that comes back points here, each chunk goes with the key that began, an
 * upload's id opens nothing but that upload, and a file that is sent is not sent twice.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { behave } from "../upstream/index.mjs";
import { Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";

const START = { "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start" };
const GRANULARITY = 8 * 1024 * 1024;

/** @type {Bench} */
let bench;
/** @type {import("./lib/gateway.mjs").Gateway} */
let gateway;
before(async () => {
  bench = await Bench.start({ publicOrigin: "https://generativelanguage.googleapis.com" });
  gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

async function begin() {
  const answer = await gateway.ask("/upload/v1beta/files", { headers: START, body: { file: { display_name: "a" } } });
  assert.equal(answer.status, 200);
  await answer.bytes();
  return answer;
}

/**
 * One chunk as Python sends it: no token, the address alone.
 * @param {string} path
 * @param {{offset: number, command: string, body: Buffer}} chunk
 */
function send(path, { offset, command, body }) {
  const headers = { "x-goog-upload-command": command, "x-goog-upload-offset": String(offset) };
  return gateway.ask(path, { token: null, headers, body });
}

/** @param {import("./lib/gateway.mjs").Answer} answer */
function addressOf(answer) {
  const url = new URL(String(answer.headers["x-goog-upload-url"]));
  return { origin: url.origin, path: `${url.pathname}${url.search}` };
}

test("the address points here, and every chunk goes with the key that began, whoever's turn it is", async () => {
  const content = Buffer.alloc(GRANULARITY + 5, "abcdefg");
  for (const key of ["alpha", "beta", "alpha"]) {
    bench.fresh();
    const started = await begin();
    const { origin, path } = addressOf(started);
    assert.equal(origin, gateway.url);
    assert.equal(started.headers["x-goog-upload-control-url"], `${origin}${path}`);
    const owner = String(started.headers["x-aggregator-key"]);
    assert.equal(owner, key, "a fresh upload takes the next key");
    const first = await send(path, { offset: 0, command: "upload", body: content.subarray(0, GRANULARITY) });
    assert.deepEqual([first.status, first.headers["x-goog-upload-status"]], [200, "active"]);
    const last = await send(path, {
      offset: GRANULARITY,
      command: "upload, finalize",
      body: content.subarray(GRANULARITY),
    });
    const { file } = await last.json();
    assert.equal(file.sha256Hash, createHash("sha256").update(content).digest("base64"));
    for (const answer of [first, last]) assert.equal(answer.headers["x-aggregator-key"], owner);
    assert.equal(new Set(bench.upstream.ledger.requests.map((entry) => entry.key)).size, 1);
  }
});

describe("an upload's id", () => {
  test("is asked about without the token, and opens nothing else", async () => {
    const { path } = addressOf(await begin());
    const query = await gateway.ask(path, {
      method: "POST",
      token: null,
      headers: { "x-goog-upload-command": "query", "content-length": "0" },
    });
    assert.deepEqual([query.status, query.headers["x-goog-upload-status"]], [200, "active"]);
    bench.fresh();
    const id = new URL(path, gateway.url).searchParams.get("upload_id");
    for (const other of [`${MODEL}:generateContent?upload_id=${id}`, `/v1beta/files?upload_id=${id}`]) {
      assert.equal((await gateway.ask(other, { token: null, body: prompt("Hi") })).status, 401);
    }
    assert.deepEqual(bench.upstream.ledger.requests, []);
  });

  test("that nobody here began is no token", async () => {
    for (const id of ["simulated-upload-9999", ""]) {
      const answer = await send(`/upload/v1beta/files?upload_id=${id}&upload_protocol=resumable`, {
        offset: 0,
        command: "upload, finalize",
        body: Buffer.from("x"),
      });
      assert.equal(answer.status, 401);
    }
    assert.deepEqual(bench.upstream.ledger.requests, []);
  });
});

test("neither the beginning nor a chunk is sent twice when its fate is unknown", async () => {
  bench.upstream.script.any().once(behave.internal());
  const failed = await gateway.ask("/upload/v1beta/files", { headers: START, body: { file: {} } });
  assert.deepEqual([failed.status, bench.upstream.ledger.requests.length], [500, 1]);
  const { path } = addressOf(await begin());
  for (const behaviour of [behave.overloaded(), behave.reset(), behave.quotaPerMinute({ retryDelay: "0.1s" })]) {
    bench.fresh();
    bench.upstream.script.when((request) => request.path.startsWith("/upload/")).once(behaviour);
    const answer = await send(path, { offset: 0, command: "upload, finalize", body: Buffer.from("x") });
    assert.ok(answer.status >= 400);
    assert.equal(bench.upstream.ledger.requests.length, 1);
  }
});

/**
 * Proves the things that live in a project of the simulated upstream: made, read, listed in pages and deleted by the
 * project's keys, refused to every other key in Google's words.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, beforeEach, describe, test } from "node:test";
import { fetchRaw } from "../lib/fetch.mjs";
import { startUpstream } from "./index.mjs";

const KEY = "test-key-alpha-0001";
const SISTER = "test-key-alpha-0002";
const OTHER = "test-key-beta-0002";
const MODEL = "/v1beta/models/gemini-3.8-flash";
const DENIED = "The caller does not have permission";

/** @type {import("./index.mjs").Running} */
let upstream;
after(() => upstream?.close());
beforeEach(async () => {
  await upstream?.close();
  upstream = await startUpstream();
  for (const key of [KEY, SISTER]) upstream.world.assign(key, "projects/one");
});

/** @param {string} path @param {Parameters<typeof fetchRaw>[1] & {key?: string}} [options] */
async function ask(path, { key = KEY, ...options } = {}) {
  const headers = { "x-goog-api-key": key, ...options.headers };
  const answer = await fetchRaw(`${upstream.httpUrl}${path}`, { ...options, headers });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text.startsWith("{") ? JSON.parse(text) : text };
}

/** What the project may read, others may not. @param {string} name @param {string} words */
async function belongsToTheProject(name, words) {
  assert.equal((await ask(`/v1beta/${name}`, { key: SISTER })).status, 200, `${name} for the project's other key`);
  const denied = await ask(`/v1beta/${name}`, { key: OTHER });
  assert.deepEqual([denied.status, denied.body.error.status], [403, "PERMISSION_DENIED"]);
  assert.equal(denied.body.error.message, words);
}

/** @param {string} content @param {string} [key] */
async function file(content, key = KEY) {
  const body = `--b\r\n\r\n{"file":{}}\r\n--b\r\nContent-Type: text/plain\r\n\r\n${content}\r\n--b--\r\n`;
  const headers = { "content-type": "multipart/related; boundary=b" };
  return (await ask("/upload/v1beta/files", { key, headers, body })).body.file;
}

describe("what a key makes belongs to its project", () => {
  test("files, caches, batches and tuned models", async () => {
    const { name, uri } = await file("one");
    await belongsToTheProject(
      name,
      `You do not have permission to access the File ${name.slice(6)} or it may not exist.`,
    );
    const cache = await ask("/v1beta/cachedContents", {
      body: { contents: [{ parts: [{ fileData: { fileUri: uri } }] }] },
    });
    await belongsToTheProject(cache.body.name, "CachedContent not found (or permission denied)");
    const batch = await ask(`${MODEL}:batchGenerateContent`, { body: { batch: { inputConfig: { fileName: name } } } });
    await belongsToTheProject(batch.body.name, DENIED);
    const tuned = await ask("/v1beta/tunedModels", { body: { displayName: "mine" } });
    await belongsToTheProject(tuned.body.name, DENIED);
    const { tunedModel } = tuned.body.metadata;
    await belongsToTheProject(tunedModel, DENIED);
    const prompt = { contents: [{ parts: [{ text: "Hi" }] }] };
    assert.equal((await ask(`/v1beta/${tunedModel}:generateContent`, { body: prompt })).status, 200);
    assert.equal((await ask(`/v1beta/${tunedModel}:generateContent`, { key: OTHER, body: prompt })).status, 403);
    for (const [path, body] of [
      [`${MODEL}:batchGenerateContent`, { batch: { inputConfig: { fileName: name } } }],
      ["/v1beta/cachedContents", { contents: [{ parts: [{ fileData: { fileUri: uri } }] }] }],
    ]) {
      assert.equal((await ask(String(path), { key: OTHER, body })).status, 403, String(path));
    }
  });

  test("a file is known by this upstream's own address only", async () => {
    const { uri, name } = await file("one");
    const using = (/** @type {string} */ fileUri) => ({ contents: [{ parts: [{ fileData: { fileUri } }] }] });
    assert.equal((await ask(`${MODEL}:generateContent`, { body: using(uri) })).status, 200);
    const elsewhere = await ask(`${MODEL}:generateContent`, { body: using(`http://127.0.0.1:3146/v1beta/${name}`) });
    assert.deepEqual([elsewhere.status, elsewhere.body.error.status], [400, "INVALID_ARGUMENT"]);
  });

  test("interactions, and those that go on from them", async () => {
    const path = "/v1beta/interactions";
    const first = (await ask(path, { body: { model: "gemini-3.8-flash", input: "one" } })).body;
    await belongsToTheProject(`interactions/${first.id}`, DENIED);
    const next = { model: "gemini-3.8-flash", input: "two", previous_interaction_id: first.id };
    assert.equal((await ask(path, { key: OTHER, body: next })).status, 403);
    const second = (await ask(path, { key: SISTER, body: next })).body;
    assert.equal(second.previous_interaction_id, first.id);
    assert.equal((await ask(`${path}/${second.id}/cancel`, { key: OTHER, method: "POST" })).status, 403);
    assert.equal((await ask(`${path}/${second.id}/cancel`, { method: "POST" })).body.status, "cancelled");
    assert.match((await ask(`${path}/${second.id}?stream=true`)).body, /^event: interaction\.created\n/);
    assert.equal((await ask(`${path}/${second.id}`, { method: "DELETE" })).status, 200);
    assert.equal((await ask(`${path}/${second.id}`)).status, 403);
  });

  test("a video: the operation, and the file at its end", async () => {
    upstream.world.videoPolls = 2;
    const body = { instances: [{ prompt: "a cat" }] };
    const { name } = (await ask("/v1beta/models/veo-3.1-generate-preview:predictLongRunning", { body })).body;
    assert.match(name, /^models\/veo-3\.1-generate-preview\/operations\//);
    assert.equal((await ask(`/v1beta/${name}`, { key: OTHER })).body.error.message, DENIED);
    const answers = [await ask(`/v1beta/${name}`), await ask(`/v1beta/${name}`), await ask(`/v1beta/${name}`)];
    assert.deepEqual(
      answers.map((answer) => answer.body.done === true),
      [false, false, true],
    );
    const { uri } = answers[2]?.body.response.generateVideoResponse.generatedSamples[0].video ?? {};
    const { origin, pathname, search } = new URL(uri);
    assert.equal(origin, upstream.httpUrl);
    assert.equal((await ask(`${pathname}${search}`)).body, "the moving picture of the simulated upstream");
    assert.equal((await ask(`${pathname}${search}`, { key: OTHER })).status, 403);
  });
});

describe("file search stores", () => {
  /** @param {string} store @param {string} key @param {string} content */
  async function upload(store, key, content) {
    const headers = { "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start" };
    const path = `/upload/v1beta/${store}:uploadToFileSearchStore`;
    const start = await ask(path, { key, headers, body: { mimeType: "text/plain", displayName: "d1" } });
    if (start.status !== 200) return start;
    const { pathname, search } = new URL(String(start.headers["x-goog-upload-url"]));
    assert.equal(pathname, path);
    const chunk = { "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" };
    return ask(`${pathname}${search}`, { headers: chunk, body: content });
  }

  test("take uploads and files, tell of both by operations, and go with all that is in them", async () => {
    const store = (await ask("/v1beta/fileSearchStores", { body: { displayName: "s1" } })).body.name;
    await belongsToTheProject(store, DENIED);
    assert.equal((await upload(store, OTHER, "hello")).status, 403);
    const uploaded = await upload(store, KEY, "hello");
    assert.equal(uploaded.headers["x-goog-upload-status"], "final");
    assert.match(uploaded.body.name, new RegExp(`^${store}/upload/operations/`));
    const mine = await file("imported");
    const path = `/v1beta/${store}:importFile`;
    assert.equal((await ask(path, { body: { fileName: (await file("x", OTHER)).name } })).status, 403);
    const imported = await ask(path, { key: SISTER, body: { fileName: mine.name } });
    for (const { body } of [uploaded, imported]) {
      await belongsToTheProject(body.name, DENIED);
      await belongsToTheProject(body.response.documentName, DENIED);
    }
    const { documents } = (await ask(`/v1beta/${store}/documents`)).body;
    assert.deepEqual(
      documents.map((/** @type {{sizeBytes: string}} */ document) => document.sizeBytes),
      ["5", "8"],
    );
    assert.equal((await ask(`/v1beta/${store}`, { method: "DELETE" })).status, 400, "not empty");
    assert.equal((await ask(`/v1beta/${store}?force=true`, { method: "DELETE" })).status, 200);
    assert.equal((await ask(`/v1beta/${uploaded.body.response.documentName}`)).status, 403);
  });
});

describe("lists", () => {
  /** @param {string} path @param {string} field @param {string} key */
  async function pages(path, field, key) {
    /** @type {string[][]} */
    const all = [];
    for (let token = ""; ; ) {
      const query = `pageSize=2${token && `&pageToken=${encodeURIComponent(token)}`}`;
      const { body } = await ask(`${path}?${query}`, { key });
      all.push((body[field] ?? []).map((/** @type {{name: string}} */ item) => item.name));
      token = body.nextPageToken;
      if (!token) return all;
    }
  }

  /** @param {string} key */
  async function tuned(key) {
    const { body } = await ask("/v1beta/tunedModels", { key, body: {} });
    return { body: { name: body.metadata.tunedModel } };
  }

  const COLLECTIONS = /** @type {[string, string, (key: string) => Promise<{body: any}>][]} */ ([
    ["/v1beta/files", "files", async (key) => ({ body: await file("x", key) })],
    ["/v1beta/cachedContents", "cachedContents", (key) => ask("/v1beta/cachedContents", { key, body: {} })],
    ["/v1beta/batches", "operations", (key) => ask(`${MODEL}:batchGenerateContent`, { key, body: {} })],
    ["/v1beta/fileSearchStores", "fileSearchStores", (key) => ask("/v1beta/fileSearchStores", { key, body: {} })],
    ["/v1beta/tunedModels", "tunedModels", (key) => tuned(key)],
  ]);
  for (const [path, field, make] of COLLECTIONS) {
    test(`${path}: in pages, each project its own, and a page's token is good for that only`, async () => {
      assert.deepEqual((await ask(path)).body, {}, "nothing yet");
      const mine = [];
      for (const key of [KEY, SISTER, KEY]) mine.push((await make(key)).body.name);
      const theirs = [];
      for (const key of [OTHER, OTHER, OTHER]) theirs.push((await make(key)).body.name);
      assert.deepEqual(await pages(path, field, SISTER), [mine.slice(0, 2), mine.slice(2)]);
      assert.deepEqual(await pages(path, field, OTHER), [theirs.slice(0, 2), theirs.slice(2)]);
      const token = encodeURIComponent((await ask(`${path}?pageSize=2`)).body.nextPageToken);
      for (const [key, other] of [
        [OTHER, path],
        [KEY, "/v1beta/models"],
      ]) {
        const refused = await ask(`${other}?pageSize=2&pageToken=${token}`, { key: String(key) });
        assert.deepEqual([refused.status, refused.body.error.status], [400, "INVALID_ARGUMENT"]);
      }
    });
  }
});

test("an upload of any size is hashed to its last byte and not kept, and a broken chunk leaves it as it was", async () => {
  const headers = { "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start" };
  const start = await ask("/upload/v1beta/files", { headers, body: { file: {} } });
  const { pathname, search } = new URL(String(start.headers["x-goog-upload-url"]));
  const chunk = Buffer.alloc(9 * 1024 * 1024, "0123456789");
  const send = (/** @type {string} */ command, /** @type {number} */ offset, /** @type {any} */ body) =>
    ask(`${pathname}${search}`, {
      headers: { "x-goog-upload-command": command, "x-goog-upload-offset": String(offset) },
      body,
    });
  await send("upload", 0, chunk);
  const broken = (async function* () {
    yield Buffer.alloc(1000, "x");
    await upstream.ledger.waitFor((entry) => entry.body.length === 1000);
    throw new Error("the client stops here");
  })();
  await assert.rejects(send("upload", chunk.length, broken), /stops here/);
  const { file: made } = (await send("upload, finalize", chunk.length, chunk)).body;
  const hash = createHash("sha256").update(chunk).update(chunk).digest("base64");
  assert.deepEqual([made.sizeBytes, made.sha256Hash], [String(2 * chunk.length), hash]);
  assert.equal((await ask(`/v1beta/${made.name}:download?alt=media`)).status, 404);
});

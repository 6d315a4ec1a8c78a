/**
 * Proves the simulated upstream before anything is proved with it: shapes, credentials, compression both ways, and that
 * the ledger tells the truth about what came and what went.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Agent } from "node:http";
import { connect, constants } from "node:http2";
import { after, before, beforeEach, describe, test } from "node:test";
import { createGunzip } from "node:zlib";
import { fetchRaw } from "../lib/fetch.mjs";
import { behave, createGate, header, startUpstream } from "./index.mjs";

const KEY = "test-key-alpha-0001";
const OTHER = "test-key-beta-0002";
const MODEL = "/v1beta/models/gemini-3.8-flash";
const asKey = (/** @type {string} */ key) => ({ "x-goog-api-key": key });
const asking = (/** @type {string} */ text) => ({ contents: [{ role: "user", parts: [{ text }] }] });

/** @type {import("./index.mjs").Running} */
let upstream;
before(async () => {
  upstream = await startUpstream();
});
after(() => upstream?.close());
beforeEach(() => {
  upstream.script.clear();
  upstream.ledger.clear();
});

/** @param {string} path @param {Parameters<typeof fetchRaw>[1]} [options] */
function ask(path, options = {}) {
  return fetchRaw(`${upstream.httpUrl}${path}`, { ...options, headers: { ...asKey(KEY), ...options.headers } });
}

describe("answers", () => {
  test("generateContent echoes the prompt, in every API version and over TLS", async () => {
    for (const version of ["v1", "v1beta", "v1alpha"]) {
      const answer = await ask(`/${version}/models/gemini-3.8-flash:generateContent`, {
        body: asking(`Hi ${version}`),
      });
      const body = await answer.json();
      assert.equal(body.candidates[0].content.parts[0].text, `echo: Hi ${version}`);
      assert.equal(body.candidates[0].finishReason, "STOP");
    }
    const secure = await fetchRaw(`${upstream.httpsUrl}/v1/models`, { headers: asKey(KEY), caFile: upstream.caFile });
    assert.equal(secure.status, 200);
    assert.equal(upstream.ledger.requests.at(-1)?.alpn, "http/1.1");
  });

  test("a stream is events, or one JSON array, and both say the same", async () => {
    const events = await (await ask(`${MODEL}:streamGenerateContent?alt=sse`, { body: asking("two ways") })).text();
    const frames = events.split("\r\n\r\n");
    assert.equal(frames.pop(), "");
    const spoken = frames.map((frame) => JSON.parse(frame.replace(/^data: /, "")));
    const array = await (await ask(`${MODEL}:streamGenerateContent`, { body: asking("two ways") })).text();
    assert.match(array, /^\[\{.*\}\n,\r\n\{.*\n\]$/s);
    assert.deepEqual(JSON.parse(array), spoken);
    assert.equal(spoken.map((chunk) => chunk.candidates[0].content.parts[0].text).join(""), "echo: two ways");
  });

  test("models come in pages, embeddings one for each request, tokens are counted", async () => {
    const first = await (await ask("/v1beta/models?pageSize=3")).json();
    const rest = await (
      await ask(`/v1beta/models?pageSize=3&pageToken=${encodeURIComponent(first.nextPageToken)}`)
    ).json();
    assert.equal(first.models.length, 3);
    assert.equal(rest.nextPageToken, undefined);
    const requests = ["one", "two"].map((text) => ({ content: { parts: [{ text }] }, outputDimensionality: 3 }));
    const embedded = await (
      await ask("/v1/models/gemini-embedding-001:batchEmbedContents", { body: { requests } })
    ).json();
    assert.deepEqual(
      embedded.embeddings.map((/** @type {{values: number[]}} */ e) => e.values.length),
      [3, 3],
    );
    assert.ok((await (await ask(`${MODEL}:countTokens`, { body: asking("Hi there") })).json()).totalTokens > 0);
  });

  test("what does not exist is a 404 in Google's shape", async () => {
    for (const path of ["/nowhere", "/v1beta/trainedModels/x", "/v1beta/models/nonsense:generateContent"]) {
      const answer = await ask(path, { body: asking("Hi") });
      assert.equal(answer.status, 404);
      assert.equal((await answer.json()).error.status, "NOT_FOUND");
    }
  });
});

describe("credentials", () => {
  test("none is 403, a bearer 401, two or one in the URL 400", async () => {
    const cases = /** @type {const} */ ([
      [{}, "", 403],
      [{ authorization: `Bearer ${KEY}` }, "", 401],
      [{ ...asKey(KEY), authorization: `Bearer ${KEY}` }, "", 400],
      [{ ...asKey(KEY), "x-api-key": KEY }, "", 400],
      [asKey(KEY), `?key=${KEY}`, 400],
      [{}, `?key=${KEY}`, 400],
      [{}, `?access_token=${KEY}`, 400],
    ]);
    for (const [headers, query, status] of cases) {
      const answer = await fetchRaw(`${upstream.httpUrl}/v1beta/models${query}`, { headers });
      assert.equal(answer.status, status, JSON.stringify(Object.keys(headers)) + query.slice(0, 5));
      assert.equal((await answer.json()).error.code, status);
    }
    assert.ok(upstream.ledger.requests.every((entry) => entry.key === null));
  });
});

describe("compression", () => {
  /** @param {"auto" | "never" | "force"} gzip @param {string} accept */
  async function encodingOf(gzip, accept) {
    upstream.script.any().once(behave.answer({ gzip }));
    const answer = await ask(`${MODEL}:generateContent`, {
      headers: { "accept-encoding": accept },
      body: asking("Hi"),
    });
    assert.equal((await answer.json()).candidates[0].content.parts[0].text, "echo: Hi");
    return answer.headers["content-encoding"];
  }

  test("follows Accept-Encoding, unless the script forces or forbids it", async () => {
    assert.equal(await encodingOf("auto", "gzip, deflate"), "gzip");
    assert.equal(await encodingOf("auto", "br;q=1, *;q=0.1"), "gzip");
    assert.equal(await encodingOf("auto", "identity"), undefined);
    assert.equal(await encodingOf("auto", "gzip;q=0"), undefined);
    assert.equal(await encodingOf("never", "gzip"), undefined);
    assert.equal(await encodingOf("force", "identity"), "gzip");
  });

  test("errors are compressed like answers", async () => {
    upstream.script.key(KEY).once(behave.overloaded());
    const answer = await ask(`${MODEL}:generateContent`, {
      headers: { "accept-encoding": "gzip" },
      body: asking("Hi"),
    });
    assert.equal(answer.headers["content-encoding"], "gzip");
    assert.equal((await answer.json()).error.status, "UNAVAILABLE");
  });

  for (const accept of ["gzip", "identity"]) {
    test(`each gated chunk can be read before the next is sent (${accept})`, async () => {
      const gate = createGate();
      upstream.script.key(KEY).once(behave.answer({ gate, text: "abcdef", pieces: 3 }));
      const headers = { "accept-encoding": accept };
      const answer = await ask(`${MODEL}:streamGenerateContent?alt=sse`, { headers, body: asking("Hi") });
      const gunzip = accept === "gzip" ? createGunzip() : null;
      let read = "";
      gunzip?.on("data", (text) => {
        read += text;
      });
      for (const [i, piece] of ["ab", "cd", "ef"].entries()) {
        await gate.next();
        const chunk = await answer.nextChunk();
        if (gunzip) await new Promise((resolve) => gunzip.write(chunk, resolve));
        else read += chunk;
        assert.equal(read.split("data: ").length - 1, i + 1);
        assert.ok(read.includes(`"text":"${piece}"`));
      }
      assert.ok(((await answer.nextChunk()) ?? Buffer.alloc(0)).length < 16, "only the end mark of gzip may follow");
      await upstream.ledger.waitFor((entry) => entry.answer.state === "finished");
    });
  }
});

describe("the ledger", () => {
  test("keeps what was sent, byte for byte", async () => {
    const body = JSON.stringify(asking("Grüße"));
    await (await ask(`${MODEL}:generateContent?alt=json&x=%2F`, { headers: { "X-Mixed-Case": "Yes" }, body })).text();
    const entry = await upstream.ledger.waitFor((e) => e.answer.state === "finished");
    assert.equal(entry.target, `${MODEL}:generateContent?alt=json&x=%2F`);
    assert.ok(entry.headers.some(([name, value]) => name === "X-Mixed-Case" && value === "Yes"));
    assert.equal(header(entry, "x-goog-api-key"), KEY);
    assert.equal(entry.body.text, body);
    assert.equal(entry.body.length, Buffer.byteLength(body));
    assert.equal(entry.body.sha256, createHash("sha256").update(body).digest("hex"));
    assert.equal(entry.answer.status, 200);
    assert.ok(entry.answer.bytes > 0);
  });

  test("tells a body that never came to its end from one that did", async () => {
    const half = (async function* () {
      yield Buffer.alloc(1000);
      await upstream.ledger.waitFor((entry) => entry.body.length === 1000);
      throw new Error("the client stops here");
    })();
    await assert.rejects(ask(`${MODEL}:generateContent`, { body: half }), /stops here/);
    upstream.dropConnections();
    const entry = await upstream.ledger.waitFor((e) => e.body.state !== "receiving");
    assert.equal(entry.body.state, "aborted");
    assert.equal(entry.answer.status, null);
  });

  test("notices a client that leaves in the middle of a stream", async () => {
    const gate = createGate();
    upstream.script.any().once(behave.answer({ gate }));
    const answer = await ask(`${MODEL}:streamGenerateContent?alt=sse`, { body: asking("Hi") });
    await gate.next();
    answer.leave();
    const entry = await upstream.ledger.waitFor((e) => e.answer.state === "client gone");
    assert.equal(entry.answer.chunks, 1);
  });

  test("notices a client that leaves over HTTP/2, where the connection stays", async () => {
    const gate = createGate();
    upstream.script.any().once(behave.answer({ gate }));
    const session = connect(upstream.httpsUrl, { rejectUnauthorized: false });
    const path = `${MODEL}:streamGenerateContent?alt=sse`;
    const stream = session.request({ ":method": "POST", ":path": path, "x-goog-api-key": "test-key-h2" });
    stream.end(JSON.stringify(asking("Hi")));
    await gate.next();
    await once(stream, "data");
    stream.close(constants.NGHTTP2_CANCEL);
    const entry = await upstream.ledger.waitFor((e) => e.answer.state === "client gone");
    assert.equal(entry.answer.chunks, 1);
    session.destroy();
    await upstream.ledger.settled((ledger) => ledger.connections.open === 0);
  });

  test("counts connections", async () => {
    await (await ask("/v1beta/models")).text();
    await upstream.ledger.settled((ledger) => ledger.connections.open === 0);
    assert.equal(upstream.ledger.connections.total, 1);
  });

  test("a connection that outlives a clear is open, but not one of those opened since", async () => {
    const agent = new Agent({ keepAlive: true });
    await (await ask("/v1beta/models", { agent })).text();
    upstream.ledger.clear();
    assert.deepEqual([upstream.ledger.connections.total, upstream.ledger.connections.open], [0, 1]);
    agent.destroy();
    await upstream.ledger.settled((ledger) => ledger.connections.open === 0);
    assert.deepEqual([upstream.ledger.connections.total, upstream.ledger.connections.list.length], [0, 1]);
  });

  test("names no key when it says what it has seen", async () => {
    await (await ask("/v1beta/models")).text();
    await assert.rejects(
      upstream.ledger.waitFor(() => false, { timeoutMs: 1 }),
      (/** @type {Error} */ error) => {
        assert.match(error.message, /GET \/v1beta\/models/);
        return !error.message.includes(KEY);
      },
    );
  });
});

describe("things that belong to a key", () => {
  test("a file goes up in chunks that carry no key, and is denied to another key", async () => {
    const start = await ask("/upload/v1beta/files", {
      headers: {
        "x-goog-upload-protocol": "resumable",
        "x-goog-upload-command": "start",
        "x-goog-upload-header-content-type": "text/plain",
      },
      body: { file: { display_name: "small" } },
    });
    const url = String(start.headers["x-goog-upload-url"]);
    assert.ok(url.startsWith(`${upstream.httpUrl}/upload/v1beta/files?upload_id=`));
    assert.equal(start.headers["x-goog-upload-status"], "active");
    const command = (/** @type {string} */ name, /** @type {number} */ offset) => ({
      "x-goog-upload-command": name,
      "x-goog-upload-offset": String(offset),
    });
    const first = await fetchRaw(url, { headers: command("upload", 0), body: "hello " });
    assert.equal(first.headers["x-goog-upload-size-received"], "6");
    assert.equal((await fetchRaw(url, { headers: command("upload", 3), body: "lo " })).status, 400, "wrong offset");
    const last = await fetchRaw(url, { headers: command("upload, finalize", 6), body: "upload" });
    assert.equal(last.headers["x-goog-upload-status"], "final");
    const { file } = await last.json();
    assert.deepEqual([file.sizeBytes, file.mimeType, file.displayName], ["12", "text/plain", "small"]);
    assert.equal(await (await ask(`/v1beta/${file.name}:download?alt=media`)).text(), "hello upload");

    const foreign = await ask(`/v1beta/${file.name}`, { headers: asKey(OTHER) });
    assert.equal(foreign.status, 403);
    const using = { contents: [{ parts: [{ fileData: { fileUri: file.uri } }, { text: "read" }] }] };
    assert.equal((await ask(`${MODEL}:generateContent`, { headers: asKey(OTHER), body: using })).status, 403);
    assert.equal((await ask(`${MODEL}:generateContent`, { body: using })).status, 200);
    assert.equal((await ask(`/v1beta/${file.name}`, { method: "DELETE" })).status, 200);
    assert.deepEqual(await (await ask("/v1beta/files")).json(), {});
  });

  test("a file goes up in one multipart request", async () => {
    const body = [
      '--b0\r\nContent-Type: application/json\r\n\r\n{"file":{"displayName":"one shot"}}',
      "\r\n--b0\r\nContent-Type: text/plain\r\n\r\nline one\r\nline two\r\n--b0--\r\n",
    ].join("");
    const headers = { "x-goog-upload-protocol": "multipart", "content-type": "multipart/related; boundary=b0" };
    const { file } = await (await ask("/upload/v1/files", { headers, body })).json();
    assert.equal(await (await ask(`/v1/${file.name}:download?alt=media`)).text(), "line one\r\nline two");
  });

  test("caches, batches and interactions live with their key", async () => {
    const cache = await (await ask("/v1beta/cachedContents", { body: { model: "models/gemini-3.8-flash" } })).json();
    const batch = await (await ask(`${MODEL}:batchGenerateContent`, { body: { batch: { displayName: "b1" } } })).json();
    const interaction = await (
      await ask("/v1beta/interactions", { body: { model: "gemini-3.8-flash", input: "Hi" } })
    ).json();
    assert.equal(interaction.outputs[0].text, "echo: Hi");
    for (const name of [cache.name, batch.name, `interactions/${interaction.id}`]) {
      assert.equal((await ask(`/v1beta/${name}`)).status, 200);
      assert.equal((await ask(`/v1beta/${name}`, { headers: asKey(OTHER) })).status, 403);
      assert.equal((await ask(`/v1beta/${name}`, { method: "DELETE" })).status, 200);
      assert.equal((await ask(`/v1beta/${name}`)).status, 403);
    }
    const streamed = await ask("/v1beta/interactions", {
      body: { model: "gemini-3.8-flash", input: "Hi", stream: true },
    });
    assert.match(await streamed.text(), /event: step\.delta\ndata: .*echo: Hi.*\n\nevent: step\.stop.*\[DONE\]\n\n$/s);
  });
});

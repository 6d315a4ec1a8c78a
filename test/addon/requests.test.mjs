/**
 * What the panel reads of requests, over real sockets: dialect, tokens, client and first byte of each in both dialects,
 * whole, streamed and compressed; pages of the log; and what the last hour adds up to.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fetchRaw } from "../lib/fetch.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { startUpstream } from "../upstream/index.mjs";
import { ALPHA, MODEL, prompt, tokenOf } from "./lib/bench.mjs";
import { Host } from "./lib/host.mjs";

const CHAT = { model: "gemini-3.8-flash", messages: [{ role: "user", content: "Hi there" }] };
const CALLS = /** @type {const} */ ([
  ["gemini", "whole", `${MODEL}:generateContent`, prompt("Hi there")],
  ["gemini", "stream", `${MODEL}:streamGenerateContent?alt=sse`, prompt("Hi there")],
  ["gemini", "array", `${MODEL}:streamGenerateContent`, prompt("Hi there")],
  ["openai", "whole", "/v1/chat/completions", CHAT],
  ["openai", "stream", "/v1/chat/completions", { ...CHAT, stream: true }],
]);

/** @type {Awaited<ReturnType<typeof startUpstream>>} */
let upstream;
/** @type {Host} */
let host;
/** @type {string} */
let url;
before(async () => {
  upstream = await startUpstream();
  host = new Host({ settings: { upstream: { baseUrl: upstream.httpUrl } }, secrets: [ALPHA] });
  url = await host.serve();
  await host.done({ kind: "add_key", key: ALPHA, name: "alpha" });
});
after(async () => {
  await host?.close();
  await upstream?.close();
});

/** @param {string} path @param {unknown} body @param {Record<string, string>} [headers] */
async function ask(path, body, headers = {}) {
  const credential = path.startsWith("/v1/")
    ? { authorization: `Bearer ${tokenOf(host)}` }
    : { "x-goog-api-key": tokenOf(host) };
  const answer = await fetchRaw(`${url}${path}`, { headers: { ...credential, ...headers }, body });
  assert.equal(answer.status, 200);
  await answer.bytes();
  const id = String(answer.headers["x-aggregator-request-id"]);
  await host.until(() => host.events().some((event) => event.request_id === id), "the request was never told");
  const request = host.snapshot().requests.find((one) => one.id === id);
  assert.ok(request);
  return request;
}

for (const encoding of ["identity", "gzip"]) {
  describe(`answers as ${encoding}`, () => {
    for (const [dialect, form, path, body] of CALLS) {
      test(`${dialect}, ${form}`, async () => {
        const agent = "google-genai-sdk/3.1.0 gl-node/v24 secret-looking-rest";
        const request = await ask(path, body, { "user-agent": agent, "accept-encoding": encoding });
        assert.equal(request.dialect, dialect);
        assert.equal(request.client, "google-genai-sdk/3.1.0");
        assert.ok(request.tokens && request.tokens.input > 0 && request.tokens.output > 0, JSON.stringify(request));
        assert.ok(request.first_byte_ms !== null && request.first_byte_ms <= request.duration_ms);
      });
    }
  });
}

test("the same question costs the same, however it is asked", async () => {
  const counts = [];
  for (const [, , path, body] of CALLS) counts.push((await ask(path, body)).tokens);
  for (const count of counts) assert.deepEqual(count, counts[0]);
});

test("a page of the log holds what fits, newest first", async () => {
  const reply = await host.command({
    kind: "list_requests",
    offset: 1,
    limit: 2,
    filter: { dialect: "openai", text: "COMPLETIONS", outcome: "all" },
  });
  assert.equal(reply.kind, "requests");
  if (reply.kind !== "requests") return;
  assert.ok(reply.total >= 15 && reply.matched >= 6 && reply.matched < reply.total, JSON.stringify(reply));
  assert.equal(reply.rows.length, 2);
  assert.ok(reply.rows.every(({ dialect, attempts }) => dialect === "openai" && attempts[0]?.key_name === "alpha"));
  assert.ok((reply.rows[0]?.at ?? 0) >= (reply.rows[1]?.at ?? 0));
});

test("the log and the hour are there after a restart", async () => {
  const folder = makeTempDir("addon-restart");
  const settings = { upstream: { baseUrl: upstream.httpUrl } };
  const before = new Host({ settings, secrets: [ALPHA], folder: folder.path, shared: true });
  const place = await before.serve();
  await before.done({ kind: "add_key", key: ALPHA, name: "alpha" });
  const headers = { "x-goog-api-key": tokenOf(before) };
  const answer = await fetchRaw(`${place}${MODEL}:generateContent`, { headers, body: prompt("Hi") });
  await answer.bytes();
  await before.close();

  const next = new Host({ settings, secrets: [ALPHA], folder: folder.path, shared: true, store: before.store });
  await next.serve();
  const { requests, overview } = next.snapshot();
  assert.deepEqual(
    requests.map(({ id }) => id),
    [answer.headers["x-aggregator-request-id"]],
  );
  assert.equal(overview.minutes[0]?.requests, 1);
  await next.close();
  folder.dispose();
});

test("the hour adds up what was asked and what it cost", () => {
  const { overview, request_count, keys } = host.snapshot();
  const sum = (/** @type {"requests" | "errors" | "tokens_in"} */ field) =>
    overview.minutes.reduce((all, minute) => all + minute[field], 0);
  assert.equal(sum("requests"), request_count);
  assert.equal(sum("errors"), 0);
  assert.ok(sum("tokens_in") > 0);
  const attempts = keys[0]?.figures.minutes.attempts ?? [];
  assert.equal(attempts.length, 30);
  assert.equal(
    attempts.reduce((all, one) => all + one, 0),
    request_count,
  );
});

test("a removed key comes back by its undo and serves", async () => {
  const before = host.snapshot().keys[0];
  const removed = await host.command({ kind: "remove_key", id: before?.id ?? "" });
  assert.ok(removed.kind === "done" && removed.undo);
  assert.equal(host.snapshot().keys.length, 0);
  await host.done({ kind: "undo_removal", undo: removed.undo });
  const after = host.snapshot().keys[0];
  assert.deepEqual([after?.id, after?.name, after?.masked_key], [before?.id, before?.name, before?.masked_key]);
  assert.equal((await ask(`${MODEL}:generateContent`, prompt("Back"))).status, 200);
});

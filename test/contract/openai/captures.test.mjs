/**
 * What OpenAI's own clients sent, replayed byte for byte with the local token where they had their key. Each is answered
 * in OpenAI's shape, whole or as events, and what arrived at the upstream is a request of Gemini's: its path, one
 * credential, and nothing of the client's headers.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { bodyOf, loadOpenAiCaptures, RECORDED } from "../../fixtures/captures.mjs";
import { behave } from "../../upstream/index.mjs";
import { ALPHA, Bench, KEYS } from "../lib/bench.mjs";
import { TOKEN } from "../lib/gateway.mjs";
import { rawRequest } from "../lib/raw.mjs";

/** All that an attempt needs, and nothing that tells of the client. */
const SENT = ["accept-encoding", "content-length", "content-type", "host", "x-goog-api-key"];

/** In the recordings calls carry a signature of the recorder's, which the simulated model did not make. */
const RECORDED_SIGNATURE = "CiQB0e2Kb3N5bnRoZXRpYy10aG91Z2h0LXNpZ25hdHVyZS0wMDAxEgQIARAB";
const SUNNY = {
  candidates: [{ content: { parts: [{ text: "Sunny." }], role: "model" }, finishReason: "STOP", index: 0 }],
  usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 2, totalTokenCount: 9 },
};

/** @typedef {import("../../fixtures/captures.mjs").RecordedRequest} RecordedRequest */
/** @typedef {import("../../upstream/ledger.mjs").Received} Received */

/** @type {Bench} */
let bench;
/** @type {import("../lib/gateway.mjs").Gateway} */
let gateway;
before(async () => {
  bench = await Bench.start();
  gateway = await bench.gateway({ keys: [KEYS.alpha] });
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

const captures = loadOpenAiCaptures();
for (const client of new Set(captures.map((capture) => capture.client))) {
  describe(client, () => {
    for (const { name, exchanges } of captures.filter((capture) => capture.client === client)) {
      test(name, async () => {
        for (const { request } of exchanges) await replay(request);
      });
    }
  });
}

test("recordings of every part of the dialect are among them", () => {
  const targets = new Set(captures.flatMap(({ exchanges }) => exchanges.map(({ request }) => request.target)));
  for (const target of ["/v1/chat/completions", "/v1beta/openai/chat/completions", "/v1/embeddings", "/v1/models"]) {
    assert.ok(targets.has(target), target);
  }
  assert.deepEqual(new Set(captures.map(({ client }) => client)).size, 3);
});

/** @param {RecordedRequest} request */
async function replay(request) {
  bench.fresh();
  const body = bodyOf(request);
  const signed = body.includes(RECORDED_SIGNATURE);
  if (signed) bench.upstream.script.any().once(behave.say({ pieces: [JSON.stringify(SUNNY)] }));
  const answer = await rawRequest(gateway, [headOf(request), body]);
  assert.equal(answer.status, 200, answer.body.toString("utf8"));
  const [received, ...more] = bench.upstream.ledger.requests;
  assert.ok(received && more.length === 0, "the upstream saw one request");
  const asked = body.length > 0 ? JSON.parse(body.toString("utf8")) : {};
  arrivedAsGeminis(received, request.target, asked);
  if (signed) assert.ok(received.body.text?.includes(`"thoughtSignature":"${RECORDED_SIGNATURE}"`));
  isOpenAis(request.target, asked, answer.body.toString("utf8"));
  const header = (/** @type {string} */ wanted) => answer.headers.find(([n]) => n.toLowerCase() === wanted)?.[1];
  assert.match(header("content-type") ?? "", asked.stream ? /^text\/event-stream/ : /^application\/json/);
  assert.equal(header("x-aggregator-key"), "alpha");
}

/** @param {RecordedRequest} request */
function headOf({ method, target, headers }) {
  const here = (/** @type {string} */ text) =>
    text.replaceAll(RECORDED.key, TOKEN).replaceAll(RECORDED.host, `127.0.0.1:${gateway.port}`);
  const lines = headers.map(([name, value]) => `${name}: ${here(value)}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** @param {Received} received @param {string} target @param {any} asked */
function arrivedAsGeminis(received, target, asked) {
  assert.deepEqual(received.credentials, [{ where: "header x-goog-api-key", value: ALPHA }]);
  assert.equal(received.path, pathFor(target, asked));
  const names = received.headers.map(([name]) => name.toLowerCase()).filter((name) => !SENT.includes(name));
  assert.deepEqual(names, [], "nothing of the client's headers goes on");
}

/** @param {string} target @param {any} asked */
function pathFor(target, { model, stream }) {
  const call = stream ? "streamGenerateContent" : "generateContent";
  if (target.endsWith("/chat/completions")) return `/v1beta/models/${model}:${call}`;
  if (target.endsWith("/embeddings")) return `/v1beta/models/${model}:batchEmbedContents`;
  if (target.endsWith("/images/generations")) return `/v1beta/models/${model}:generateContent`;
  return target.replace("/v1/", "/v1beta/");
}

/** @param {string} target @param {any} asked @param {string} text */
function isOpenAis(target, asked, text) {
  if (asked.stream) return isStream(asked, text);
  const answer = JSON.parse(text);
  if (target.endsWith("/chat/completions")) {
    assert.equal(answer.object, "chat.completion");
    assert.equal(answer.model, asked.model);
    assert.match(answer.id, /^chatcmpl-/);
    assert.equal(answer.choices[0].message.role, "assistant");
    assert.equal(answer.usage.total_tokens > 0, true);
  } else if (target.endsWith("/embeddings")) {
    assert.equal(answer.data.length, [asked.input].flat().length);
    const [{ embedding }] = answer.data;
    const base64 = asked.encoding_format === "base64";
    assert.equal(base64 ? Buffer.from(embedding, "base64").length / 4 : embedding.length, asked.dimensions ?? 4);
  } else if (target.endsWith("/images/generations")) {
    assert.match(Buffer.from(answer.data[0].b64_json, "base64").toString("latin1"), /^\x89PNG/);
  } else {
    const models = answer.object === "list" ? answer.data : [answer];
    assert.ok(models.length > 0 && models.every((/** @type {any} */ one) => one.object === "model"));
  }
}

/** @param {any} asked @param {string} text */
function isStream(asked, text) {
  const events = text.split("\n\n").filter(Boolean);
  assert.equal(events.pop(), "data: [DONE]");
  const chunks = events.map((event) => JSON.parse(event.slice("data: ".length)));
  assert.ok(chunks.every((chunk) => chunk.object === "chat.completion.chunk" && chunk.id === chunks[0].id));
  const usage = chunks.filter((chunk) => chunk.usage);
  assert.equal(usage.length, asked.stream_options?.include_usage ? 1 : 0);
  const ends = chunks.flatMap((chunk) => chunk.choices).map((choice) => choice.finish_reason);
  assert.deepEqual(ends.filter(Boolean), [asked.tool_choice?.function ? "tool_calls" : "stop"]);
}

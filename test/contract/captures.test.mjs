/**
 * What real clients sent, replayed byte for byte through the endpoint with the local token where they had their key.
 * The upstream answers as recorded. At its ledger everything but the credential and the hop-by-hop headers must have
 * arrived as recorded; at the client everything must come back as answered, addresses of uploads, files and videos
 * pointing here.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { bodyOf, loadCaptures, RECORDED } from "../fixtures/captures.mjs";
import { behave, header } from "../upstream/index.mjs";
import { ALPHA, Bench, KEYS } from "./lib/bench.mjs";
import { TOKEN } from "./lib/gateway.mjs";
import { rawRequest } from "./lib/raw.mjs";

/** Decided anew on each side of the endpoint, or not for the upstream's eyes. */
const NOT_END_TO_END = [
  ...["host", "connection", "x-goog-api-key", "authorization"],
  ...["accept-encoding", "content-length", "cookie"],
];
/** Added to the recorded answer by the simulated upstream or by HTTP itself. */
const ADDED = ["vary", "server", "date", "content-length", "content-encoding", "transfer-encoding", "connection"];

/** One attempt for each request, so that every recorded answer is seen: what is tried again is proved elsewhere. */
const ONE_KEY = { keys: [KEYS.alpha], maxAttempts: 1 };

/** Where Google's answers say that a file or video is. */
const FILE_ADDRESS = /https:\/\/generativelanguage\.googleapis\.com(\/v1(?:beta|alpha)?\/files\/)/g;

/** @typedef {import("../fixtures/captures.mjs").RecordedExchange} RecordedExchange */
/** @typedef {import("../fixtures/captures.mjs").RecordedRequest} RecordedRequest */
/** @typedef {import("./lib/gateway.mjs").Gateway} Gateway */

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

const captures = loadCaptures();
for (const client of new Set(captures.map((capture) => capture.client))) {
  describe(client, () => {
    for (const { name, exchanges } of captures.filter((capture) => capture.client === client)) {
      for (const gzip of [true, false]) {
        test(`${name}${gzip ? "" : ", without gzip"}`, async () => {
          let gateway = await bench.gateway(ONE_KEY);
          for (const [index, exchange] of exchanges.entries()) {
            // After a 429 the only key rests; what the client sent next belongs to a key that does not.
            if (index > 0 && exchanges[index - 1]?.response.status === 429) {
              await gateway.stop();
              gateway = await bench.gateway(ONE_KEY);
            }
            await replay(gateway, gzip ? exchange : withoutGzip(exchange));
          }
          await gateway.stop();
        });
      }
    }
  });
}

/** @param {RecordedExchange} exchange @returns {RecordedExchange} */
function withoutGzip({ request, response }) {
  const headers = request.headers.map(([name, value]) => {
    const kept = value.split(",").filter((coding) => coding.trim() !== "gzip");
    return /** @type {[string, string]} */ ([name, name.toLowerCase() === "accept-encoding" ? kept.join(",") : value]);
  });
  return { request: { ...request, headers }, response };
}

/** @param {Gateway} gateway @param {RecordedExchange} exchange */
async function replay(gateway, { request, response }) {
  bench.fresh();
  const body = bodyOf(request);
  const { status, headers, text } = response;
  bench.upstream.script.any().once(behave.say({ status, headers, pieces: text ? [text] : [] }));
  const answer = await rawRequest(gateway, [headOf(request, gateway), body]);
  const [received, ...more] = bench.upstream.ledger.requests;
  if (request.target.startsWith("/some/prefix/")) {
    // A base URL with a path of its own: this endpoint says that there is nothing at that path.
    assert.equal(answer.status, 404);
    assert.equal(received, undefined);
    return;
  }
  assert.ok(received && more.length === 0, `the upstream saw ${more.length + (received ? 1 : 0)} requests`);
  arrivedAsRecorded(received, request, body);
  cameBackAsAnswered(answer, response, { gateway, packed: isPacked(request, status) });
}

/** @param {RecordedRequest} request @param {Gateway} gateway */
function headOf({ method, target, headers }, gateway) {
  const here = (/** @type {string} */ text) =>
    text.replaceAll(RECORDED.key, TOKEN).replaceAll(RECORDED.host, `127.0.0.1:${gateway.port}`);
  const lines = headers.map(([name, value]) => `${name}: ${here(value)}\r\n`);
  return `${method} ${here(target)} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/**
 * @param {import("../upstream/ledger.mjs").Received} received
 * @param {RecordedRequest} request
 * @param {Buffer} body
 */
function arrivedAsRecorded(received, request, body) {
  assert.equal(received.method, request.method);
  assert.equal(received.target, withoutKey(request.target));
  assert.deepEqual(endToEnd(received.headers), endToEnd(request.headers));
  assert.deepEqual(received.credentials, [{ where: "header x-goog-api-key", value: ALPHA }]);
  assert.equal(received.body.state, "complete");
  assert.equal(received.body.length, body.length);
  assert.equal(received.body.sha256, createHash("sha256").update(body).digest("hex"));
  const announced = headerOf(request.headers, "content-length");
  if (announced !== undefined) assert.equal(header(received, "content-length"), announced);
}

/**
 * @param {import("./lib/raw.mjs").RawAnswer} answer
 * @param {RecordedExchange["response"]} response
 * @param {{gateway: Gateway, packed: boolean}} expected
 */
function cameBackAsAnswered(answer, response, { gateway, packed }) {
  assert.equal(answer.status, response.status);
  const came = lowerCased(answer.headers).filter(
    ([name = ""]) => !ADDED.includes(name) && !name.startsWith("x-aggregator-"),
  );
  const upload = /^x-goog-upload-(control-)?url$/;
  const expected = lowerCased(response.headers).map(([name = "", value = ""]) =>
    upload.test(name) ? [name, `${gateway.url}${new URL(value).pathname}${new URL(value).search}`] : [name, value],
  );
  assert.deepEqual(came.sort(), expected.filter(([name = ""]) => !ADDED.includes(name)).sort());
  assert.equal(headerOf(answer.headers, "x-aggregator-attempts"), "1");
  const coding = response.text ? headerOf(answer.headers, "content-encoding") : undefined;
  assert.equal(coding, packed && response.text ? "gzip" : undefined);
  const body = coding === "gzip" ? gunzipSync(answer.body) : answer.body;
  const expectedText = (response.text ?? "").replaceAll(FILE_ADDRESS, (_, path) => `${gateway.url}${path}`);
  assert.equal(body.toString("utf8"), expectedText);
}

/**
 * Packed are answers that nothing here has to read: neither streams nor errors, nor those that name resources, which
 * are all but a model's own.
 * @param {RecordedRequest} request @param {number} status
 */
function isPacked({ target, headers }, status) {
  const allowed = (headerOf(headers, "accept-encoding") ?? "").split(",").some((coding) => coding.trim() === "gzip");
  const [path = ""] = target.split("?");
  const ofModel = /^\/v1(beta)?\/models(\/[^/:]+)?(:(generateContent|countTokens|embedContent|batchEmbedContents))?$/;
  return allowed && status < 400 && (ofModel.test(path) || path.endsWith(":download"));
}

/** @param {string} target */
function withoutKey(target) {
  const [path = "", query = ""] = target.split("?");
  const kept = query.split("&").filter((part) => part && !part.startsWith("key="));
  return kept.length > 0 ? `${path}?${kept.join("&")}` : path;
}

/** @param {[string, string][]} headers */
function endToEnd(headers) {
  return lowerCased(headers)
    .filter(([name = ""]) => !NOT_END_TO_END.includes(name))
    .sort();
}

/** @param {[string, string][]} headers @returns {string[][]} */
function lowerCased(headers) {
  return headers.map(([name, value]) => [name.toLowerCase(), value]);
}

/** @param {[string, string][]} headers @param {string} wanted */
function headerOf(headers, wanted) {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
}

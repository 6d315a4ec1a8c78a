/**
 * Proves the script of the simulated upstream: which rule meets which request, and that every kind of failure looks on
 * the wire as it does at Google's.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { after, before, beforeEach, describe, test } from "node:test";
import { fetchRaw } from "../lib/fetch.mjs";
import { behave, createGate, startUpstream } from "./index.mjs";

const KEY = "test-key-alpha-0001";
const OTHER = "test-key-beta-0002";
const MODEL = "/v1beta/models/gemini-3.8-flash";
const HI = { contents: [{ parts: [{ text: "Hi" }] }] };

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

/** @param {{key?: string, call?: string, headers?: Record<string, string>, timeoutMs?: number}} [options] */
function ask({ key = KEY, call = "generateContent", headers = {}, timeoutMs } = {}) {
  const all = { "x-goog-api-key": key, ...headers };
  return fetchRaw(`${upstream.httpUrl}${MODEL}:${call}`, { headers: all, body: HI, timeoutMs });
}

/** @param {import("./behaviour.mjs").Behaviour} behaviour */
async function errorFor(behaviour) {
  upstream.script.key(KEY).once(behaviour);
  const answer = await ask();
  return { http: answer.status, ...(await answer.json()).error };
}

describe("the script", () => {
  test("gives one key trouble and leaves the other alone", async () => {
    upstream.script.key(KEY).always(behave.quotaPerMinute());
    assert.equal((await ask()).status, 429);
    assert.equal((await ask({ key: OTHER })).status, 200);
    assert.equal((await ask()).status, 429);
  });

  test("uses counted rules up in order, then the standing one, the latest of those", async () => {
    upstream.script.key(KEY).always(behave.internal()).times(2, behave.overloaded()).once(behave.quotaPerDay());
    const statuses = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await ask()).status);
    assert.deepEqual(statuses, [503, 503, 429, 500]);
    upstream.script.key(KEY).always(behave.answer());
    assert.equal((await ask()).status, 200);
  });

  test("leaves unauthenticated probes alone unless a rule recognises them", async () => {
    upstream.script.any().once(behave.overloaded());
    assert.equal((await fetchRaw(`${upstream.httpUrl}/v1beta/models`)).status, 403);
    assert.equal((await ask()).status, 503);
    upstream.script.when((request) => request.path === "/v1beta/models").once(behave.htmlPage());
    const page = await fetchRaw(`${upstream.httpUrl}/v1beta/models`);
    assert.equal(page.status, 502);
    assert.match(await page.text(), /^<!DOCTYPE html>/);
  });
});

describe("refusals", () => {
  test("quotas name what was exceeded; only some say when to come back", async () => {
    const minute = await errorFor(behave.quotaPerMinute({ retryDelay: "25.5s", limit: 5 }));
    assert.equal(minute.http, 429);
    const details = Object.fromEntries(minute.details.map((/** @type {any} */ d) => [d["@type"].split(".").at(-1), d]));
    assert.equal(details.RetryInfo.retryDelay, "25.5s");
    assert.equal(details.QuotaFailure.violations[0].quotaId, "GenerateRequestsPerMinutePerProjectPerModel-FreeTier");
    assert.equal(details.QuotaFailure.violations[0].quotaDimensions.model, "gemini-3.8-flash");
    const day = await errorFor(behave.quotaPerDay());
    assert.match(JSON.stringify(day.details), /PerDay.*RetryInfo/);
    const bare = await errorFor(behave.quotaWithoutDetails({ retryIn: "12.5s" }));
    assert.equal(bare.details, undefined);
    assert.match(bare.message, /Please retry in 12\.5s/);
  });

  test("each fault has the status and the reason that tell it apart", async () => {
    const table = /** @type {[import("./behaviour.mjs").Behaviour, number, string, RegExp][]} */ ([
      [behave.invalidKey(), 400, "INVALID_ARGUMENT", /API_KEY_INVALID/],
      [behave.unauthenticated(), 401, "UNAUTHENTICATED", /ACCESS_TOKEN_TYPE_UNSUPPORTED/],
      [behave.leakedKey(), 403, "PERMISSION_DENIED", /reported as leaked/],
      [behave.serviceDisabled(), 403, "PERMISSION_DENIED", /SERVICE_DISABLED/],
      [behave.locationNotSupported(), 400, "FAILED_PRECONDITION", /location is not supported/],
      [behave.badRequest(), 400, "INVALID_ARGUMENT", /Invalid JSON payload/],
      [behave.modelNotFound(), 404, "NOT_FOUND", /gemini-3\.8-flash is not found/],
      [behave.internal(), 500, "INTERNAL", /internal error/],
      [behave.overloaded(), 503, "UNAVAILABLE", /overloaded/],
    ]);
    for (const [behaviour, http, status, words] of table) {
      const error = await errorFor(behaviour);
      assert.deepEqual([error.http, error.code, error.status], [http, http, status]);
      assert.match(JSON.stringify(error), words);
    }
  });

  test("some errors name the whole key that was sent", async () => {
    const suspended = await errorFor(behave.suspendedKey());
    assert.ok(suspended.message.includes(`'api_key:${KEY}'`));
    assert.equal(suspended.details[0].metadata.containerInfo, `api_key:${KEY}`);
    assert.ok((await errorFor(behave.errorNamingTheKey())).message.includes(KEY));
  });
});

describe("broken connections", () => {
  test("a reset comes before any answer, over TLS and HTTP/2 too", async () => {
    upstream.script.key(KEY).times(3, behave.reset());
    await assert.rejects(ask(), { code: "ECONNRESET" });
    const options = { headers: { "x-goog-api-key": KEY }, body: HI, caFile: upstream.caFile };
    await assert.rejects(fetchRaw(`${upstream.httpsUrl}${MODEL}:generateContent`, options), { code: "ECONNRESET" });
    const session = connectHttp2(upstream.httpsUrl, { ca: readFileSync(upstream.caFile) });
    const failed = new Promise((resolve) => session.once("error", resolve));
    const stream = session.request({ ":method": "GET", ":path": "/v1beta/models", "x-goog-api-key": KEY });
    stream.on("error", () => {});
    assert.equal(/** @type {NodeJS.ErrnoException} */ (await failed).code, "ECONNRESET");
    assert.deepEqual(
      upstream.ledger.requests.map((entry) => [entry.answer.state, entry.alpn]),
      [
        ["reset", null],
        ["reset", "http/1.1"],
        ["reset", "h2"],
      ],
    );
  });

  test("an answer breaks off after the byte it was told", async () => {
    for (const accept of ["identity", "gzip"]) {
      upstream.script.key(KEY).once(behave.answer({ cutAfterBytes: 100 }));
      const answer = await ask({ call: "streamGenerateContent?alt=sse", headers: { "accept-encoding": accept } });
      assert.equal(answer.status, 200);
      let got = 0;
      await assert.rejects(async () => {
        for (let chunk = await answer.nextChunk(); chunk; chunk = await answer.nextChunk()) got += chunk.length;
      });
      assert.equal(got, 100);
      assert.equal(upstream.ledger.requests.at(-1)?.answer.state, "cut");
    }
  });

  test("a cut at byte 0 leaves a status line and nothing else; hanging up leaves not even that", async () => {
    upstream.script
      .key(KEY)
      .once(behave.answer({ cutAfterBytes: 0 }))
      .once(behave.hangUp());
    const answer = await ask();
    assert.equal(answer.status, 200);
    await assert.rejects(answer.bytes());
    await assert.rejects(ask());
  });

  test("silence lasts until the client gives up", async () => {
    upstream.script.key(KEY).once(behave.silence());
    await assert.rejects(ask({ timeoutMs: 50 }), /no answer came/);
    assert.equal(upstream.ledger.requests.at(-1)?.answer.status, null);
  });
});

describe("time", () => {
  test("the status line waits at the gate when it is told to", async () => {
    const gate = createGate();
    upstream.script.key(KEY).once(behave.answer({ gate, gateHeaders: true }));
    const asked = ask();
    await upstream.ledger.waitFor((entry) => entry.body.state === "complete");
    assert.equal(upstream.ledger.requests[0]?.answer.status, null);
    await gate.next();
    const answer = await asked;
    await gate.next();
    assert.match(await answer.text(), /echo: Hi/);
  });

  test("an open gate holds nothing back, and a gate without a stream says so", async () => {
    const gate = createGate();
    gate.open();
    upstream.script.key(KEY).once(behave.answer({ gate, pieces: 5 }));
    const text = await (await ask({ call: "streamGenerateContent?alt=sse" })).text();
    assert.equal(text.split("data: ").length, 6);
    await assert.rejects(createGate().next({ timeoutMs: 10 }), /no chunk was waiting/);
  });

  test("spaced chunks arrive one by one", async () => {
    upstream.script.key(KEY).once(behave.answer({ spacingMs: 20, pieces: 3, headerDelayMs: 20 }));
    const answer = await ask({ call: "streamGenerateContent?alt=sse" });
    for (let i = 0; i < 3; i += 1) assert.equal(String(await answer.nextChunk()).split("data: ").length, 2);
    assert.equal(await answer.nextChunk(), null);
  });
});

describe("streams that end in an error", () => {
  test("as an event, as bare JSON, or as the last element of the array", async () => {
    upstream.script.key(KEY).once(behave.streamEndingInError("data"));
    const event = await (await ask({ call: "streamGenerateContent?alt=sse" })).text();
    assert.match(event, /^data: \{"candidates".*\r\n\r\ndata: \{"error":\{"code":503.*\r\n\r\n$/s);
    upstream.script.key(KEY).once(behave.streamEndingInError("bare"));
    const bare = await (await ask({ call: "streamGenerateContent?alt=sse" })).text();
    assert.match(bare, /\r\n\r\n\{\n {2}"error": \{.*\}\n$/s);
    upstream.script.key(KEY).once(behave.streamEndingInError("data"));
    const array = await (await ask({ call: "streamGenerateContent" })).json();
    assert.equal(array.at(-1).error.status, "UNAVAILABLE");
  });
});

test("a recorded answer is given back word for word", async () => {
  const headers = /** @type {[string, string][]} */ ([
    ["Content-Type", "text/event-stream"],
    ["X-Odd", "1"],
  ]);
  upstream.script.key(KEY).once(behave.say({ status: 200, headers, pieces: ["data: a\r\n\r\n", "data: b\r\n\r\n"] }));
  const answer = await ask({ headers: { "accept-encoding": "identity" } });
  assert.equal(answer.headers["x-odd"], "1");
  assert.equal(await answer.text(), "data: a\r\n\r\ndata: b\r\n\r\n");
});

test("a refusal need not wait for the body", async () => {
  upstream.script.key(KEY).once(behave.quotaPerMinute({ beforeBody: true }));
  let release = () => {};
  const held = new Promise((resolve) => {
    release = () => resolve(undefined);
  });
  const endless = (async function* () {
    yield Buffer.from("{");
    await held;
    yield Buffer.from("}");
  })();
  const headers = { "x-goog-api-key": KEY };
  const answered = fetchRaw(`${upstream.httpUrl}${MODEL}:generateContent`, { headers, body: endless });
  const entry = await upstream.ledger.waitFor((e) => e.answer.status === 429);
  assert.equal(entry.body.state, "receiving");
  release();
  assert.equal((await answered).status, 429);
});

/**
 * What goes wrong comes out of OpenAI's own clients as the error that their users know, with the status, type, code and
 * parameter that OpenAI would give; what another key or a second try can put right never reaches them. A stream that
 * fails ends in an error, never in silence.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { behave } from "../../upstream/index.mjs";
import { ALPHA, Bench, KEYS } from "../lib/bench.mjs";
import { TOKEN } from "../lib/gateway.mjs";
import { ask, CLIENTS } from "../lib/openai-clients.mjs";

const HI = "echo: Hi";
const OVERLOADED = /The model is overloaded/;

/**
 * What each call gives with whichever client: `message` is a pattern, any other field as it is.
 * @type {Record<string, Record<string, unknown>>}
 */
const EXPECTED = {
  wrongToken: { kind: "AuthenticationError", status: 401, code: "invalid_api_key", message: /local token/ },
  unfit: { kind: "BadRequestError", status: 400, param: "logit_bias", marked: true, message: /`logit_bias` cannot/ },
  unfitInside: { kind: "BadRequestError", status: 400, param: "messages[0].content[0].image_url.url" },
  badName: { kind: "BadRequestError", status: 400, param: "model", type: "invalid_request_error" },
  unknownModel: { kind: "NotFoundError", status: 404, code: "model_not_found", message: /models\/nonsense/ },
  refusedThere: { kind: "BadRequestError", status: 400, code: "invalid_argument", message: /contentz/ },
  busyKey: { text: HI, attempts: "2", key: "beta" },
  busy: { kind: "RateLimitError", status: 429, code: "rate_limit_exceeded", type: "rate_limit_error", marked: true },
  busyRetried: { text: HI, attempts: "1" },
  usedUp: { kind: "RateLimitError", status: 429, marked: true, message: /Daily quota used up/ },
  overloadedOnce: { text: HI, attempts: "2" },
  overloaded: { kind: "InternalServerError", status: 503, code: "unavailable", message: OVERLOADED },
  withheld: { kind: "InternalServerError", status: 502, code: "malformed_function_call", type: "server_error" },
  errorInStream: { text: HI, kind: "APIError", code: "unavailable", message: OVERLOADED },
  bareErrorInStream: { text: HI, kind: "APIError", code: "unavailable", message: OVERLOADED },
  errorAtOnce: { text: "", kind: "APIError", code: "unavailable", message: OVERLOADED },
  endsEarly: { text: "the beginning", kind: "APIError", code: "incomplete_answer" },
  brokenOff: { kind: "APIError", message: /incomplete.*broke/ },
  refusedStream: { kind: "BadRequestError", status: 400, code: "invalid_argument" },
};

const GAVE_UP = { candidates: [{ content: {}, finishReason: "MALFORMED_FUNCTION_CALL", index: 0 }] };
const BEGINNING = { candidates: [{ content: { parts: [{ text: "the beginning" }], role: "model" }, index: 0 }] };

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());

/** @param {string} model */
const asking = (model) =>
  bench.upstream.script.when(({ key, path }) => key !== null && path.includes(`/models/${model}:`));

/** Each model misbehaves in its own way. */
function misbehave() {
  bench.fresh();
  const { script } = bench.upstream;
  const wait = behave.quotaPerMinute({ retryDelay: "2s" });
  asking("gemini-refused").always(behave.badRequest());
  script.when(({ key, path }) => key === ALPHA && path.includes("/gemini-busy-key:")).once(wait);
  asking("gemini-busy").always(behave.quotaPerMinute());
  asking("gemini-busy-retried").times(2, wait);
  asking("gemini-used-up").always(behave.quotaPerDay());
  asking("gemini-overloaded-once").once(behave.overloaded());
  asking("gemini-overloaded").always(behave.overloaded());
  asking("gemini-withheld").always(behave.say({ pieces: [JSON.stringify(GAVE_UP)] }));
  asking("gemini-error-in-stream").always(behave.streamEndingInError("data"));
  asking("gemini-bare-error-in-stream").always(behave.streamEndingInError("bare"));
  asking("gemini-error-at-once").always(
    says([JSON.stringify(behave.googleError(503, "UNAVAILABLE", "The model is overloaded."))]),
  );
  asking("gemini-ends-early").always(says([JSON.stringify(BEGINNING)]));
  asking("gemini-broken-off").always(behave.answer({ cutAfterBytes: 300 }));
}

/** Events, word for word. @param {string[]} events */
function says(events) {
  const pieces = events.map((event) => `data: ${event}\r\n\r\n`);
  return behave.say({ headers: [["Content-Type", "text/event-stream"]], pieces });
}

for (const client of CLIENTS) {
  describe(client.name, () => {
    /** @type {import("../lib/openai-clients.mjs").Results} */
    let results;
    /** @type {import("../lib/gateway.mjs").Gateway} */
    let gateway;
    before(async () => {
      gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta], keySelection: "fill_first" });
      misbehave();
      results = await ask(client, gateway, { theme: "failures", calls: Object.keys(EXPECTED) });
    });
    after(() => gateway?.stop());

    for (const [call, { message, ...value }] of Object.entries(EXPECTED)) {
      test(call, () => {
        const result = results[call];
        assert.equal(result.failed, undefined);
        const seen = Object.fromEntries(Object.keys(value).map((name) => [name, result[name]]));
        assert.deepEqual(seen, value, JSON.stringify(result));
        if (message instanceof RegExp) assert.match(result.message, message);
      });
    }

    test("the wait that Google asks for is waited, and then the client is served", () => {
      const { seconds } = results.busyRetried;
      assert.ok(seconds >= 1.9 && seconds < 6, `${seconds} s`);
      assert.match(results.busy.message, /quota|resting/);
    });

    test("refused here, nothing goes to the upstream; refused there, nothing is asked again", () => {
      const { requests } = bench.upstream.ledger;
      const of = (/** @type {string} */ model) => requests.filter(({ path }) => path.includes(`/models/${model}:`));
      assert.deepEqual([of("gemini-3.8-flash").length, of("a").length], [0, 0]);
      assert.equal(of("gemini-refused").length, 2, "once whole, once as a stream");
    });
  });
}

test("a stream that fails has no [DONE]", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
  misbehave();
  for (const model of ["error-in-stream", "bare-error-in-stream", "error-at-once", "ends-early", "broken-off"]) {
    const body = { model: `gemini-${model}`, messages: [{ role: "user", content: "Hi" }], stream: true };
    const answer = await gateway.ask("/v1/chat/completions", { body });
    const text = await answer.text();
    const [last = ""] = text.split("\n\n").filter(Boolean).slice(-1);
    const { error } = JSON.parse(last.slice("data: ".length));
    assert.ok(error.message && error.type && error.code, last);
    assert.ok(!text.includes("[DONE]"), model);
  }
  await gateway.stop();
});

test("an error without words gets some, and every answer says its request's id where OpenAI's clients look", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha], maxAttempts: 1 });
  const ask = (/** @type {object} */ body) =>
    gateway.ask("/v1/chat/completions", { token: null, headers: { authorization: `Bearer ${TOKEN}` }, body });
  bench.upstream.script.key(ALPHA).once(behave.htmlPage());
  const messages = [{ role: "user", content: "Hi" }];
  for (const [body, status, words] of [
    [{ model: "gemini-3.8-flash", messages }, 502, /status 502 .* try again/],
    [{ model: "gemini-3.8-flash", messages: [] }, 400, /send one with some content/],
  ]) {
    const answer = await ask(body);
    assert.equal(answer.status, status);
    assert.match((await answer.json()).error.message, words);
    assert.equal(answer.headers["x-request-id"], answer.id);
  }
  await gateway.stop();
});

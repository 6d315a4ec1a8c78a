/**
 * What is learned from answers and blotted out of them, with and without compression: as the client allows it, as the
 * upstream forces it. A quota's delay is learned, a key never comes back in an error, a stream that ends in an error
 * is known for what it was. The canary of every gateway here looks into packed bytes too.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { behave, header } from "../upstream/index.mjs";
import { ALPHA, Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";

const GENERATE = `${MODEL}:generateContent`;
const BLOT = "***************0001";

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @typedef {{name: string, headers: Record<string, string>, gzip: "auto" | "force"}} Mode */
/** @type {Mode[]} */
const MODES = [
  { name: "the client takes gzip", headers: { "accept-encoding": "gzip, deflate, br" }, gzip: "auto" },
  { name: "the client says nothing", headers: {}, gzip: "auto" },
  { name: "the client takes identity only", headers: { "accept-encoding": "identity" }, gzip: "auto" },
  {
    name: "the upstream packs in any case, the client takes it",
    headers: { "accept-encoding": "gzip" },
    gzip: "force",
  },
  { name: "the upstream packs in any case, the client never asked", headers: {}, gzip: "force" },
];

/** Two keys, alpha always before beta. */
function twoKeys() {
  return bench.gateway({ keys: [KEYS.alpha, KEYS.beta], keySelection: "fill_first" });
}

/** @param {import("./lib/gateway.mjs").Gateway} gateway @param {Mode} mode @param {string} [path] */
function ask(gateway, mode, path = GENERATE) {
  return gateway.ask(path, { headers: mode.headers, body: prompt("Hi") });
}

/** The first key rests, for the time that the upstream said. @param {import("./lib/gateway.mjs").Gateway} gateway @param {number} seconds */
async function alphaRests(gateway, seconds) {
  const next = await gateway.ask(GENERATE, { body: prompt("Hi") });
  assert.deepEqual([next.status, next.headers["x-aggregator-key"]], [200, "beta"]);
  assert.equal(next.headers["x-aggregator-attempts"], "1");
  const pinned = await gateway.ask(GENERATE, { headers: { "x-aggregator-key": "alpha" }, body: prompt("Hi") });
  assert.equal(pinned.status, 429);
  const after = Number(pinned.headers["retry-after"]);
  assert.ok(after <= seconds && after > seconds - 10, `Retry-After is ${after}, the upstream said ${seconds}`);
}

for (const mode of MODES) {
  describe(mode.name, () => {
    test("the delay of a 429 is learned", async () => {
      const gateway = await twoKeys();
      bench.upstream.script.key(ALPHA).always(behave.quotaPerMinute({ retryDelay: "47s", gzip: mode.gzip }));
      const answer = await ask(gateway, mode);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["x-aggregator-attempts"], "2");
      await alphaRests(gateway, 47);
    });

    test("a suspended key is disabled, and its text comes back in no part of the error", async () => {
      const gateway = await bench.gateway({ keys: [KEYS.alpha] });
      bench.upstream.script.key(ALPHA).once(behave.suspendedKey({ gzip: mode.gzip }));
      const answer = await ask(gateway, mode);
      assert.equal(answer.status, 403);
      const { error } = await answer.json();
      assert.equal(error.message, `Permission denied: Consumer 'api_key:${BLOT}' has been suspended.`);
      assert.equal(error.details[0].metadata.containerInfo, `api_key:${BLOT}`);
      const next = await ask(gateway, mode);
      assert.equal(next.status, 503);
      assert.match((await next.json()).error.message, /alpha: disabled, Google refused it/);
      await gateway.stop();
    });

    test("a caller's error that names the key passes without it", async () => {
      const gateway = await bench.gateway({ keys: [KEYS.alpha] });
      for (const path of [GENERATE, `${MODEL}:streamGenerateContent?alt=sse`, "/v1beta/cachedContents"]) {
        bench.upstream.script.key(ALPHA).once(behave.errorNamingTheKey({ gzip: mode.gzip }));
        const answer = await ask(gateway, mode, path);
        assert.deepEqual([answer.status, answer.headers["x-aggregator-attempts"]], [400, "1"]);
        assert.equal((await answer.json()).error.message, `Request contains an invalid argument for key ${BLOT}.`);
      }
      const headers = /** @type {[string, string][]} */ ([
        ["X-Note", `key=${ALPHA}`],
        ["Content-Type", "text/plain"],
      ]);
      bench.upstream.script.key(ALPHA).once(behave.say({ headers, pieces: ["fine"], gzip: mode.gzip }));
      const noted = await ask(gateway, mode);
      assert.equal(noted.headers["x-note"], `key=${BLOT}`);
      await gateway.stop();
    });

    for (const [form, as, query] of /** @type {[string, "data" | "bare", string][]} */ ([
      ["an event", "data", "?alt=sse"],
      ["bare JSON", "bare", "?alt=sse"],
      ["the array's last element", "data", ""],
    ])) {
      test(`a stream that ends in an error as ${form} is known for it, and the key in it is blotted out`, async () => {
        const gateway = await twoKeys();
        const message = `Quota exceeded for key ${ALPHA}. Please retry in 52s.`;
        const ending = behave.answer({ pieces: 2, endingError: { as, code: 429, message }, gzip: mode.gzip });
        bench.upstream.script.key(ALPHA).once(ending);
        const answer = await ask(gateway, mode, `${MODEL}:streamGenerateContent${query}`);
        assert.equal(answer.status, 200);
        const text = await answer.text();
        assert.match(text, /echo/);
        assert.ok(text.includes(`Quota exceeded for key ${BLOT}.`), text);
        assert.match(await gateway.logged(answer), /\[alpha → direct → 200 \(.+\)\]/);
        assert.equal(bench.upstream.ledger.requests.length, 1, "nothing is tried again after the first byte");
        await alphaRests(gateway, 52);
        await gateway.stop();
      });
    }

    test("a key cut in two by the chunks of a stream is blotted out", async () => {
      const gateway = await bench.gateway({ keys: [KEYS.alpha] });
      const headers = /** @type {[string, string][]} */ ([["Content-Type", "text/event-stream"]]);
      const pieces = [`data: {"a":"${ALPHA.slice(0, 9)}`, `${ALPHA.slice(9)}"}\r\n\r\n`, "data: {}\r\n\r\n"];
      bench.upstream.script.key(ALPHA).once(behave.say({ headers, pieces, gzip: mode.gzip }));
      const answer = await ask(gateway, mode, `${MODEL}:streamGenerateContent?alt=sse`);
      assert.equal(await answer.text(), `data: {"a":"${BLOT}"}\r\n\r\ndata: {}\r\n\r\n`);
      await gateway.stop();
    });
  });
}

describe("an ordinary answer", () => {
  test("stays packed on its way when the client takes it", async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha] });
    const packed = await gateway.ask(GENERATE, { headers: { "accept-encoding": "gzip" }, body: prompt("Hi") });
    assert.equal(packed.headers["content-encoding"], "gzip");
    assert.equal((await packed.json()).candidates[0].content.parts[0].text, "echo: Hi");
    assert.equal(bench.upstream.ledger.requests[0]?.answer.bytes, await wireBytes(gateway));
  });

  test("comes plain to a client that does not, whatever else it names", async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha] });
    for (const accept of ["identity", "br", "gzip;q=0", "deflate, gzip; q=0", ""]) {
      bench.fresh();
      const answer = await gateway.ask(GENERATE, { headers: { "accept-encoding": accept }, body: prompt("Hi") });
      assert.equal(answer.headers["content-encoding"], undefined, accept);
      assert.equal((await answer.json()).candidates[0].content.parts[0].text, "echo: Hi");
      const [received] = bench.upstream.ledger.requests;
      assert.equal(received && header(received, "accept-encoding"), "identity");
    }
  });
});

/** The same request once more, counted as it comes. @param {import("./lib/gateway.mjs").Gateway} gateway */
async function wireBytes(gateway) {
  const again = await gateway.ask(GENERATE, { headers: { "accept-encoding": "gzip" }, body: prompt("Hi") });
  return (await again.bytes()).length;
}

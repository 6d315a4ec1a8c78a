/**
 * One key fails, another serves: what is tried again, on which key, and what never is. The log names the key and proxy
 * of every attempt, the ledger shows how often the upstream was really asked. Keys are taken in the order entered
 * (fill_first), so that each test knows whose turn it is.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { pollUntil } from "../lib/wait.mjs";
import { startDanted } from "../proxies/index.mjs";
import { behave, createGate, header } from "../upstream/index.mjs";
import { ALPHA, BETA, Bench, inHalves, KEYS, MODEL, prompt } from "./lib/bench.mjs";

const GENERATE = `${MODEL}:generateContent`;
const ORDERED = { keySelection: "fill_first" };

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @typedef {import("./lib/gateway.mjs").Gateway} Gateway */

/** Alpha, then beta. @param {object} [more] @param {{baseUrl?: string}} [options] @returns {Promise<Gateway>} */
function twoKeys(more = {}, options) {
  return bench.gateway({ keys: [KEYS.alpha, KEYS.beta], ...ORDERED, ...more }, options);
}

/** @param {Gateway} gateway @param {string} [key] that must serve */
function ask(gateway, key) {
  return gateway.ask(GENERATE, { headers: key ? { "x-aggregator-key": key } : {}, body: prompt("Hi") });
}

/** @param {string | null} key */
function askedWith(key) {
  return bench.upstream.ledger.requests.filter((entry) => entry.key === key).length;
}

describe("a key whose quota is used up", () => {
  test("another serves; the log shows both attempts with key and proxy", async () => {
    const east = await bench.proxy(startDanted());
    const west = await bench.proxy(startDanted());
    const gateway = await bench.gateway({
      keys: [
        { ...KEYS.alpha, proxy: "east" },
        { ...KEYS.beta, proxy: "west" },
      ],
      proxies: [
        { name: "east", url: east.url },
        { name: "west", url: west.url },
      ],
      ...ORDERED,
    });
    bench.upstream.script.key(ALPHA).always(behave.quotaPerMinute());
    const answer = await ask(gateway);
    assert.equal(answer.status, 200);
    assert.deepEqual([answer.headers["x-aggregator-key"], answer.headers["x-aggregator-proxy"]], ["beta", "west"]);
    assert.equal(answer.headers["x-aggregator-attempts"], "2");
    assert.match(
      await gateway.logged(answer),
      /generateContent 200 \d+ ms \[alpha → east → 429 \(.+\), beta → west → 200\]$/,
    );
  });

  test("rests for as long as the upstream said, and nobody waits for it", async () => {
    const gateway = await twoKeys();
    bench.upstream.script.key(ALPHA).always(behave.quotaPerMinute({ retryDelay: "47s" }));
    for (let i = 0; i < 5; i += 1) assert.equal((await ask(gateway)).status, 200);
    assert.deepEqual([askedWith(ALPHA), askedWith(BETA)], [1, 5]);
    const pinned = await ask(gateway, "alpha");
    assert.equal(pinned.status, 429);
    const seconds = Number(pinned.headers["retry-after"]);
    assert.ok(seconds > 40 && seconds <= 47, `Retry-After: ${seconds}`);
    const { error } = await pinned.json();
    assert.deepEqual([error.code, error.status], [429, "RESOURCE_EXHAUSTED"]);
    assert.match(error.message, /alpha: resting for 4\d s/);
    assert.equal(askedWith(ALPHA), 1, "a resting key is not asked");
  });

  test("rests as the words alone say, and for its own cooldown when nothing is said", async () => {
    const keys = [{ ...KEYS.alpha, cooldownSeconds: 300 }, KEYS.beta];
    for (const [behaviour, seconds] of /** @type {[import("../upstream/behaviour.mjs").Behaviour, number][]} */ ([
      [behave.quotaWithoutDetails({ retryIn: "75.5s" }), 76],
      [behave.quotaWithoutDetails(), 300],
    ])) {
      bench.fresh();
      const gateway = await twoKeys({ keys });
      bench.upstream.script.key(ALPHA).once(behaviour);
      assert.equal((await ask(gateway)).headers["x-aggregator-key"], "beta");
      const left = Number((await ask(gateway, "alpha")).headers["retry-after"]);
      assert.ok(left <= seconds && left > seconds - 10, `Retry-After: ${left}`);
    }
  });

  test("serves again when its time is over", async () => {
    const gateway = await twoKeys();
    bench.upstream.script.key(ALPHA).once(behave.quotaPerMinute({ retryDelay: "0.3s" }));
    assert.equal((await ask(gateway)).headers["x-aggregator-key"], "beta");
    // A cooldown announces its end to nobody.
    await pollUntil(async () => (await ask(gateway, "alpha")).status === 200, { what: "alpha never came back" });
  });
});

describe("a key that the upstream refuses", () => {
  /** @type {[string, import("../upstream/behaviour.mjs").Behaviour][]} */
  const refusals = [
    ["invalid", behave.invalidKey()],
    ["unauthenticated", behave.unauthenticated()],
    ["reported as leaked", behave.leakedKey()],
    ["suspended", behave.suspendedKey()],
    ["without the service", behave.serviceDisabled()],
  ];
  for (const [name, behaviour] of refusals) {
    test(`${name}: is disabled, and another serves`, async () => {
      const gateway = await twoKeys();
      bench.upstream.script.key(ALPHA).always(behaviour);
      for (let i = 0; i < 3; i += 1) assert.equal((await ask(gateway)).status, 200);
      assert.equal(askedWith(ALPHA), 1);
      const pinned = await ask(gateway, "alpha");
      assert.equal(pinned.status, 503);
      assert.match((await pinned.json()).error.message, /alpha: disabled, Google refused it/);
      assert.match(await gateway.event("key.disabled"), /^Key "alpha" was refused by Google and is disabled: /);
      await gateway.stop();
    });
  }
});

describe("an upstream in trouble", () => {
  /** @type {[string, import("../upstream/behaviour.mjs").Behaviour, RegExp][]} */
  const troubles = [
    ["503", behave.overloaded(), /alpha → direct → 503 \(.+\), beta/],
    ["500", behave.internal(), /alpha → direct → 500 \(.+\), beta/],
    ["an HTML page", behave.htmlPage({ status: 502 }), /alpha → direct → 502 \(.+\), beta/],
    ["a reset", behave.reset(), /alpha → direct → no answer \(/],
    ["hanging up", behave.hangUp(), /alpha → direct → no answer \(/],
  ];
  for (const kind of /** @type {const} */ (["httpUrl", "httpsUrl"])) {
    for (const [name, behaviour, logged] of troubles) {
      test(`${name}: another key is tried, and the first is not blamed (${kind})`, async () => {
        const gateway = await twoKeys({}, { baseUrl: bench.upstream[kind] });
        bench.upstream.script.key(ALPHA).once(behaviour);
        const answer = await ask(gateway);
        assert.equal(answer.status, 200);
        assert.equal(answer.headers["x-aggregator-key"], "beta");
        assert.match(await gateway.logged(answer), logged);
        assert.equal((await ask(gateway)).headers["x-aggregator-key"], "alpha", "it serves the next request");
      });
    }
  }

  test("silence ends with the time-out, and another key serves", async () => {
    const gateway = await twoKeys({ upstream: { requestTimeoutSeconds: 1 } });
    bench.upstream.script.key(ALPHA).once(behave.silence());
    const answer = await ask(gateway);
    assert.equal(answer.status, 200);
    assert.match(await gateway.logged(answer), /alpha → direct → no answer \(the upstream stayed silent/);
    await bench.upstream.ledger.waitFor((entry) => entry.key === ALPHA && entry.answer.state !== "open");
  });

  test("as many keys are tried as maxAttempts says, and the client gets the last answer as it was", async () => {
    const keys = [1, 2, 3, 4, 5].map((i) => ({ name: `key-${i}`, key: `test-key-number-${i}` }));
    const gateway = await bench.gateway({ keys, maxAttempts: 3, ...ORDERED });
    bench.upstream.script.any().always(behave.overloaded());
    const answer = await ask(gateway);
    assert.deepEqual([answer.status, answer.headers["x-aggregator-attempts"]], [503, "3"]);
    assert.equal((await answer.json()).error.message, "The model is overloaded. Please try again later.");
    assert.equal(bench.upstream.ledger.requests.length, 3);
    assert.equal(new Set(bench.upstream.ledger.requests.map((entry) => entry.key)).size, 3);
  });
});

test("a key alone asks again after a pause when the upstream says that it fails", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha] });
  bench.upstream.script.any().once(behave.overloaded());
  bench.upstream.script.any().once(behave.internal());
  const answer = await ask(gateway);
  assert.deepEqual([answer.status, answer.headers["x-aggregator-attempts"]], [200, "3"]);
  assert.equal((await ask(gateway)).headers["x-aggregator-attempts"], "1", "and is charged nothing");
});

describe("all keys out", () => {
  test("resting: 429 with the earliest return", async () => {
    const gateway = await twoKeys();
    bench.upstream.script.key(ALPHA).always(behave.quotaPerMinute({ retryDelay: "47s" }));
    bench.upstream.script.key(BETA).always(behave.quotaPerMinute({ retryDelay: "20s" }));
    // The first finds out by asking, the second is not even tried: both are told the same.
    for (const attempts of ["2", "0"]) {
      const answer = await ask(gateway);
      assert.deepEqual([answer.status, answer.headers["x-aggregator-attempts"]], [429, attempts]);
      const seconds = Number(answer.headers["retry-after"]);
      assert.ok(seconds > 10 && seconds <= 20, `Retry-After: ${seconds}`);
      const { error } = await answer.json();
      assert.match(error.message, /alpha: resting for \d+ s.*beta: resting for \d+ s/);
      assert.equal(error.details[0].retryDelay, `${seconds}s`, "where Google's own SDKs look for it");
    }
    assert.equal(bench.upstream.ledger.requests.length, 2);
  });

  test("resting, with one key alone: Google's own words", async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha] });
    bench.upstream.script.any().always(behave.quotaPerMinute({ retryDelay: "47s" }));
    const answer = await ask(gateway);
    assert.equal(answer.status, 429);
    assert.match((await answer.json()).error.message, /exceeded your current quota/);
  });

  test("refused: 503, and no time is promised", async () => {
    const gateway = await twoKeys();
    bench.upstream.script.any().always(behave.invalidKey());
    assert.equal((await ask(gateway)).status, 400, "the upstream's own answer");
    const second = await ask(gateway);
    assert.equal(second.status, 503);
    assert.equal(second.headers["retry-after"], undefined);
    assert.match((await second.json()).error.message, /alpha: disabled.*beta: disabled/);
    const health = await gateway.ask("/health", { token: null });
    assert.equal((await health.json()).status, "unhealthy");
  });

  test("never entered: 503 that says what to do", async () => {
    const gateway = await bench.gateway({ keys: [] });
    const answer = await ask(gateway);
    assert.equal(answer.status, 503);
    assert.match((await answer.json()).error.message, /no API key yet.*keys:/);
  });
});

describe("never twice", () => {
  test("once the first byte of an answer has gone out", async () => {
    const gateway = await twoKeys();
    for (const cutAfterBytes of [0, 50]) {
      bench.fresh();
      bench.upstream.script.key(ALPHA).once(behave.answer({ cutAfterBytes }));
      // With no byte of the body sent yet, even the status line may not have left.
      const whole = ask(gateway).then((answer) => answer.bytes());
      await assert.rejects(whole, "a cut answer must not look whole");
      assert.equal(bench.upstream.ledger.requests.length, 1);
    }
  });

  for (const [path, body] of /** @type {[string, object][]} */ ([
    ["/v1beta/cachedContents", { model: "models/gemini-3.8-flash" }],
    [`${MODEL}:batchGenerateContent`, { batch: {} }],
    ["/v1beta/interactions", { model: "gemini-3.8-flash", input: "Hi" }],
  ])) {
    test(`what creates something and may have been done: POST ${path}`, async () => {
      const gateway = await twoKeys();
      const unsure = [behave.internal(), behave.overloaded(), behave.reset(), behave.hangUp()];
      for (const [i, behaviour] of unsure.entries()) {
        bench.fresh();
        bench.upstream.script.any().once(behaviour);
        const answer = await gateway.ask(path, { body });
        assert.equal(answer.status, [500, 503, 502, 502][i]);
        assert.equal(bench.upstream.ledger.requests.length, 1);
        assert.equal(answer.headers["x-aggregator-attempts"], "1");
      }
      bench.fresh();
      bench.upstream.script.key(ALPHA).once(behave.quotaPerMinute());
      const refused = await gateway.ask(path, { body });
      assert.equal(refused.status, 200, "a refusal by status did nothing: another key may");
      assert.equal(bench.upstream.ledger.requests.length, 2);
    });
  }

  test("a caller's own mistake: it passes untouched, after one attempt, and costs no key", async () => {
    const gateway = await twoKeys();
    for (const behaviour of [behave.badRequest(), behave.htmlPage({ status: 404 })]) {
      bench.fresh();
      bench.upstream.script.any().once(behaviour);
      const answer = await ask(gateway);
      assert.equal(answer.status, behaviour.status);
      assert.equal(answer.headers["x-aggregator-attempts"], "1");
      assert.equal(await answer.text(), behaviour.pieces({ key: ALPHA, model: "gemini-3.8-flash" }).join(""));
      assert.equal(bench.upstream.ledger.requests.length, 1);
    }
    assert.equal((await ask(gateway)).headers["x-aggregator-key"], "alpha");
  });
});

describe("a model that one key has not", () => {
  test("another key is asked, and the first serves other models meanwhile", async () => {
    const gateway = await twoKeys();
    bench.upstream.script.key(ALPHA).once(behave.modelNotFound());
    const answer = await ask(gateway);
    assert.deepEqual([answer.status, answer.headers["x-aggregator-key"]], [200, "beta"]);
    assert.equal((await ask(gateway)).headers["x-aggregator-key"], "beta", "alpha is not asked for it again");
    const other = await gateway.ask("/v1beta/models/gemini-3.8-pro:generateContent", { body: prompt("Hi") });
    assert.equal(other.headers["x-aggregator-key"], "alpha");
  });

  test("nor any other: the client sees Google's 404, and each later request asks once only", async () => {
    const gateway = await twoKeys();
    bench.upstream.script.any().always(behave.modelNotFound());
    for (const attempts of ["2", "1", "1"]) {
      const answer = await ask(gateway);
      assert.deepEqual([answer.status, answer.headers["x-aggregator-attempts"]], [404, attempts]);
      assert.match((await answer.json()).error.message, /is not found for API version/);
    }
  });
});

describe("whose turn it is", () => {
  /** @param {Gateway} gateway @param {number} count */
  async function served(gateway, count) {
    const keys = [];
    for (let i = 0; i < count; i += 1) keys.push((await ask(gateway)).headers["x-aggregator-key"]);
    return keys;
  }

  test("round robin follows the weights, and a key that is switched off has no turn", async () => {
    const off = { name: "off", key: "test-key-gamma-0003", enabled: false };
    const gateway = await bench.gateway({ keys: [{ ...KEYS.alpha, weight: 3 }, KEYS.beta, off] });
    const keys = await served(gateway, 8);
    assert.equal(keys.filter((key) => key === "alpha").length, 6);
    assert.equal(keys.filter((key) => key === "beta").length, 2);
    const pinned = await ask(gateway, "off");
    assert.equal(pinned.status, 503);
    assert.match((await pinned.json()).error.message, /off: disabled by you/);
  });

  test("fill first stays with the first key while it can serve", async () => {
    assert.deepEqual(new Set(await served(await twoKeys(), 4)), new Set(["alpha"]));
  });

  test("least loaded takes the key that is not busy", async () => {
    const gateway = await twoKeys({ keySelection: "least_loaded" });
    const gate = createGate();
    bench.upstream.script.any().once(behave.answer({ gate, pieces: 2 }));
    const busy = await gateway.ask(`${MODEL}:streamGenerateContent?alt=sse`, { body: prompt("Hi") });
    const free = busy.headers["x-aggregator-key"] === "alpha" ? "beta" : "alpha";
    assert.deepEqual(new Set(await served(gateway, 3)), new Set([free]));
    gate.open();
    await busy.bytes();
  });
});

describe("the header x-aggregator-key", () => {
  test("pins a key by name, is not passed on, and does not go round", async () => {
    const gateway = await twoKeys({ maxAttempts: 2 });
    for (let i = 0; i < 3; i += 1) assert.equal((await ask(gateway, "beta")).headers["x-aggregator-key"], "beta");
    assert.equal(askedWith(BETA), 3);
    for (const entry of bench.upstream.ledger.requests) assert.equal(header(entry, "x-aggregator-key"), undefined);
    bench.upstream.script.key(BETA).always(behave.internal());
    const failed = await ask(gateway, "beta");
    assert.deepEqual([failed.status, failed.headers["x-aggregator-attempts"]], [500, "2"], "the same key again");
    assert.deepEqual([askedWith(ALPHA), askedWith(BETA)], [0, 5]);
  });

  test("that names no key is the caller's mistake", async () => {
    const answer = await ask(await twoKeys(), "gamma");
    assert.equal(answer.status, 400);
    assert.match((await answer.json()).error.message, /"gamma", which does not exist/);
    assert.deepEqual(bench.upstream.ledger.requests, []);
  });
});

describe("the request's body", () => {
  test("arrives whole at the second key", async () => {
    const gateway = await twoKeys();
    const body = prompt("x".repeat(3 * 1024 * 1024));
    bench.upstream.script.key(ALPHA).once(behave.overloaded());
    assert.equal((await gateway.ask(GENERATE, { body })).status, 200);
    const [first, second] = bench.upstream.ledger.requests;
    assert.equal(first?.body.length, Buffer.byteLength(JSON.stringify(body)));
    assert.equal(first?.body.sha256, second?.body.sha256);
  });

  test("arrives whole at the second key when the first refused while the client was still sending", async () => {
    const gateway = await twoKeys();
    const json = JSON.stringify(prompt("sent in two parts"));
    const { halves, release } = inHalves(json);
    bench.upstream.script.key(ALPHA).once(behave.quotaPerMinute({ beforeBody: true }));
    const asked = gateway.ask(GENERATE, { body: halves });
    await bench.upstream.ledger.waitFor((entry) => entry.key === BETA && entry.body.length === 20);
    release();
    const answer = await asked;
    assert.equal(answer.status, 200);
    assert.equal((await answer.json()).candidates[0].content.parts[0].text, "echo: sent in two parts");
  });
});

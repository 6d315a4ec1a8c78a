/**
 * How a Live session ends, by either side and in every manner, and what it means: both sides see the same end, the log
 * says whose it was, the key is charged as an ordinary call would charge it, and nothing stays behind in flight.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { accepts, pollUntil } from "../lib/wait.mjs";
import { behave } from "../upstream/index.mjs";
import { ALPHA, Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";
import { ask, goodbye, open, session } from "./lib/live.mjs";

const QUOTA = "You exceeded your current quota, please check your plan and billing details.";

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @typedef {import("./lib/gateway.mjs").Gateway} Gateway */

const both = (/** @type {object} */ more = {}) => bench.gateway({ keys: [KEYS.alpha, KEYS.beta], ...more });

/** The upstream's end of the one session. @param {"server" | "client"} from */
function closesSeen(from) {
  const frames = bench.upstream.ledger.requests[0]?.frames ?? [];
  return frames
    .filter((frame) => frame.opcode === "close" && frame.from === from)
    .map(({ code, reason }) => [code, reason]);
}

describe("ended by the upstream", () => {
  const ends = /** @type {[number, string, RegExp][]} */ ([
    [1000, "", / 101 \d+ ms \[alpha → direct → 101\]$/],
    [1001, "bye", / 101 \d+ ms \[alpha → direct → 101\]$/],
    [1007, "Request contains an invalid argument.", /closed with 1007: Request contains an invalid argument/],
    [1008, "Deadline expired before operation could complete.", /closed with 1008: Deadline expired/],
    [1011, "Internal error encountered.", /closed with 1011: Internal error/],
  ]);
  for (const [code, reason, line] of ends) {
    test(`with ${code}: the client sees it, the upstream sees the answer, no key is charged`, async () => {
      const gateway = await both();
      bench.upstream.script.any().once(behave.live({ after: 1, end: { code, reason } }));
      const { client, id } = await session(gateway);
      assert.deepEqual(await client.ending(), { code, reason });
      client.close(code);
      await client.over();
      assert.match(await gateway.logged(id), line);
      assert.deepEqual(closesSeen("client"), [[code, ""]]);
      for (const key of ["alpha", "beta"]) {
        const again = await session(gateway, undefined, { headers: { ...PIN(key) } });
        await goodbye(again.client, 1000);
      }
    });
  }

  test("for the quota: the key rests for sessions, the next one takes the other key", async () => {
    const gateway = await both();
    bench.upstream.script.any().once(behave.live({ after: 1, end: { code: 1011, reason: QUOTA } }));
    const { client } = await session(gateway);
    assert.deepEqual(await client.ending(), { code: 1011, reason: QUOTA });
    client.close(1011);
    assert.match(await gateway.event("key.cooling"), /alpha/);
    for (let i = 0; i < 2; i += 1) {
      const next = await session(gateway);
      assert.equal(next.handshake.headers.get("x-aggregator-key"), "beta");
      await goodbye(next.client, 1000);
    }
    const body = prompt("Hi");
    const call = await gateway.ask(`${MODEL}:generateContent`, { body, headers: { "x-aggregator-key": "alpha" } });
    assert.equal(call.status, 200, "other calls are not concerned");
  });

  test("for the key: it is disabled with Google's words", async () => {
    const gateway = await both();
    const reason = "API key not valid. Please pass a valid API key.";
    bench.upstream.script.any().once(behave.live({ after: 0, end: { code: 1007, reason } }));
    const { client } = await open(gateway);
    assert.deepEqual(await client.ending(), { code: 1007, reason });
    client.close(1007);
    assert.match(await gateway.event("key.disabled"), /alpha.*API key not valid/);
  });

  test("without a word: the client's connection ends too, and it is no success", async () => {
    const gateway = await both();
    bench.upstream.script.any().once(behave.live({ after: 1, end: "cut" }));
    const { client, id } = await session(gateway);
    assert.deepEqual(await client.ending(), { code: 1006, reason: "" });
    assert.match(await gateway.logged(id), /broke the session off without a close frame/);
    // Nobody knows why: the key goes on.
    const next = await session(gateway, undefined, { headers: PIN("alpha") });
    await goodbye(next.client, 1000);
  });
});

/** @param {string} key */
function PIN(key) {
  return { "x-goog-api-key": "local-token-for-the-tests", "x-aggregator-key": key };
}

describe("ended by the client", () => {
  test("with any code: the upstream sees it and its answer comes back", async () => {
    const gateway = await both();
    for (const [code, reason] of /** @type {[number, string][]} */ ([
      [1000, ""],
      [4001, "enough"],
      [1011, "I broke"],
    ])) {
      bench.fresh();
      const { client, id } = await session(gateway);
      assert.deepEqual(await goodbye(client, code, reason), { code, reason });
      assert.deepEqual(closesSeen("client"), [[code, reason]]);
      assert.match(
        await gateway.logged(id),
        / 101 \d+ ms \[\w+ → direct → 101\]$/,
        "the client's own code is no error",
      );
    }
  });

  test("without a word: the upstream's connection ends, and it is nobody's fault", async () => {
    const gateway = await both();
    const { client, id } = await session(gateway);
    client.cut();
    await bench.upstream.ledger.waitFor((entry) => entry.answer.state === "client gone");
    assert.match(await gateway.logged(id), / 499 .*the client closed the request/);
    const next = await session(gateway, undefined, { headers: PIN("alpha") });
    await goodbye(next.client, 1000);
  });
});

test("a session counts as in flight until it ends, however it ends", async () => {
  const gateway = await both({ keySelection: "least_loaded" });
  const keyOf = (/** @type {import("./lib/live.mjs").Opened} */ { handshake }) =>
    handshake.headers.get("x-aggregator-key");
  /** @type {((opened: import("./lib/live.mjs").Opened) => unknown)[]} */
  const ends = [
    ({ client }) => goodbye(client, 1000),
    ({ client }) => client.cut(),
    () => [...bench.upstream.sessions].at(0)?.close(1011, "Internal error encountered."),
    () => [...bench.upstream.sessions].at(0)?.cut(),
  ];
  for (const end of ends) {
    const first = await session(gateway);
    const second = await session(gateway);
    assert.notEqual(keyOf(first), keyOf(second), "the busy key is spared");
    end(first);
    first.client.close(1000);
    await gateway.logged(first.id);
    const third = await session(gateway);
    assert.equal(keyOf(third), keyOf(first), "the key that became free is taken");
    for (const { client, id } of [second, third]) {
      await goodbye(client, 1000);
      await gateway.logged(id);
    }
  }
});

test("a session that is the trial of a key let alone proves it when it opens, not when it ends", async () => {
  const gateway = await both({ maxAttempts: 1, monitoring: { failureThreshold: 2, recoveryTimeSeconds: 1 } });
  const body = prompt("Hi");
  const call = (/** @type {string} */ key) => gateway.ask(`${MODEL}:generateContent`, { body, headers: PIN(key) });
  bench.upstream.script.key(ALPHA).times(2, behave.say({ status: 500, pieces: ["{}"] }));
  for (const [key, status] of /** @type {[string, number][]} */ ([
    ["alpha", 500],
    ["beta", 200],
    ["beta", 200],
    ["alpha", 500],
  ])) {
    assert.equal((await call(key)).status, status);
  }
  assert.equal((await call("alpha")).status, 503, "it is let alone");
  const { client } = await pollUntil(
    async () => {
      const opened = await open(gateway, undefined, { headers: PIN("alpha") });
      if (opened.handshake.status === 101) return opened;
      opened.client.cut();
      return null;
    },
    { what: "the key was never tried again" },
  );
  assert.equal((await call("alpha")).status, 200, "while the session lasts");
  await goodbye(client, 1000);
});

test("silence ends no session: the request time-out is for answers", async () => {
  const gateway = await both({ upstream: { requestTimeoutSeconds: 1 } });
  const { client } = await session(gateway);
  // Twice the time-out of an answer, during which nothing is said.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  assert.equal(await ask(client, "still there?"), "echo: still there?");
  await goodbye(client, 1000);
});

describe("SIGTERM", () => {
  /** @param {number} seconds of grace */
  async function stopping(seconds) {
    const gateway = await both({ server: { shutdownGraceSeconds: seconds } });
    const opened = await session(gateway);
    const stopped = gateway.stop();
    await pollUntil(async () => !(await accepts(gateway.port)), { what: "the port is still open" });
    return { gateway, stopped, ...opened };
  }

  test("lets a session go on and come to its own end", async () => {
    const { gateway, stopped, client, id } = await stopping(60);
    assert.equal(await ask(client, "one more"), "echo: one more");
    await goodbye(client, 1000);
    await stopped;
    assert.match(await gateway.logged(id), / 101 \d+ ms \[alpha → direct → 101\]$/);
  });

  test("ends a session after the grace with going away, and the upstream's side with it", async () => {
    const { gateway, stopped, client, id } = await stopping(0);
    assert.deepEqual(await client.ending(), { code: 1001, reason: "" });
    client.cut();
    await stopped;
    await bench.upstream.ledger.settled(() => bench.upstream.sessions.size === 0);
    assert.match(await gateway.logged(id), /The endpoint was stopped during the session/);
  });
});

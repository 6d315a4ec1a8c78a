/**
 * Graceful stops under load: STOPS times (100 unless the environment says otherwise) the program gets SIGTERM at a moment
 * that the seed (STOPS_SEED) chooses, while clients send plain and streaming requests over new and kept connections. What
 * reached the upstream must reach its client whole; the rest must be refused before any of it was read. Each program
 * goes on with the state of the one before. Knows the program's outside only.
 */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ALPHA, Bench, KEYS, MODEL, prompt } from "../contract/lib/bench.mjs";
import { TOKEN } from "../contract/lib/gateway.mjs";
import { fetchRaw } from "../lib/fetch.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { withDeadline } from "../lib/wait.mjs";
import { chance } from "../load/soak/plan.mjs";
import { behave } from "../upstream/index.mjs";

const STOPS = Number(process.env.STOPS ?? 100);
const SEED = Number(process.env.STOPS_SEED ?? 1);
const GRACE_SECONDS = 5;
const CLIENTS = 20;
/** The first moment may find the clients still connecting, the last one everything under way. */
const LATEST_STOP_MS = 150;

/** @typedef {{name: string, end: "whole" | "refused" | "broken", words: string}} Sent */

/** @type {Bench} */
let bench;
const folder = makeTempDir("stops");
before(async () => {
  bench = await Bench.start();
});
after(async () => {
  await bench?.stop();
  folder.dispose();
});

test(`${STOPS} stops under load: not one request that was begun is lost`, async (t) => {
  /** @type {Sent[]} */
  const all = [];
  let slowest = 0;
  for (let round = 0; round < STOPS; round += 1) {
    bench.fresh();
    behaviours();
    const { sent, exitMs } = await stopped(round);
    all.push(...sent);
    slowest = Math.max(slowest, exitMs);
    judge(sent, round);
  }
  const count = (/** @type {string} */ end) => all.filter((one) => one.end === end).length;
  t.diagnostic(
    `seed ${SEED}: ${count("whole")} whole, ${count("refused")} refused; the slowest exit took ${slowest} ms`,
  );
  assert.ok(count("refused") >= STOPS, "after a stop each client is refused");
  assert.ok(count("whole") > STOPS * CLIENTS * 0.5, "too little was under way to prove anything");
});

function behaviours() {
  const { script } = bench.upstream;
  script
    .when(({ path }) => path.endsWith(":streamGenerateContent"))
    .always(behave.answer({ pieces: 6, spacingMs: 15 }));
  script.when(({ path }) => path.endsWith("soak:generateContent")).always(behave.answer({ headerDelayMs: 20 }));
}

/** One life of the program, from its start to its end. @param {number} round */
async function stopped(round) {
  const persistence = {
    sqlitePath: join(folder.path, "state.sqlite"),
    fallbackJsonPath: join(folder.path, "state.json"),
  };
  const gateway = await bench.gateway({
    keys: [KEYS.alpha, KEYS.beta],
    server: { shutdownGraceSeconds: GRACE_SECONDS },
    log: { level: "warn" },
    persistence,
  });
  await remembers(gateway, round);
  /** @type {Sent[]} */
  const sent = [];
  const clients = Array.from({ length: CLIENTS }, (_, number) =>
    client(gateway.url, `${round}-${number}`, number, sent),
  );
  await pause(chance(SEED, round, 0) * LATEST_STOP_MS);
  const begun = Date.now();
  process.kill(gateway.pid, "SIGTERM");
  await withDeadline(gateway.exited, GRACE_SECONDS * 1000, `stop ${round}: the program did not end`);
  const exitMs = Date.now() - begun;
  await withDeadline(Promise.all(clients), 5000, `stop ${round}: a client was left without an end`);
  await gateway.stop();
  return { sent, exitMs };
}

/**
 * What the program before learned just before its stop is known, and this one learns the like for the next.
 * @param {import("../contract/lib/gateway.mjs").Gateway} gateway @param {number} round
 */
async function remembers(gateway, round) {
  const headers = { "x-aggregator-key": "alpha" };
  const ask = async (/** @type {number} */ of) => {
    const answer = await gateway.ask(`/v1beta/models/gemini-stop-${of}:countTokens`, {
      headers,
      body: prompt("quota"),
    });
    await answer.bytes();
    return answer.status;
  };
  if (round > 0) {
    assert.equal(await ask(round - 1), 429, `stop ${round - 1}: a rest was forgotten`);
    assert.equal(bench.upstream.ledger.requests.length, 0, "what rests is not asked");
  }
  bench.upstream.script.key(ALPHA).once(behave.quotaPerMinute({ retryDelay: "3000s" }));
  assert.equal(await ask(round), 429);
}

/**
 * One client, sending one request after the other until one is refused. Half of them keep their connection.
 * @param {string} url @param {string} name @param {number} number @param {Sent[]} sent
 */
async function client(url, name, number, sent) {
  const agent = number % 2 === 0 ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined;
  const method = number % 4 < 2 ? "streamGenerateContent?alt=sse" : "generateContent";
  const path = `${method.startsWith("stream") ? MODEL : "/v1beta/models/gemini-soak"}:${method}`;
  for (let count = 0; ; count += 1) {
    const one = await request(`${url}${path}`, `stop ${name}-${count}.`, agent);
    sent.push(one);
    if (one.end !== "whole") break;
  }
  agent?.destroy();
}

/** @param {string} url @param {string} name @param {Agent | undefined} agent @returns {Promise<Sent>} */
async function request(url, name, agent) {
  const options = { headers: { "x-goog-api-key": TOKEN }, body: prompt(name), ...(agent ? { agent } : {}) };
  /** @type {import("../lib/fetch.mjs").Answer} */
  let answer;
  try {
    answer = await fetchRaw(url, options);
  } catch (error) {
    return { name, end: "refused", words: String(error) };
  }
  try {
    const text = await answer.text();
    const whole = answer.status === 200 && text.includes('"finishReason"');
    return { name, end: whole ? "whole" : "broken", words: `${answer.status} ${text}` };
  } catch (error) {
    return { name, end: "broken", words: `${answer.status} ${error}` };
  }
}

/** The clients' ledger against the upstream's. @param {Sent[]} sent @param {number} round */
function judge(sent, round) {
  const texts = bench.upstream.ledger.requests.map(({ body }) => body.text ?? "");
  const arrived = (/** @type {Sent} */ { name }) => texts.some((text) => text.includes(name));
  const faults = sent.filter((one) => one.end === "broken" || (one.end === "whole") !== arrived(one));
  assert.deepEqual(faults, [], `stop ${round}, seed ${SEED}: what reached the upstream and the clients differs`);
  const others = sent.filter(
    ({ end, words }) => end === "refused" && !/ECONNREFUSED|ECONNRESET|hang up|EPIPE/.test(words),
  );
  assert.deepEqual(others, [], `stop ${round}: refused in another way than by the connection`);
}

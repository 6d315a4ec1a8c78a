/**
 * The program's log as whoever greps it needs it: one line is one event whatever clients send, every line of a request carries
 * its id, secrets are masked at every level, and `info` says nothing of requests that went well.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { behave } from "../upstream/index.mjs";
import { ALPHA, Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";

const GENERATE = `${MODEL}:generateContent`;
const FORGED = 'x\n{"level":"ERROR","event":"forged"}\r\u001b[2K\u0085\u202e';

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @param {import("./lib/gateway.mjs").Gateway} gateway */
const lines = (gateway) => gateway.log.all.filter((line) => !line.startsWith("listening on "));

/** Two keys of which the first is refused a quota, and a model whose name wants to be a line of its own. */
async function someTraffic(/** @type {import("./lib/gateway.mjs").Gateway} */ gateway) {
  bench.upstream.script.key(ALPHA).once(behave.quotaPerMinute({ retryDelay: "30s" }));
  const retried = await gateway.ask(GENERATE, { body: prompt("Hi"), headers: { "user-agent": "tool/1 \t\u0080odd" } });
  assert.equal(retried.status, 200);
  await retried.text();
  const chat = { model: FORGED, messages: [{ role: "user", content: "Hi" }] };
  const hostile = await gateway.ask("/v1/chat/completions", { body: chat });
  await hostile.text();
  const escaped = await gateway.ask(`/v1beta/models/${encodeURIComponent(FORGED)}:generateContent`, {
    body: prompt("Hi"),
  });
  await escaped.text();
  return { retried, hostile, escaped };
}

describe("the log", () => {
  test("is one line of JSON for each event, and each of a request's carries its id", async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta], log: { level: "debug", format: "json" } });
    const { retried, hostile, escaped } = await someTraffic(gateway);
    for (const answer of [retried, hostile, escaped]) await gateway.logged(answer);
    const told = lines(gateway).map((line) => JSON.parse(line));
    assert.deepEqual(
      told.filter(({ event }) => event === "forged"),
      [],
    );
    const of = told.filter(({ request }) => request === retried.id);
    const events = of.map(({ event }) => event).filter((event) => event !== undefined);
    assert.deepEqual(events, ["key.cooling", "request.finished"]);
    const others = of.filter(({ event }) => event === undefined).map(({ message }) => message);
    assert.deepEqual(others, ["An attempt failed.", "The request is tried once more."]);
    await gateway.stop();
    assert.ok(!lines(gateway).some((line) => /[\p{Cc}\u202e]/u.test(line)), "a control character got through");
  });

  test("forges nothing as text either", async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta], log: { level: "trace", format: "text" } });
    await someTraffic(gateway);
    await gateway.stop();
    for (const line of lines(gateway)) {
      assert.match(line, /^\d{4}-\d\d-\d\dT\S+ +(ERROR|WARN|INFO|DEBUG|TRACE) /);
      assert.ok(!/[\p{Cc}\u202e]/u.test(line), "a control character got through");
    }
  });

  test("is quiet at info, and warns", async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta], log: { level: "info", format: "json" } });
    const { retried } = await someTraffic(gateway);
    await gateway.stop();
    const told = lines(gateway).map((line) => JSON.parse(line));
    const of = told.filter(({ request }) => request === retried.id);
    assert.deepEqual(
      of.map(({ event }) => event),
      ["key.cooling"],
      "a rest is told, and nothing of a request that went well",
    );
  });
});

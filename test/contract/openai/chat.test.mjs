/**
 * Chat through OpenAI's own clients, told nothing but the endpoint and its token: whole, streamed, with their helpers
 * for streams and for JSON, with pictures and sounds, and the completions before chat. At the upstream's ledger each is
 * a request of Gemini's.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { behave } from "../../upstream/index.mjs";
import { Bench, KEYS } from "../lib/bench.mjs";
import { ask, CLIENTS } from "../lib/openai-clients.mjs";

const OWN = ["attempts", "key", "proxy", "request-id"].map((name) => `x-aggregator-${name}`);

/** As the simulated model tells what it got. @param {string} text */
function hashOf(text) {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** What each call gives, with whichever client. @type {Record<string, unknown>} */
const EXPECTED = {
  plain: { text: "echo: Hi", role: "assistant", finish: "stop", model: "gemini-3.8-flash", counted: true, own: OWN },
  stream: { texts: ["echo:", " in p", "ieces"], ends: ["stop"], usageLast: true },
  streamHelper: {
    deltas: "echo: with events",
    done: "echo: with events",
    final: "echo: with events",
    finish: "stop",
  },
  parse: { mood: "good", steps: [{ text: "a text" }] },
  parseStream: { mood: "good", steps: [{ text: "a text" }] },
  jsonObject: { echo: "as JSON" },
  image: `echo: what is it [image/png, 9 bytes, ${hashOf("a picture")}]`,
  audio: `echo:  [audio/wav, 7 bytes, ${hashOf("a sound")}]`,
  settings: "echo: Hi",
  several: [
    [0, "echo: Hi"],
    [1, "echo: Hi (2)"],
  ],
  length: ["echo", "length"],
  filtered: "content_filter",
  thoughts: { content: "echo: Hi", thought: "thinking about: Hi", counted: true },
  completion: ["text_completion", "echo: Once", "stop"],
  completionStream: "echo: Once",
};
const ASYNCHRONOUS = Array.from({ length: 8 }, (_, n) => `echo: Hi ${n}`);

/** @type {Bench} */
let bench;
/** @type {import("../lib/gateway.mjs").Gateway} */
let gateway;
before(async () => {
  bench = await Bench.start();
  gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
});
after(() => bench?.stop());

for (const client of CLIENTS) {
  describe(client.name, () => {
    const expected = client.name.endsWith("PyPI") ? { ...EXPECTED, asynchronous: ASYNCHRONOUS } : EXPECTED;
    /** @type {import("../lib/openai-clients.mjs").Results} */
    let results;
    before(async () => {
      bench.fresh();
      const safe = (/** @type {{path: string}} */ { path }) => path.includes("-safe:");
      bench.upstream.script.when(safe).always(behave.answer({ finishReason: "SAFETY" }));
      results = await ask(client, gateway, { theme: "chat", calls: Object.keys(expected) });
    });

    for (const [call, value] of Object.entries(expected)) {
      test(call, () => assert.deepEqual(results[call], value, results[call]?.failed));
    }

    test("settings arrive in Gemini's words", () => {
      const body = bench.upstream.ledger.requests.map(({ body }) => JSON.parse(body.text ?? "{}"));
      const asked = body.find(({ systemInstruction }) => systemInstruction);
      assert.deepEqual(asked.systemInstruction.parts, [{ text: "Be brief." }]);
      assert.deepEqual(asked.generationConfig, {
        temperature: 0.5,
        topP: 0.9,
        maxOutputTokens: 100,
        seed: 7,
        stopSequences: ["END"],
        thinkingConfig: { thinkingLevel: "low" },
      });
    });

    test("is served under Google's own path and under no version, too", async () => {
      for (const base of ["/v1beta/openai", "/v1beta/openai/", ""]) {
        const { plain } = await ask(client, gateway, { theme: "chat", calls: ["plain"], base });
        assert.equal(plain.text, "echo: Hi", `${base} ${plain.failed}`);
      }
    });
  });
}

/**
 * Tools through OpenAI's own clients, against a model that refuses a call whose thought signature does not come back:
 * over three turns, in parallel, by their runners and parsers. The ledger proves which signature came back, of clients
 * that keep what Google adds to a call, of clients that drop it, after the program began anew, and when nobody knows it.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { stored } from "../../lib/database.mjs";
import { makeTempDir } from "../../lib/temp.mjs";
import { pollUntil } from "../../lib/wait.mjs";
import { Bench, KEYS } from "../lib/bench.mjs";
import { ask, CLIENTS } from "../lib/openai-clients.mjs";

const SENTINEL = "skip_thought_signature_validator";
const THREE = { called: ["weather", "clock", "weather"], text: 'results: [{"weather":"Rome"}]' };
const PARALLEL = {
  called: ["weather+weather+clock"],
  text: 'results: [{"weather":"Paris"},{"weather":"Rome"},{"clock":"UTC"}]',
};
const RUN = 'results: [{"output":"Rome"}]';

/** @type {Record<string, unknown>} */
const EXPECTED = {
  kept: THREE,
  keptStreamed: THREE,
  bare: THREE,
  bareStreamed: THREE,
  parallel: PARALLEL,
  parallelStreamed: PARALLEL,
  parsed: [{ city: "Oslo" }],
  argumentEvents: [
    ["weather", 0, { city: "Paris" }],
    ["weather", 1, { city: "Rome" }],
    ["clock", 2, { zone: "UTC" }],
  ],
  chosen: ["weather", "echo: Hi", "clock"],
};
/** @type {Record<string, unknown>} */
const RUNNERS = { runner: RUN, streamingRunner: RUN };

/** @typedef {import("../lib/openai-clients.mjs").Client} Client */
/** @typedef {import("../lib/gateway.mjs").Gateway} Gateway */

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** Every signature that arrived with a call, in the order of the requests. @returns {(string | undefined)[][]} */
function signaturesSent() {
  return bench.upstream.ledger.requests.map(({ body }) => {
    const turns = JSON.parse(body.text ?? "{}").contents ?? [];
    const parts = turns.flatMap((/** @type {{parts: any[]}} */ turn) => turn.parts);
    return parts.filter((/** @type {any} */ part) => part.functionCall).map((part) => part.thoughtSignature);
  });
}

/**
 * All three of a conversation's calls came back, each with a signature of its own; that they are the right ones is what
 * the upstream proved before it answered.
 * @param {Gateway} gateway @param {Client} client @param {string} call
 */
async function signedAllAlong(gateway, client, call) {
  const { [call]: result } = await ask(client, gateway, { theme: "tools", calls: [call] });
  assert.deepEqual(result, THREE, result?.failed);
  const sent = signaturesSent();
  assert.deepEqual(
    sent.map((signatures) => signatures.length),
    [0, 1, 2, 3],
  );
  const last = sent.at(-1) ?? [];
  assert.equal(new Set(last).size, 3);
  assert.ok(!last.includes(SENTINEL) && !last.includes(undefined));
  assert.deepEqual(sent[1], last.slice(0, 1), "the same in every turn");
}

for (const client of CLIENTS) {
  describe(client.name, () => {
    for (const ids of [true, false]) {
      describe(ids ? "calls have ids of Gemini's" : "calls have ids made here", () => {
        const expected = client.name.endsWith("npm") ? { ...EXPECTED, ...RUNNERS } : EXPECTED;
        /** @type {Gateway} */
        let gateway;
        /** @type {import("../lib/openai-clients.mjs").Results} */
        let results;
        before(async () => {
          bench.upstream.world.callIds = ids;
          gateway = await bench.gateway({ keys: [KEYS.alpha] });
          results = await ask(client, gateway, { theme: "tools", calls: Object.keys(expected) });
        });
        after(() => gateway?.stop());

        for (const [call, value] of Object.entries(expected)) {
          test(call, () => assert.deepEqual(results[call], value, results[call]?.failed));
        }

        for (const call of ["kept", "keptStreamed", "bare", "bareStreamed"]) {
          test(`${call}: the right signature comes back with each call`, () => signedAllAlong(gateway, client, call));
        }

        test("in parallel only the first call is signed, and comes back so", async () => {
          await ask(client, gateway, { theme: "tools", calls: ["parallelStreamed"] });
          const [first, ...others] = signaturesSent().at(-1) ?? [];
          assert.ok(first && first !== SENTINEL);
          assert.deepEqual(others, [undefined, undefined]);
        });
      });
    }

    test("a signature that the client kept needs nobody else to know it", async () => {
      const first = await bench.gateway({ keys: [KEYS.alpha] });
      const history = await firstTurn(client, first, "firstTurnKept");
      await first.stop();

      bench.upstream.ledger.clear();
      const stranger = await bench.gateway({ keys: [KEYS.alpha] });
      assert.equal((await goOn(client, stranger, history)).text, THREE.text);
      const all = signaturesSent().flat();
      assert.ok(all.length > 0 && all.every((signature) => signature && signature !== SENTINEL));
      await stranger.stop();
    });

    test("a dropped signature is known again after a restart", async () => {
      const folder = makeTempDir("signatures");
      const state = join(folder.path, "state.json");
      const persistence = { sqlitePath: join(folder.path, "state.sqlite"), fallbackJsonPath: state };
      const first = await bench.gateway({ keys: [KEYS.alpha], persistence });
      const history = await firstTurn(client, first);
      await first.stop();

      bench.upstream.ledger.clear();
      const second = await bench.gateway({ keys: [KEYS.alpha], persistence });
      assert.deepEqual(await goOn(client, second, history), { ...THREE, called: THREE.called.slice(1) });
      const [signature] = signaturesSent()[0] ?? [];
      assert.ok(signature && signature !== SENTINEL);
      await second.stop();
      folder.dispose();
    });

    test("after a crash, too, once it was written", async () => {
      const folder = makeTempDir("signatures");
      const state = join(folder.path, "state.json");
      const persistence = { sqlitePath: join(folder.path, "state.sqlite"), fallbackJsonPath: state };
      const first = await bench.gateway({ keys: [KEYS.alpha], persistence });
      const history = await firstTurn(client, first);
      const { id } = JSON.parse(history).find((/** @type {any} */ message) => message.tool_calls).tool_calls[0];
      const there = () => stored(persistence.sqlitePath).includes(id);
      await pollUntil(there, { what: `the state never held ${id}` });
      await first.kill();

      bench.upstream.ledger.clear();
      const second = await bench.gateway({ keys: [KEYS.alpha], persistence });
      assert.equal((await goOn(client, second, history)).text, THREE.text);
      assert.notEqual(signaturesSent()[0]?.[0], SENTINEL);
      await second.stop();
      folder.dispose();
    });

    test("a signature that nobody knows is Google's own word for that", async () => {
      const first = await bench.gateway({ keys: [KEYS.alpha] });
      const history = await firstTurn(client, first);
      await first.stop();

      bench.upstream.ledger.clear();
      const stranger = await bench.gateway({ keys: [KEYS.alpha] });
      assert.equal((await goOn(client, stranger, history)).text, THREE.text);
      const last = signaturesSent().at(-1) ?? [];
      assert.equal(last[0], SENTINEL);
      assert.ok(last.length === 3 && !last.slice(1).includes(SENTINEL), "what is known again is sent");
      await stranger.stop();
    });
  });
}

/**
 * A conversation up to its first call and the answer to it; without the signature, unless `call` says otherwise.
 * @param {Client} client @param {Gateway} gateway @param {"firstTurn" | "firstTurnKept"} [call] @returns {Promise<string>}
 */
async function firstTurn(client, gateway, call = "firstTurn") {
  const { [call]: result } = await ask(client, gateway, { theme: "tools", calls: [call] });
  assert.deepEqual(result.called, ["weather"], result.failed);
  return JSON.stringify(result.messages);
}

/** @param {Client} client @param {Gateway} gateway @param {string} history */
async function goOn(client, gateway, history) {
  const { goOn: result } = await ask(client, gateway, { theme: "tools", calls: ["goOn"], env: { HISTORY: history } });
  assert.equal(result.failed, undefined);
  return result;
}

/**
 * OpenAI's own clients that leave in the middle or lose their patience, and upstreams that stay silent: the upstream
 * sees the hang-up at once, no key is blamed for what its client did, and a silence ends in an error of its own.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { behave, createGate } from "../../upstream/index.mjs";
import { Bench, KEYS } from "../lib/bench.mjs";
import { ask, CLIENTS } from "../lib/openai-clients.mjs";

const ADMIN = "admin-token-for-the-tests";

/** @type {Bench} */
let bench;
/** @type {import("../lib/gateway.mjs").Gateway} */
let gateway;
/** @type {import("../lib/gateway.mjs").Gateway} */
let impatient;
before(async () => {
  bench = await Bench.start();
  const keys = [KEYS.alpha, KEYS.beta];
  gateway = await bench.gateway({ keys, server: { adminToken: ADMIN } });
  impatient = await bench.gateway({ keys, maxAttempts: 2, upstream: { requestTimeoutSeconds: 1 } });
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @param {string} model */
const asking = (model) =>
  bench.upstream.script.when(({ key, path }) => key !== null && path.includes(`/models/${model}:`));

/** Every attempt of the keys ended well or with its client, and both keys serve. */
async function nobodyIsBlamed() {
  const headers = { authorization: `Bearer ${ADMIN}` };
  const text = await (await gateway.ask("/admin/metrics", { token: null, headers })).text();
  const samples = text.split("\n").filter((line) => line.startsWith("gemini_aggregator_key_"));
  const above = (/** @type {string} */ name) =>
    samples.filter((line) => line.includes(`key_${name}{`) && Number(line.split(" ").at(-1)) > 0);
  const ends = above("attempts_total").map((line) => /outcome="([^"]*)"/.exec(line)?.[1]);
  assert.deepEqual([...new Set(ends)], ["caller"]);
  assert.equal(above("available").length, 2);
}

for (const client of CLIENTS) {
  describe(client.name, () => {
    for (const call of ["leaves", "leavesHelper"]) {
      test(`${call}: the upstream sees it, and no key is blamed`, async () => {
        const gate = createGate();
        asking("gemini-left").once(behave.answer({ gate }));
        const leaving = ask(client, gateway, { theme: "failures", calls: [call] });
        await gate.next();
        assert.equal((await leaving)[call], "left");
        const { ledger } = bench.upstream;
        const entry = await ledger.waitFor(({ answer }) => answer.state === "client gone");
        assert.match(entry.path, /\/gemini-left:streamGenerateContent$/);
        assert.equal(ledger.requests.length, 1, "nothing is tried again for a client that has gone");
        await nobodyIsBlamed();
      });
    }

    test("a client's own time-out ends the attempt, and no key is blamed", async () => {
      asking("gemini-slow").always(behave.silence());
      const { hasNoPatience } = await ask(client, gateway, { theme: "failures", calls: ["hasNoPatience"] });
      assert.match(hasNoPatience, /Timeout/);
      const { ledger } = bench.upstream;
      await ledger.waitFor(({ answer }) => answer.state === "client gone");
      assert.equal(ledger.requests.length, 1);
      await nobodyIsBlamed();
    });

    test("an upstream that never answers is a 504 in words", async () => {
      asking("gemini-silent").always(behave.silence());
      const { silent } = await ask(client, impatient, { theme: "failures", calls: ["silent"] });
      assert.deepEqual([silent.kind, silent.status, silent.marked], ["InternalServerError", 504, true], silent.message);
      assert.match(silent.message, /1 s|second|time|silent/);
    });

    test("a stream that falls silent ends in an error", async () => {
      const gate = createGate();
      asking("gemini-silent-stream").once(behave.answer({ gate }));
      const asked = ask(client, impatient, { theme: "failures", calls: ["silentStream"] });
      await gate.next();
      const { silentStream } = await asked;
      assert.deepEqual([silentStream.text, silentStream.kind], ["ech", "APIError"], JSON.stringify(silentStream));
      assert.match(silentStream.message, /stayed silent/);
    });
  });
}

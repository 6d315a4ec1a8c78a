/**
 * Embeddings, models and pictures through OpenAI's own clients, and the parts of OpenAI's API that are not served: they
 * say so in its shape, whatever base URL the client was given, and nothing of them reaches the upstream.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Bench, KEYS } from "../lib/bench.mjs";
import { ask, CLIENTS } from "../lib/openai-clients.mjs";

const ONE = [0.19, 0.2, 0.21, 0.22];
const EMBEDDED = { counted: true, model: "gemini-embedding-001" };
const NOT_SERVED = ["NotFoundError", 404, "not_found_error", true];
const UNSERVED = ["responses", "speech", "moderations", "transcriptions"];

/** What each call gives, with whichever client. @type {Record<string, unknown>} */
const EXPECTED = {
  embeddings: { ...EMBEDDED, vectors: [ONE, [0.13, 0.14, 0.15, 0.16]], order: [0, 1] },
  embeddingsFloat: { ...EMBEDDED, vectors: [ONE], order: [0] },
  embeddingsShort: { ...EMBEDDED, vectors: [ONE.slice(0, 2)], order: [0] },
  models: [
    ["gemini-3.8-flash", "model"],
    ["gemini-3.8-pro", "model"],
    ["gemini-2.5-flash", "model"],
    ["gemini-embedding-001", "model"],
    ["my-flash", "model"],
  ],
  oneModel: ["gemini-3.8-flash", "model", "google"],
  noModel: ["NotFoundError", 404, "model_not_found"],
  picture: ["…a cat"],
  pictures: ["…a cat 1", "…a cat 2"],
  ...Object.fromEntries(UNSERVED.map((call) => [call, NOT_SERVED])),
};

/** @type {Bench} */
let bench;
/** @type {import("../lib/gateway.mjs").Gateway} */
let gateway;
before(async () => {
  bench = await Bench.start();
  gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta], modelAliases: { "my-flash": "gemini-3.8-flash" } });
});
after(() => bench?.stop());

for (const client of CLIENTS) {
  describe(client.name, () => {
    /** @type {import("../lib/openai-clients.mjs").Results} */
    let results;
    before(async () => {
      bench.fresh();
      results = await ask(client, gateway, { theme: "data", calls: Object.keys(EXPECTED) });
    });

    for (const [call, value] of Object.entries(EXPECTED)) {
      test(call, () => assert.deepEqual(results[call], value, results[call]?.failed));
    }

    test("embeddings are asked for all at once, with the dimensions in Gemini's words", () => {
      const asked = bench.upstream.ledger.requests.filter(({ path }) => path.endsWith(":batchEmbedContents"));
      const bodies = asked.map(({ body }) => JSON.parse(body.text ?? "{}").requests);
      assert.deepEqual(
        bodies.map((requests) => requests.length),
        [2, 1, 1],
      );
      assert.equal(bodies[2][0].outputDimensionality, 2);
    });

    for (const base of ["/v1beta/openai", ""]) {
      test(`what is not served says so under the base URL ${base || "without a path"}, too`, async () => {
        bench.fresh();
        const refused = await ask(client, gateway, { theme: "data", calls: UNSERVED, base });
        for (const call of UNSERVED) assert.deepEqual(refused[call], NOT_SERVED, `${call} ${refused[call]?.failed}`);
        assert.deepEqual(bench.upstream.ledger.requests, []);
      });
    }
  });
}

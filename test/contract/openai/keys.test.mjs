/**
 * Which key serves OpenAI's own clients and by which way it leaves: a conversation stays on the key that began it, goes
 * on with another when that one rests, and comes to the key that the client names. With two keys behind two real proxies
 * the proxies' logs and the upstream's ledger agree.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { startDanted, startSquid } from "../../proxies/index.mjs";
import { behave } from "../../upstream/index.mjs";
import { ALPHA, BETA, Bench, KEYS } from "../lib/bench.mjs";
import { ask, CLIENTS } from "../lib/openai-clients.mjs";
import { eachThroughItsOwn } from "../lib/ways.mjs";

const DONE = 'results: [{"weather":"Rome"}]';

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** The keys of the requests that were answered, in order. */
function served() {
  return bench.upstream.ledger.requests.filter(({ answer }) => answer.status === 200).map(({ key }) => key);
}

for (const client of CLIENTS) {
  describe(client.name, () => {
    test("conversations stay on their keys, one after the other on the next", async () => {
      const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
      /** @type {(string | null)[]} */
      const began = [];
      for (const call of ["bare", "kept", "bareStreamed"]) {
        bench.upstream.ledger.clear();
        const { [call]: result } = await ask(client, gateway, { theme: "tools", calls: [call] });
        assert.equal(result.text, DONE, result.failed);
        const keys = served();
        assert.deepEqual([keys.length, new Set(keys).size], [4, 1], `${call}: ${keys}`);
        began.push(keys[0] ?? null);
      }
      assert.deepEqual(new Set(began), new Set([ALPHA, BETA]), "not all on one key");
      await gateway.stop();
    });

    test("a conversation goes on with the other key when its own rests", async () => {
      const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
      const { firstTurn } = await ask(client, gateway, { theme: "tools", calls: ["firstTurn"] });
      const [owner] = served();
      const other = owner === ALPHA ? BETA : ALPHA;
      bench.upstream.ledger.clear();
      bench.upstream.script.key(String(owner)).always(behave.quotaPerMinute());
      const env = { HISTORY: JSON.stringify(firstTurn.messages) };
      const { goOn } = await ask(client, gateway, { theme: "tools", calls: ["goOn"], env });
      assert.equal(goOn.text, DONE, goOn.failed);
      assert.deepEqual(served(), [other, other, other]);
      const refused = bench.upstream.ledger.requests.filter(({ key }) => key === owner);
      assert.equal(refused.length, 1, "the one that rests was asked once");
      await gateway.stop();
    });

    test("a key that the client names serves", async () => {
      const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
      const { pinned } = await ask(client, gateway, { theme: "chat", calls: ["pinned"] });
      assert.deepEqual(pinned, ["beta", "beta", "beta"], pinned.failed);
      await gateway.stop();
    });

    test("each key leaves through its own proxy, whole or streamed", async () => {
      const squid = await bench.proxy(startSquid({ credentials: { user: "ada", password: "p@ss:w0rd/1" } }));
      const danted = await bench.proxy(startDanted());
      const proxies = [
        { name: "east", url: squid.url },
        { name: "west", url: danted.url },
      ];
      const config = { keys: [KEYS.alpha, KEYS.beta], proxies };
      const gateway = await bench.gateway(config, { baseUrl: bench.upstream.httpsUrl });
      const calls = ["ways", "stream", "streamHelper", "image", "completion"];
      const { ways, stream } = await ask(client, gateway, { theme: "chat", calls });
      const { bareStreamed } = await ask(client, gateway, { theme: "tools", calls: ["bareStreamed"] });
      assert.deepEqual([stream.texts?.join(""), bareStreamed.text], ["echo: in pieces", DONE]);

      await gateway.stop();
      const { ledger } = bench.upstream;
      await ledger.settled(({ connections }) => connections.open === 0);
      const requests = ledger.requests.filter((entry) => entry.credentials.length > 0);
      assert.ok(requests.every((entry) => entry.credentials.length === 1 && entry.key !== null));
      const byKey = await eachThroughItsOwn(requests, [squid, danted]);
      const program = (/** @type {string} */ key) => (byKey.get(key)?.has(squid.program) ? "east" : "west");
      const expected = [`alpha by ${program(ALPHA)}`, `beta by ${program(BETA)}`];
      assert.deepEqual([...new Set(ways)].sort(), expected, "the answers' headers say the same");
    });
  });
}

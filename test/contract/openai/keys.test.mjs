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
import { TOKEN } from "../lib/gateway.mjs";
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

/**
 * The key that answered a chat of plain text, or a pinned one.
 * @param {import("../lib/gateway.mjs").Gateway} gateway @param {object[]} messages @param {string} [pinned]
 */
async function chat(gateway, messages, pinned) {
  const headers = { authorization: `Bearer ${TOKEN}`, ...(pinned ? { "x-aggregator-key": pinned } : {}) };
  const body = { model: "gemini-3.8-flash", messages };
  const answer = await gateway.ask("/v1/chat/completions", { token: null, headers, body });
  await answer.text();
  assert.equal(answer.status, 200);
  return answer.headers["x-aggregator-key"];
}

test("a conversation of plain text stays on its key, too; a new one takes the next", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
  const began = [];
  for (const opening of ["one", "two"]) {
    const messages = [{ role: "user", content: opening }];
    const keys = new Set();
    for (const more of ["and", "so", "on"]) {
      keys.add(await chat(gateway, messages));
      messages.push({ role: "assistant", content: "Well." }, { role: "user", content: more });
    }
    assert.equal(keys.size, 1, `${opening}: ${[...keys]}`);
    began.push(...keys);
  }
  assert.equal(new Set(began).size, 2);
  await gateway.stop();
});

test("a signature that another project's key refuses goes to the key that the conversation was held with", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
  const messages = [{ role: "user", content: "Hi" }];
  assert.equal(await chat(gateway, messages, "alpha"), "alpha");
  messages.push({ role: "assistant", content: "Well." }, { role: "user", content: "And?" });
  const words = "Function call is missing a thought_signature in functionCall parts.";
  const refused = behave.googleError(400, "INVALID_ARGUMENT", words);
  bench.upstream.script.key(ALPHA).once(behave.overloaded());
  bench.upstream.script.key(BETA).always(behave.say({ status: 400, pieces: [JSON.stringify(refused)] }));
  assert.equal(await chat(gateway, messages), "alpha", "asked again after the other had refused");
  const asked = bench.upstream.ledger.requests.map(({ key }) => key);
  assert.deepEqual(asked, [ALPHA, ALPHA, BETA, ALPHA]);
  await gateway.stop();
});

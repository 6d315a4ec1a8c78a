/**
 * Proves the simulated Live sessions before anything is proved with them: who may open one, what is said, every way in
 * which one can end, and that the ledger tells both sides' frames.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { fetchRaw } from "../lib/fetch.mjs";
import { isAccepted, openWebSocket } from "../lib/websocket-client.mjs";
import { behave, startUpstream } from "./index.mjs";
import { encodeFrame } from "./websocket.mjs";

const KEY = "test-key-alpha-0001";
const METHOD = "GenerativeService.BidiGenerateContent";
const LIVE = `/ws/google.ai.generativelanguage.v1beta.${METHOD}`;
const CONSTRAINED = `/ws/google.ai.generativelanguage.v1alpha.${METHOD}Constrained`;
const SETUP = { setup: { model: "models/gemini-3.8-flash" } };
const saying = (/** @type {string} */ text) => ({
  clientContent: { turns: [{ role: "user", parts: [{ text }] }], turnComplete: true },
});

/** @type {import("./index.mjs").Running} */
let upstream;
before(async () => {
  upstream = await startUpstream();
});
after(() => upstream?.close());
beforeEach(async () => {
  upstream.dropConnections();
  await upstream.ledger.settled(({ connections }) => connections.open === 0);
  upstream.script.clear();
  upstream.ledger.clear();
});

/** @param {string} target @param {Record<string, string>} [headers] */
async function open(target, headers = { "x-goog-api-key": KEY }) {
  const client = await openWebSocket(`${upstream.httpUrl}${target}`, { headers: Object.entries(headers) });
  return { client, handshake: await client.answered() };
}

/** A session that has been set up. @param {Parameters<typeof behave.live>[0]} [talk] */
async function session(talk) {
  if (talk) upstream.script.any().once(behave.live(talk));
  const { client } = await open(LIVE);
  client.send(SETUP);
  return client;
}

/** @param {object} [terms] @returns {Promise<string>} */
async function token(terms = {}) {
  const answer = await fetchRaw(`${upstream.httpUrl}/v1alpha/auth_tokens`, {
    headers: { "x-goog-api-key": KEY },
    body: terms,
  });
  return (await answer.json()).name;
}

describe("a session", () => {
  test("is opened by a key in all paths, set up, spoken with and closed, over TCP and TLS", async () => {
    const key = "AAECAwQFBgcICQoLDA0ODw==";
    for (const version of ["v1", "v1beta", "v1alpha"]) {
      for (const slashes of ["/", "//"]) {
        for (const url of [upstream.httpUrl, upstream.httpsUrl]) {
          upstream.ledger.clear();
          const path = `${slashes}ws/google.ai.generativelanguage.${version}.${METHOD}`;
          const client = await openWebSocket(`${url}${path}?key=${KEY}`, { caFile: upstream.caFile, key });
          assert.ok(isAccepted(await client.answered(), key));
          client.send(SETUP);
          assert.deepEqual(await client.message(), { setupComplete: {} });
          client.send(saying("Grüße"));
          const [said, made, done] = [await client.message(), await client.message(), await client.message()];
          assert.equal(said.serverContent.modelTurn.parts[0].text, "echo: Grüße");
          assert.ok(made.serverContent.generationComplete && done.serverContent.turnComplete && done.usageMetadata);
          client.close(4001, "enough");
          assert.deepEqual(await client.ending(), { code: 4001, reason: "enough" });
          await client.over();
          const entry = await upstream.ledger.waitFor((e) => e.answer.state === "finished");
          assert.deepEqual([entry.tls, entry.target], [url === upstream.httpsUrl, `${path}?key=${KEY}`]);
          assert.deepEqual(entry.credentials, [{ where: "query key", value: KEY }]);
        }
      }
    }
  });

  test("is in the ledger frame by frame, large and broken ones too", async () => {
    const client = await session();
    await client.message();
    const text = JSON.stringify(saying("x".repeat(70_000)));
    client.sendBytes(encodeFrame("text", text.slice(0, 300), { masked: true, final: false }));
    client.sendBytes(encodeFrame("ping", "still there?", { masked: true }));
    client.sendBytes(encodeFrame("continuation", text.slice(300), { masked: true }));
    const pong = await client.frame();
    assert.deepEqual([pong?.opcode, pong?.payload.toString()], ["pong", "still there?"]);
    assert.equal((await client.message()).serverContent.modelTurn.parts[0].text.length, 70_006);
    client.close();
    await client.over();
    const { frames } = await upstream.ledger.waitFor((e) => e.answer.state === "finished");
    assert.deepEqual(frames.map(({ from, opcode }) => `${from} ${opcode}`).slice(0, 6), [
      "client text",
      "server binary",
      "client text",
      "client ping",
      "server pong",
      "client continuation",
    ]);
    assert.deepEqual(frames.at(-1), { from: "server", opcode: "close", length: 0, code: 1005, reason: "" });
  });

  test("ends with a code when it is not begun with a setup or a frame is not masked", async () => {
    const { client } = await open(LIVE);
    client.send(saying("Hi"));
    assert.equal((await client.ending()).code, 1007);
    const { client: bare } = await open(LIVE);
    bare.sendBytes(encodeFrame("text", JSON.stringify(SETUP)));
    assert.equal((await bare.ending()).code, 1002);
  });
});

describe("credentials", () => {
  test("exactly one opens a session", async () => {
    const cases = /** @type {[string, Record<string, string>, number][]} */ ([
      [LIVE, {}, 403],
      [`${LIVE}?key=${KEY}`, { "x-goog-api-key": KEY }, 400],
      [LIVE, { "x-goog-api-key": KEY, authorization: `Bearer ${KEY}` }, 400],
      [LIVE, { authorization: `Bearer ${KEY}` }, 401],
      [CONSTRAINED, { "x-goog-api-key": KEY }, 401],
      ["/ws/nowhere", { "x-goog-api-key": KEY }, 404],
    ]);
    for (const [target, headers, status] of cases) {
      const { handshake } = await open(target, headers);
      assert.equal(handshake.status, status, `${target} ${Object.keys(headers)}`);
      assert.equal(JSON.parse(handshake.body).error.code, status);
    }
  });

  test("a token opens the constrained path as often as it was issued for, and only that", async () => {
    const name = await token({ uses: 2 });
    assert.equal((await open(`${LIVE}?access_token=${name}`, {})).handshake.status, 401);
    assert.equal((await open(CONSTRAINED, { "x-goog-api-key": name })).handshake.status, 401);
    const twice = { "x-goog-api-key": name, authorization: `Token ${name}` };
    assert.equal((await open(CONSTRAINED, twice)).handshake.status, 400);
    assert.equal((await open(`${CONSTRAINED}?access_token=${name}`, {})).handshake.status, 101);
    assert.equal((await open(CONSTRAINED, { authorization: `Token ${name}` })).handshake.status, 101);
    assert.equal((await open(`${CONSTRAINED}?access_token=${name}`, {})).handshake.status, 401, "used up");
  });

  test("a token that nobody issued, or an old one, opens nothing", async () => {
    const old = await token({ expireTime: "2020-01-01T00:00:00Z" });
    for (const name of ["auth_tokens/invented", old]) {
      assert.equal((await open(`${CONSTRAINED}?access_token=${name}`, {})).handshake.status, 401);
    }
  });
});

describe("the script", () => {
  test("refuses, with any status and words", async () => {
    upstream.script.key(KEY).once(behave.quotaPerMinute());
    const { handshake } = await open(LIVE);
    assert.equal(handshake.status, 429);
    assert.equal(JSON.parse(handshake.body).error.status, "RESOURCE_EXHAUSTED");
    assert.equal((await open(LIVE)).handshake.status, 101);
  });

  test("closes with a code and a reason, after as many messages as it says", async () => {
    const end = { code: 1011, reason: "Deadline expired before operation could complete." };
    const client = await session({ after: 2, end });
    assert.deepEqual(await client.message(), { setupComplete: {} });
    client.send(saying("Hi"));
    assert.deepEqual(await client.ending(), end);
    client.close(end.code, end.reason);
    await upstream.ledger.waitFor((entry) => entry.answer.state === "finished");
  });

  test("cuts without a close frame, at once or later", async () => {
    for (const after of [0, 1]) {
      upstream.ledger.clear();
      const client = await session({ after, end: "cut" });
      assert.deepEqual(await client.ending(), { code: 1006, reason: "" });
      await upstream.ledger.waitFor((entry) => entry.answer.state === "cut");
    }
  });

  test("says nothing more, and notices the client who leaves", async () => {
    const client = await session({ after: 1, end: "silence" });
    assert.deepEqual(await client.message(), { setupComplete: {} });
    client.send(saying("Hi"));
    await upstream.ledger.waitFor((entry) => entry.frames.length === 3);
    client.cut();
    const entry = await upstream.ledger.waitFor((e) => e.answer.state === "client gone");
    assert.deepEqual(
      entry.frames.map(({ from }) => from),
      ["client", "server", "client"],
    );
  });

  test("never answers the request at all, or hangs up", async () => {
    upstream.script.any().once(behave.hangUp()).once(behave.silence());
    await assert.rejects(open(LIVE), /ended before the handshake was answered/);
    const client = await openWebSocket(`${upstream.httpUrl}${LIVE}`, { headers: [["x-goog-api-key", KEY]] });
    await upstream.ledger.waitFor((entry) => entry.answer.status === null && entry.answer.state === "open");
    client.cut();
    await upstream.ledger.settled(({ connections }) => connections.open === 0);
  });

  test("says other words than an echo, and a test may speak for the server", async () => {
    const goAway = { goAway: { timeLeft: "10s" } };
    const client = await session({ turns: [[{ setupComplete: {} }, goAway]] });
    assert.deepEqual([await client.message(), await client.message()], [{ setupComplete: {} }, goAway]);
    const [running] = upstream.sessions;
    running?.send({ serverContent: { interrupted: true } });
    assert.deepEqual(await client.message(), { serverContent: { interrupted: true } });
    running?.close(1000, "bye");
    assert.deepEqual(await client.ending(), { code: 1000, reason: "bye" });
    client.cut();
    await upstream.ledger.settled(() => upstream.sessions.size === 0);
  });
});

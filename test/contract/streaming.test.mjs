/**
 * Streaming really streams: the upstream sends a chunk only when the test lets it, and each one must have reached the
 * client before the next is sent. As events and as a JSON array, directly, through CONNECT and through SOCKS, to the
 * upstream in clear and over TLS, compressed and not. No clock decides anything here.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { startDanted, startSquid } from "../proxies/index.mjs";
import { behave, createGate } from "../upstream/index.mjs";
import { ALPHA, Bench, inHalves, KEYS, MODEL, prompt } from "./lib/bench.mjs";

const PIECES = 4;

/** @type {Bench} */
let bench;
/** @type {Record<string, {name: string, url: string}[]>} */
let proxies;
before(async () => {
  bench = await Bench.start();
  const squid = await bench.proxy(startSquid());
  const danted = await bench.proxy(startDanted());
  proxies = {
    directly: [],
    "through CONNECT": [{ name: "way-out", url: squid.url }],
    "through SOCKS": [{ name: "way-out", url: danted.url }],
  };
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/**
 * Lets the pieces out one by one, each only after the one before has arrived whole.
 * @param {import("./lib/gateway.mjs").Gateway} gateway
 * @param {{query: string, open: string, headers?: Record<string, string>, gzip?: "force"}} how `open` begins every piece
 */
async function pieceByPiece(gateway, { query, open, headers, gzip }) {
  const gate = createGate();
  bench.upstream.script.key(ALPHA).once(behave.answer({ gate, pieces: PIECES, text: "one two three four", gzip }));
  const answer = await gateway.ask(`${MODEL}:streamGenerateContent${query}`, { headers, body: prompt("Hi") });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["content-encoding"], undefined, "a stream is not compressed for the client");
  const texts = [];
  for (let i = 0; i < PIECES; i += 1) {
    await gate.next();
    let text = "";
    while (!isWholePiece(text, open, i)) {
      const chunk = await answer.nextChunk();
      assert.ok(chunk, `the answer ended in the middle of piece ${i + 1}: ${text}`);
      text += chunk;
    }
    texts.push(text);
    // The piece is here. After the last one nothing holds the upstream back any more.
    if (i < PIECES - 1) assert.equal(bench.upstream.ledger.requests[0]?.answer.chunks, i + 1);
  }
  gate.open();
  const rest = await answer.text();
  return { text: texts.join("") + rest, answer };
}

/** @param {string} text @param {string} open @param {number} index */
function isWholePiece(text, open, index) {
  if (open === "data: ") return text.startsWith(open) && text.endsWith("\r\n\r\n");
  return text.startsWith(index === 0 ? "[" : ",") && text.trimEnd().endsWith(index === PIECES - 1 ? "]" : "}");
}

/** @param {object[]} chunks */
function spoken(chunks) {
  return chunks.map((chunk) => /** @type {any} */ (chunk).candidates[0].content.parts[0].text).join("");
}

for (const way of ["directly", "through CONNECT", "through SOCKS"]) {
  describe(way, () => {
    for (const tls of [false, true]) {
      test(`each chunk arrives before the next is sent, ${tls ? "over TLS" : "in clear"}`, async () => {
        const baseUrl = tls ? bench.upstream.httpsUrl : bench.upstream.httpUrl;
        const gateway = await bench.gateway({ keys: [KEYS.alpha], proxies: proxies[way] }, { baseUrl });
        const events = await pieceByPiece(gateway, { query: "?alt=sse", open: "data: " });
        const frames = events.text.split("\r\n\r\n").filter(Boolean);
        assert.equal(spoken(frames.map((frame) => JSON.parse(frame.slice(6)))), "one two three four");
        assert.match(String(events.answer.headers["content-type"]), /^text\/event-stream/);
        bench.fresh();
        const array = await pieceByPiece(gateway, { query: "", open: "[" });
        assert.equal(spoken(JSON.parse(array.text)), "one two three four");
        assert.match(await gateway.logged(array.answer), /alpha → \S+ → 200/);
      });
    }
  });
}

describe("compression", () => {
  /** @type {[string, Record<string, string>, "force" | undefined][]} */
  const ways = [
    ["that the client allows", { "accept-encoding": "gzip, deflate" }, undefined],
    ["that the upstream forces", { "accept-encoding": "gzip" }, "force"],
    ["that nobody asked for", { "accept-encoding": "identity" }, "force"],
  ];
  for (const [name, headers, gzip] of ways) {
    test(`${name} does not hold a chunk back`, async () => {
      const gateway = await bench.gateway({ keys: [KEYS.alpha] }, { baseUrl: bench.upstream.httpsUrl });
      const { text } = await pieceByPiece(gateway, { query: "?alt=sse", open: "data: ", headers, gzip });
      assert.equal(text.split("data: ").length, PIECES + 1);
    });
  }
});

describe("the request's body", () => {
  test("streams too: the upstream has its beginning before the client sends its end", async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha] });
    const json = JSON.stringify(prompt("in two parts"));
    const { halves, release } = inHalves(json);
    const asked = gateway.ask(`${MODEL}:generateContent`, { body: halves });
    const entry = await bench.upstream.ledger.waitFor(({ body }) => body.length === 20);
    assert.equal(entry.body.state, "receiving");
    release();
    const answer = await asked;
    assert.equal((await answer.json()).candidates[0].content.parts[0].text, "echo: in two parts");
  });
});

describe("an end before the end", () => {
  test("a client that leaves ends the upstream's work, and the key is free again", async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha] });
    const gate = createGate();
    bench.upstream.script.key(ALPHA).once(behave.answer({ gate, pieces: PIECES }));
    const answer = await gateway.ask(`${MODEL}:streamGenerateContent?alt=sse`, { body: prompt("Hi") });
    await gate.next();
    await answer.nextChunk();
    answer.leave();
    await bench.upstream.ledger.waitFor((entry) => entry.answer.state === "client gone");
    assert.match(await gateway.logged(answer), /streamGenerateContent 499 /);
    assert.equal((await gateway.ask(`${MODEL}:generateContent`, { body: prompt("Hi") })).status, 200);
  });

  /** @type {[string, Record<string, string>, "auto" | "force"][]} */
  const ways = [
    ["plain", {}, "auto"],
    ["packed unasked", {}, "force"],
  ];
  for (const [name, headers, gzip] of ways) {
    test(`an upstream that breaks off breaks the client's answer off too, and nothing is tried again (${name})`, async () => {
      const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
      const gate = createGate();
      bench.upstream.script.any().once(behave.answer({ gate, pieces: PIECES, gzip }));
      const answer = await gateway.ask(`${MODEL}:streamGenerateContent?alt=sse`, { headers, body: prompt("Hi") });
      await gate.next();
      assert.match(String(await answer.nextChunk()), /^data: /);
      bench.upstream.dropConnections();
      await assert.rejects(answer.bytes(), "a cut answer must not look whole");
      assert.equal(bench.upstream.ledger.requests.length, 1);
      assert.match(await gateway.logged(answer), /\[alpha → direct → 200 \(.*broke its answer off/);
      assert.equal((await gateway.ask(`${MODEL}:generateContent`, { body: prompt("Hi") })).status, 200);
    });
  }

  test("an upstream that falls silent in the middle is given up after the time-out", async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta], upstream: { requestTimeoutSeconds: 1 } });
    const gate = createGate();
    bench.upstream.script.any().once(behave.answer({ gate, pieces: PIECES }));
    const answer = await gateway.ask(`${MODEL}:streamGenerateContent?alt=sse`, { body: prompt("Hi") });
    await gate.next();
    await answer.nextChunk();
    await assert.rejects(answer.bytes(), "a cut answer must not look whole");
    assert.match(await gateway.logged(answer), /the upstream stayed silent/);
    assert.equal(bench.upstream.ledger.requests.length, 1);
  });

  test("all that came before the break reaches the client", async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha] });
    const headers = /** @type {[string, string][]} */ ([["Content-Type", "text/event-stream"]]);
    const pieces = Array.from({ length: 20 }, (_, i) => `data: {"piece":${i}}\r\n\r\n`);
    const before = pieces.slice(0, 10).join("");
    for (let i = 0; i < 10; i += 1) {
      const cut = behave.say({ headers, pieces, cutAfterBytes: before.length });
      bench.upstream.script.any().once(cut);
      const answer = await gateway.ask(`${MODEL}:streamGenerateContent?alt=sse`, { body: prompt("Hi") });
      let text = "";
      await assert.rejects(async () => {
        for (let chunk = await answer.nextChunk(); chunk; chunk = await answer.nextChunk()) text += chunk;
      });
      assert.equal(text, before);
    }
  });
});

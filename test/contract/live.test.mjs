/**
 * Live sessions through the real program: opened in every way clients open them, through every kind of proxy, with the
 * key in place of the local token; how they end, on either side; what an end means for the key. Frames are written and
 * read by the bench, so that each byte is the test's own.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { isAccepted } from "../lib/websocket-client.mjs";
import { startDanted, startTinyproxy } from "../proxies/index.mjs";
import { behave, header } from "../upstream/index.mjs";
import { encodeFrame } from "../upstream/websocket.mjs";
import { ALPHA, BETA, Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";
import { TOKEN } from "./lib/gateway.mjs";
import { ask, CONSTRAINED, goodbye, LIVE, open, SETUP, saying, session } from "./lib/live.mjs";

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @typedef {import("./lib/gateway.mjs").Gateway} Gateway */

const both = () => bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
const only = () => bench.gateway({ keys: [KEYS.alpha] });

describe("a session is opened", () => {
  /** @type {Gateway} */
  let gateway;
  before(async () => {
    gateway = await only();
  });

  const forms = /** @type {[string, string, Record<string, string>][]} */ ([
    ["by header, as Python does", LIVE, { "x-goog-api-key": TOKEN }],
    ["by query and two slashes, as JavaScript does", `/${LIVE}?key=${TOKEN}`, {}],
    ["by a bearer token, beside other words of the query", `${LIVE}?alt=x`, { Authorization: `Bearer ${TOKEN}` }],
  ]);
  for (const [how, target, headers] of forms) {
    test(`${how}: the key takes the token's place, in the one header`, async () => {
      const key = "AAECAwQFBgcICQoLDA0ODw==";
      const extra = { Cookie: "a=b", "Sec-WebSocket-Extensions": "permessage-deflate", "X-Goog-Api-Client": "sdk" };
      const { client, handshake, id } = await session(gateway, target, { headers: { ...headers, ...extra }, key });
      assert.ok(isAccepted(handshake, key));
      const told = ["x-aggregator-key", "x-aggregator-proxy", "x-aggregator-attempts"];
      assert.deepEqual(
        told.map((name) => handshake.headers.get(name)),
        ["alpha", "direct", "1"],
      );
      assert.equal(await ask(client, "Grüße"), "echo: Grüße");
      assert.deepEqual(await goodbye(client, 1000, "done"), { code: 1000, reason: "done" });
      const [entry, ...more] = bench.upstream.ledger.requests;
      assert.ok(entry && more.length === 0);
      assert.deepEqual(entry.credentials, [{ where: "header x-goog-api-key", value: ALPHA }]);
      assert.equal(entry.target, target.includes("alt") ? `${LIVE}?alt=x` : LIVE);
      assert.ok(!JSON.stringify([entry.target, entry.headers]).includes(TOKEN));
      const passed = ["sec-websocket-key", "x-goog-api-client", "sec-websocket-extensions", "cookie"];
      assert.deepEqual(
        passed.map((name) => header(entry, name)),
        [key, "sdk", undefined, undefined],
      );
      assert.match(await gateway.logged(id), /^GET \/ws\/\S+ 101 \d+ ms \[alpha → direct → 101\]$/);
    });
  }

  test("never without a token, from a web page, on another path or without a handshake", async () => {
    const cases = /** @type {[string, Record<string, string>, number, RegExp][]} */ ([
      [LIVE, {}, 401, /local token/],
      [`${LIVE}?key=wrong`, {}, 401, /local token/],
      [LIVE, { "x-goog-api-key": TOKEN, Origin: "https://evil.example" }, 403, /web pages/],
      [LIVE, { "x-goog-api-key": TOKEN, Host: "evil.example" }, 421, /own address/],
      ["/ws/other", { "x-goog-api-key": TOKEN }, 404, /no WebSocket/],
      [LIVE, { "x-goog-api-key": TOKEN, Upgrade: "h2c" }, 400, /WebSocket handshake/],
      [`${CONSTRAINED}?access_token=auth_tokens/unknown`, {}, 401, /ephemeral token/],
    ]);
    for (const [target, headers, status, words] of cases) {
      const { client, handshake } = await open(gateway, target, {
        headers: { ...headers, Connection: "close, Upgrade" },
      });
      assert.equal(handshake.status, status, target);
      assert.match(handshake.body, words);
      client.cut();
    }
    assert.equal(bench.upstream.ledger.requests.length, 0);
  });

  test("nowhere else: an ordinary path that asks to switch is answered as ever", async () => {
    const headers = { "x-goog-api-key": TOKEN, Connection: "close, Upgrade" };
    const { client, handshake } = await open(gateway, "/v1beta/models", { headers });
    assert.equal(handshake.status, 200);
    assert.equal(header(bench.upstream.ledger.requests[0] ?? assert.fail(), "upgrade"), undefined);
    client.cut();
  });
});

describe("an ephemeral token that was made here", () => {
  /** @param {Gateway} gateway @param {object} [terms] */
  async function made(gateway, terms = { uses: 0 }) {
    const answer = await gateway.ask("/v1alpha/auth_tokens", { body: terms, headers: { "x-aggregator-key": "beta" } });
    const { name } = await answer.json();
    bench.upstream.ledger.clear();
    return String(name);
  }

  test("opens sessions without the local token, with the key that made it, as the one credential where it was", async () => {
    const gateway = await both();
    const token = await made(gateway);
    const escaped = `access_token=${encodeURIComponent(token)}`;
    const forms = /** @type {[string, Record<string, string>, import("../upstream/credentials.mjs").Credential][]} */ ([
      [`?access_token=${token}`, {}, { where: "query access_token", value: token }],
      [`?${escaped}&key=${TOKEN}`, { "x-goog-api-key": TOKEN }, { where: "query access_token", value: token }],
      ["", { Authorization: `Token ${token}` }, { where: "header authorization", value: `Token ${token}` }],
      [
        "",
        { Authorization: `Token ${token}`, "x-goog-api-key": token },
        { where: "header authorization", value: `Token ${token}` },
      ],
    ]);
    for (const [query, headers, credential] of forms) {
      const { client, handshake } = await session(gateway, `${CONSTRAINED}${query}`, { headers });
      assert.equal(handshake.headers.get("x-aggregator-key"), "beta");
      await goodbye(client, 1000);
      assert.deepEqual(bench.upstream.ledger.requests.at(-1)?.credentials, [credential]);
    }
  });

  test("is no token for anything else", async () => {
    const gateway = await both();
    const token = await made(gateway);
    const answer = await gateway.ask(`/v1beta/models?access_token=${token}`, { token: null });
    assert.equal(answer.status, 401);
    assert.equal(bench.upstream.ledger.requests.length, 0);
  });

  test("that Google refuses is the client's affair: told as it was said, and the key goes on", async () => {
    const gateway = await both();
    const token = await made(gateway, { uses: 1 });
    const target = `${CONSTRAINED}?access_token=${token}`;
    await goodbye((await session(gateway, target, { headers: {} })).client, 1000);
    const { handshake, id } = await open(gateway, target, { headers: {} });
    assert.deepEqual([handshake.status, handshake.headers.get("x-aggregator-attempts")], [401, "1"]);
    assert.match(handshake.body, /was used up/);
    assert.match(await gateway.logged(id), /ephemeral token was refused/);
    const beta = await gateway.ask("/v1beta/models", { headers: { "x-aggregator-key": "beta" } });
    assert.equal(beta.status, 200, "the key is still good");
  });
});

describe("the way out", () => {
  for (const kind of /** @type {const} */ (["httpUrl", "httpsUrl"])) {
    test(`is the key's own: direct, CONNECT and SOCKS5 (${kind})`, async () => {
      const starts = [null, startTinyproxy, startDanted];
      for (const start of starts) {
        bench.fresh();
        const proxy = start && (await bench.proxy(start()));
        const proxies = proxy ? [{ name: "way-out", url: proxy.url }] : [];
        const gateway = await bench.gateway({ keys: [KEYS.alpha], proxies }, { baseUrl: bench.upstream[kind] });
        const { client, handshake } = await session(gateway);
        assert.equal(handshake.headers.get("x-aggregator-proxy"), proxy ? "way-out" : "direct");
        const long = "x".repeat(300_000);
        assert.equal(await ask(client, long), `echo: ${long}`);
        assert.deepEqual(await goodbye(client, 4001, "enough"), { code: 4001, reason: "enough" });
        const [entry] = bench.upstream.ledger.requests;
        assert.ok(entry);
        // tinyproxy does not log its own port.
        await proxy?.waitForEntry(({ granted, peerPort }) => granted && [null, entry.peerPort].includes(peerPort));
        // An upstream that offers HTTP/2 is asked for none here: it cannot carry the session.
        assert.deepEqual([entry.tls, entry.alpn === "h2"], [kind === "httpsUrl", false]);
        await gateway.stop();
      }
    });
  }
});

describe("a refused handshake", () => {
  test("is tried with another key, and the quota rests for sessions only", async () => {
    const gateway = await both();
    bench.upstream.script.key(ALPHA).once(behave.say({ status: 429, pieces: [`{"error":{"code":429}}`] }));
    for (const attempts of ["2", "1"]) {
      const { client, handshake } = await session(gateway);
      const told = ["x-aggregator-key", "x-aggregator-attempts"].map((name) => handshake.headers.get(name));
      assert.deepEqual(told, ["beta", attempts]);
      await goodbye(client, 1000);
    }
    const body = prompt("Hi");
    const answer = await gateway.ask(`${MODEL}:generateContent`, { body, headers: { "x-aggregator-key": "alpha" } });
    assert.equal(answer.status, 200, "the same key serves other calls");
  });

  test("that no key can mend is told as it was said", async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta], maxAttempts: 2 });
    bench.upstream.script.any().always(behave.say({ status: 503, pieces: [`{"error":{"message":"busy"}}`] }));
    const { handshake, id } = await open(gateway);
    assert.deepEqual([handshake.status, handshake.headers.get("x-aggregator-attempts")], [503, "2"]);
    assert.match(handshake.body, /busy/);
    assert.match(await gateway.logged(id), / 503 .*alpha → direct → 503.*, beta → direct → 503/);
  });

  test("and a dead proxy are told apart: the other key's proxy serves", async () => {
    const good = await bench.proxy(startTinyproxy());
    const keys = [
      { ...KEYS.alpha, proxy: "dead" },
      { ...KEYS.beta, proxy: "good" },
    ];
    const proxies = [
      { name: "dead", url: "http://127.0.0.1:9" },
      { name: "good", url: good.url },
    ];
    const gateway = await bench.gateway({ keys, proxies, keySelection: "fill_first" });
    const { client, handshake } = await session(gateway);
    assert.equal(handshake.headers.get("x-aggregator-proxy"), "good");
    await goodbye(client, 1000);
    assert.deepEqual(
      bench.upstream.ledger.requests.map((entry) => entry.key),
      [BETA],
    );
  });
});

describe("bytes pass as they are", () => {
  test("control frames, messages in parts and frames cut anywhere", async () => {
    const gateway = await only();
    const { client } = await session(gateway);
    const text = JSON.stringify(saying("in parts"));
    const frames = Buffer.concat([
      encodeFrame("text", text.slice(0, 30), { masked: true, final: false }),
      encodeFrame("ping", "still there?", { masked: true }),
      encodeFrame("continuation", text.slice(30), { masked: true }),
    ]);
    for (const byte of frames) client.sendBytes(Buffer.from([byte]));
    assert.deepEqual((await client.frame())?.payload.toString(), "still there?");
    assert.equal((await client.message()).serverContent.modelTurn.parts[0].text, "echo: in parts");
    client.cut();
  });

  test("but for the key, wherever the upstream says it", async () => {
    const reason = (/** @type {string} */ key) => `Consumer 'api_key:${key}' has been suspended.`;
    const turns = [[{ key: ALPHA, note: `${ALPHA} ${ALPHA}` }]];
    bench.upstream.script.any().once(behave.live({ turns, after: 1, end: { code: 1008, reason: reason(ALPHA) } }));
    const gateway = await both();
    const { client, id } = await open(gateway);
    client.send(SETUP);
    const blot = "***************0001";
    assert.deepEqual(await client.message(), { key: blot, note: `${blot} ${blot}` });
    assert.deepEqual(await client.ending(), { code: 1008, reason: reason(blot) });
    client.close(1008);
    assert.match(await gateway.logged(id), /closed with 1008: Consumer 'api_key:\*+0001' has been suspended/);
    assert.match(await gateway.event("key.disabled"), /alpha/);
  });
});

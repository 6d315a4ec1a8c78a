/**
 * Who is let in and what is let through: web pages and foreign hosts, tokens in their four ways, bodies beyond the
 * limit, ambiguous framing, unknown paths. What is refused leaves no trace in the upstream's ledger; what passes
 * carries one credential, in a header.
 */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { header } from "../upstream/index.mjs";
import { ALPHA, Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";
import { TOKEN } from "./lib/gateway.mjs";
import { rawRequest } from "./lib/raw.mjs";

const GENERATE = `${MODEL}:generateContent`;
const MIB = 1024 * 1024;

/** @type {Bench} */
let bench;
/** @type {import("./lib/gateway.mjs").Gateway} */
let gateway;
before(async () => {
  bench = await Bench.start();
  gateway = await bench.gateway({ keys: [KEYS.alpha] });
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/**
 * Google's error shape, with a sentence in it.
 * @param {import("./lib/gateway.mjs").Answer} answer
 * @param {number} status
 * @param {string} word
 */
async function refusedAsGemini(answer, status, word) {
  assert.equal(answer.status, status);
  assert.match(String(answer.headers["content-type"]), /^application\/json/);
  const { error } = await answer.json();
  assert.deepEqual([error.code, error.status], [status, word]);
  assert.match(error.message, /^[A-Z].*\.$/s);
  assert.deepEqual(bench.upstream.ledger.requests, []);
}

describe("a web page", () => {
  test("is refused by its Origin, right token or not", async () => {
    for (const origin of ["https://evil.example", "null", "http://localhost:1"]) {
      for (const token of [TOKEN, null]) {
        const answer = await gateway.ask(GENERATE, { token, headers: { origin }, body: prompt("Hi") });
        await refusedAsGemini(answer, 403, "PERMISSION_DENIED");
      }
    }
  });

  test("cannot ask whether it may: a preflight is refused without a word of permission", async () => {
    const headers = { origin: "https://evil.example", "access-control-request-method": "POST" };
    const answer = await gateway.ask(GENERATE, { method: "OPTIONS", token: null, headers });
    await refusedAsGemini(answer, 403, "PERMISSION_DENIED");
    const granted = Object.keys(answer.headers).filter((name) => name.startsWith("access-control-"));
    assert.deepEqual(granted, []);
  });

  test("is refused by the Host it was tricked into", async () => {
    for (const host of ["evil.example", `evil.example:${gateway.port}`, `127.0.0.1:${gateway.port + 1}`]) {
      const answer = await gateway.ask(GENERATE, { headers: { host }, body: prompt("Hi") });
      await refusedAsGemini(answer, 421, "INVALID_ARGUMENT");
    }
    const health = await gateway.ask("/health", { headers: { host: "evil.example" } });
    assert.equal(health.status, 421);
  });
});

describe("the token", () => {
  test("missing or wrong is 401, and the words say where it is", async () => {
    for (const token of [null, "wrong-token", `${TOKEN}x`, TOKEN.slice(0, -1)]) {
      const answer = await gateway.ask(GENERATE, { token, body: prompt("Hi") });
      await refusedAsGemini(answer, 401, "UNAUTHENTICATED");
    }
  });

  test("passes in each of its four ways, and one credential of our own goes up", async () => {
    /** @type {{path?: string, headers?: Record<string, string>}[]} */
    const ways = [
      { headers: { "x-goog-api-key": TOKEN } },
      { headers: { "x-api-key": TOKEN } },
      { headers: { authorization: `Bearer ${TOKEN}` } },
      { path: `${GENERATE}?key=${TOKEN}` },
      { path: `${GENERATE}?alt=json&key=${TOKEN}&prettyPrint=false`, headers: { "x-goog-api-key": TOKEN } },
      { path: `${GENERATE}?k%65y=${TOKEN}`, headers: { cookie: "a=b", "proxy-authorization": "Basic eDp5" } },
    ];
    for (const { path = GENERATE, headers } of ways) {
      bench.fresh();
      const answer = await gateway.ask(path, { token: null, headers, body: prompt("Hi") });
      assert.equal(answer.status, 200, path);
      const [received] = bench.upstream.ledger.requests;
      assert.deepEqual(received?.credentials, [{ where: "header x-goog-api-key", value: ALPHA }]);
      assert.ok(!JSON.stringify([received?.target, received?.headers]).includes(TOKEN), "the local token stays here");
      assert.equal(received && header(received, "cookie"), undefined);
    }
    assert.equal(bench.upstream.ledger.requests[0]?.target, GENERATE);
  });

  test("of a client that also sends a key of its own: neither goes up", async () => {
    const headers = {
      "x-goog-api-key": TOKEN,
      authorization: "Bearer a-key-of-the-clients-own",
      "x-api-key": "another",
    };
    const answer = await gateway.ask(`${GENERATE}?key=in-the-query&alt=json`, { headers, body: prompt("Hi") });
    assert.equal(answer.status, 200);
    const [received] = bench.upstream.ledger.requests;
    assert.equal(received?.credentials.length, 1);
    assert.equal(received?.target, `${GENERATE}?alt=json`);
  });
});

describe("a body beyond 64 MB outside /upload", () => {
  test("announced by Content-Length, is 413 and nothing reaches the upstream", async () => {
    const size = 65 * MIB;
    const announced = await gateway.ask(GENERATE, { body: filler(size), headers: { "content-length": String(size) } });
    await refusedAsGemini(announced, 413, "INVALID_ARGUMENT");
    const atOnce = await gateway.ask(GENERATE, { body: Buffer.alloc(size, 32) });
    await refusedAsGemini(atOnce, 413, "INVALID_ARGUMENT");
  });

  test("chunked, is aborted at the upstream and never completed; the client sees 413", async () => {
    for (const size of [65 * MIB, 130 * MIB]) {
      bench.fresh();
      const answer = await gateway.ask(GENERATE, { body: filler(size), timeoutMs: 30_000 });
      assert.equal(answer.status, 413);
      assert.equal((await answer.json()).error.code, 413);
      const { ledger } = bench.upstream;
      await ledger.settled(({ requests }) => requests.every((entry) => entry.body.state === "aborted"));
      assert.equal(ledger.requests.length, 1, "and not tried again");
      assert.ok((ledger.requests[0]?.body.length ?? 0) <= 64 * MIB);
    }
    const next = await gateway.ask(GENERATE, { body: prompt("Hi") });
    assert.equal(next.status, 200, "no key pays for it");
  });

  test("chunked, is aborted over HTTP/2, too", async () => {
    const overTls = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] }, { baseUrl: bench.upstream.httpsUrl });
    const answer = await overTls.ask(GENERATE, { body: filler(65 * MIB), timeoutMs: 30_000 });
    assert.equal(answer.status, 413);
    const { ledger } = bench.upstream;
    await ledger.settled(({ requests }) => requests.every((entry) => entry.body.state === "aborted"));
    assert.deepEqual([ledger.requests.length, ledger.requests[0]?.alpn], [1, "h2"]);
  });

  test("a client that reads nothing before all is sent gets its 413 too", async () => {
    const { status } = await rawRequest(gateway, [
      `POST ${GENERATE} HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nx-goog-api-key: ${TOKEN}\r\n`,
      `Content-Length: ${65 * MIB}\r\n\r\n`,
      Buffer.alloc(65 * MIB, 32),
    ]);
    assert.equal(status, 413);
    assert.deepEqual(bench.upstream.ledger.requests, []);
  });

  test("of a client without the token is 401, read to its end by nobody", async () => {
    const answer = await gateway.ask(GENERATE, { token: null, body: filler(65 * MIB) });
    await refusedAsGemini(answer, 401, "UNAUTHENTICATED");
  });

  test("exactly at the limit passes", async () => {
    const json = Buffer.from(JSON.stringify(prompt("at the limit")));
    const padded = Buffer.concat([json, Buffer.alloc(64 * MIB - json.length, 32)]);
    const answer = await gateway.ask(GENERATE, { body: padded, timeoutMs: 30_000 });
    assert.equal(answer.status, 200);
    assert.equal(bench.upstream.ledger.requests[0]?.body.length, 64 * MIB);
  });
});

test("a body of 65 MB passes under /upload", async () => {
  const headers = { "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start" };
  const started = await gateway.ask("/upload/v1beta/files", { headers, body: { file: {} } });
  const address = new URL(String(started.headers["x-goog-upload-url"]));
  assert.equal(address.origin, gateway.url);
  const answer = await gateway.ask(`${address.pathname}${address.search}`, {
    token: null,
    headers: { "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" },
    body: filler(65 * MIB),
    timeoutMs: 30_000,
  });
  assert.equal(answer.status, 200);
  assert.equal(bench.upstream.ledger.requests.at(-1)?.body.length, 65 * MIB);
});

describe("ambiguous framing", () => {
  // RFC 9112, 6.1: Transfer-Encoding wins, and the connection ends after the answer.
  test("both Content-Length and Transfer-Encoding: no second request can hide in the difference", async () => {
    const lengths = ["Content-Length: 40", "Transfer-Encoding: chunked"];
    const hidden = `POST ${MODEL}:countTokens HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\n`;
    for (const framing of [lengths, [...lengths].reverse()]) {
      bench.fresh();
      const { head } = await rawRequest(gateway, [
        `POST ${GENERATE} HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nx-goog-api-key: ${TOKEN}\r\n`,
        `Content-Type: application/json\r\n${framing.join("\r\n")}\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
        `${hidden}x-goog-api-key: ${TOKEN}\r\nContent-Length: 2\r\n\r\n{}`,
      ]);
      assert.match(head, /^HTTP\/1\.1 (400|200) /);
      assert.match(head, /^connection: close$/im);
      const { requests } = bench.upstream.ledger;
      assert.ok(requests.every((entry) => entry.path === GENERATE && entry.body.text === "{}"));
      assert.ok(requests.every((entry) => header(entry, "content-length") === undefined));
    }
  });

  test("two Content-Lengths, or two Hosts: refused, nothing goes up", async () => {
    const start = `POST ${GENERATE} HTTP/1.1\r\nx-goog-api-key: ${TOKEN}\r\n`;
    const host = `Host: 127.0.0.1:${gateway.port}\r\n`;
    for (const [headers, status] of [
      [`${host}Content-Length: 2\r\nContent-Length: 3\r\n`, 400],
      [`${host}Host: evil.example\r\nContent-Length: 2\r\n`, 421],
      [`Content-Length: 2\r\n`, 421],
    ]) {
      const { head } = await rawRequest(gateway, [`${start}${headers}\r\n{}`]);
      assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `));
    }
    assert.deepEqual(bench.upstream.ledger.requests, []);
  });
});

describe("paths", () => {
  test("that nobody serves are 404 in the dialect they were asked in", async () => {
    for (const path of ["/nowhere", "/v2/models", "/some/prefix/v1beta/models"]) {
      await refusedAsGemini(await gateway.ask(path), 404, "NOT_FOUND");
    }
    const openai = await gateway.ask("/v1/responses", {
      token: null,
      headers: { authorization: `Bearer ${TOKEN}` },
      body: { model: "m", input: "Hi" },
    });
    assert.equal(openai.status, 404);
    const said = (await openai.json()).error;
    assert.deepEqual(Object.keys(said).sort(), ["code", "message", "param", "type"]);
    const anthropic = await gateway.ask("/v1/messages", {
      token: null,
      headers: { "x-api-key": TOKEN, "anthropic-version": "2023-06-01" },
      body: { model: "m", messages: [] },
    });
    assert.equal(anthropic.status, 404);
    assert.equal((await anthropic.json()).type, "error");
    assert.deepEqual(bench.upstream.ledger.requests, []);
  });

  test("that climb or hide a second path reach the upstream as they are, or not at all", async () => {
    for (const path of ["/v1beta/models/../../admin", "/v1beta/models/a%2f..%2fb:generateContent", "//v1beta/models"]) {
      bench.fresh();
      const { head } = await rawRequest(gateway, [
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nx-goog-api-key: ${TOKEN}\r\nConnection: close\r\n\r\n`,
      ]);
      assert.match(head, /^HTTP\/1\.1 (200|4\d\d) /);
      for (const entry of bench.upstream.ledger.requests) assert.match(entry.path, /^\/v1beta\//);
    }
  });

  test("health is told without a token and tells nothing of keys", async () => {
    const answer = await gateway.ask("/health", { token: null });
    assert.equal(answer.status, 200);
    const said = await answer.json();
    assert.deepEqual(Object.keys(said).sort(), ["service", "status", "version"]);
    assert.deepEqual([said.service, said.status], ["gemini-aggregator", "healthy"]);
  });
});

describe("the request's head", () => {
  /** @param {string} target @param {string} [more] */
  const get = (target, more = "") =>
    rawRequest(gateway, [
      `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nx-goog-api-key: ${TOKEN}\r\n${more}\r\n`,
    ]);

  test("beyond 64 KiB is refused", async () => {
    const { status } = await get("/v1beta/models", `x-large: ${"x".repeat(300_000)}\r\n`);
    assert.equal(status, 431);
    assert.deepEqual(bench.upstream.ledger.requests, []);
  });

  test("may name this endpoint in its target, and no other host", async () => {
    assert.equal((await get(`http://127.0.0.1:${gateway.port}/v1beta/models`)).status, 200);
    assert.equal(bench.upstream.ledger.requests[0]?.target, "/v1beta/models");
    bench.fresh();
    assert.equal((await get("http://evil.example/v1beta/models")).status, 421);
    const connect = await rawRequest(gateway, [
      `CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nx-goog-api-key: ${TOKEN}\r\n\r\n`,
    ]);
    assert.equal(connect.status, 421, "this is no proxy");
    assert.deepEqual(bench.upstream.ledger.requests, []);
  });
});

describe("without a token in the configuration", () => {
  test("one is made, readable by its owner only, kept, and shown nowhere", async () => {
    const first = await bench.gateway({ server: { accessTokens: [] }, keys: [KEYS.alpha] });
    const file = join(first.dir, "access-token");
    const token = readFileSync(file, "utf8");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(token.length >= 32);
    first.canary.alsoWatch(token);
    assert.equal((await first.ask(GENERATE, { token: null, body: prompt("Hi") })).status, 401);
    assert.equal((await first.ask(GENERATE, { token, body: prompt("Hi") })).status, 200);
    await first.stop();
  });

  test("localAuth off lets programs of this machine in, and web pages still not", async () => {
    const open = await bench.gateway({ server: { accessTokens: [], localAuth: "off" }, keys: [KEYS.alpha] });
    const answer = await open.ask(GENERATE, { token: "a-key-of-the-clients-own", body: prompt("Hi") });
    assert.equal(answer.status, 200);
    assert.deepEqual(
      bench.upstream.ledger.requests[0]?.credentials.map(({ value }) => value),
      [ALPHA],
    );
    const page = await open.ask(GENERATE, { token: null, headers: { origin: "https://evil.example" } });
    assert.equal(page.status, 403);
    assert.equal((await open.ask(GENERATE, { token: null, headers: { host: "evil.example" } })).status, 421);
  });
});

test("every answer of the data plane says which request it was, refusals too", async () => {
  const refused = await gateway.ask(GENERATE, { token: null, body: prompt("Hi") });
  const served = await gateway.ask(GENERATE, { body: prompt("Hi") });
  const names = ["x-aggregator-request-id", "x-aggregator-attempts"];
  for (const name of names) assert.ok(refused.headers[name] && served.headers[name], name);
  assert.equal(refused.headers["x-aggregator-attempts"], "0");
  assert.notEqual(refused.id, served.id);
  assert.equal(served.headers["x-aggregator-key"], "alpha");
  assert.equal(served.headers["x-aggregator-proxy"], "direct");
  assert.match(await gateway.logged(refused), / 401 /);
});

/** @param {number} size of blanks, piece by piece */
async function* filler(size) {
  const piece = Buffer.alloc(size / 5, 32);
  for (let sent = 0; sent < size; sent += piece.length) yield piece;
}

/**
 * The life of connections on both sides: an upstream that closes idle ones, clients of every HTTP/1 habit, a SIGTERM in
 * the middle of an answer, many requests at once. What clients see must not depend on what happened to a socket.
 */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { createConnection } from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";
import { run } from "../lib/processes.mjs";
import { accepts, pollUntil } from "../lib/wait.mjs";
import { startDanted, startTinyproxy } from "../proxies/index.mjs";
import { behave, createGate, header } from "../upstream/index.mjs";
import { ALPHA, BETA, Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";
import { TOKEN } from "./lib/gateway.mjs";
import { rawRequest } from "./lib/raw.mjs";

const GENERATE = `${MODEL}:generateContent`;

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @typedef {import("./lib/gateway.mjs").Gateway} Gateway */

describe("idle connections that the upstream closed", () => {
  for (const kind of /** @type {const} */ (["httpUrl", "httpsUrl"])) {
    test(`cost the next request nothing, direct or through a proxy (${kind})`, async () => {
      const proxy = await bench.proxy(startDanted());
      for (const proxies of [[], [{ name: "way-out", url: proxy.url }]]) {
        const gateway = await bench.gateway({ keys: [KEYS.alpha], proxies }, { baseUrl: bench.upstream[kind] });
        for (let i = 0; i < 5; i += 1) {
          const answer = await gateway.ask(GENERATE, { body: prompt("Hi") });
          assert.equal(answer.status, 200, await gateway.logged(answer));
          await answer.bytes();
          // The end of the connection may meet the next request on its way: that one is asked again.
          bench.upstream.dropConnections();
          await bench.upstream.ledger.settled(({ connections }) => connections.open === 0);
        }
        await gateway.stop();
      }
    });
  }

  test("a call that creates something is not asked again, since it may have been done", async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha] });
    bench.upstream.script.any().once(behave.hangUp()).once(behave.hangUp());
    const creating = await gateway.ask("/v1beta/cachedContents", { body: { model: "models/gemini-3.8-flash" } });
    assert.deepEqual([creating.status, bench.upstream.ledger.requests.length], [502, 1]);
    const answering = await gateway.ask(GENERATE, { body: prompt("Hi") });
    assert.deepEqual([answering.status, answering.headers["x-aggregator-attempts"]], [200, "2"]);
  });

  test("an upstream that only ever hangs up is asked twice and no more", async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha] });
    bench.upstream.script.any().always(behave.hangUp());
    const answer = await gateway.ask(GENERATE, { body: prompt("Hi") });
    assert.deepEqual([answer.status, bench.upstream.ledger.requests.length], [502, 2]);
    assert.match((await answer.json()).error.message, /ended before a whole answer/);
  });
});

describe("clients of every habit", () => {
  /** @type {Gateway} */
  let gateway;
  before(async () => {
    gateway = await bench.gateway({ keys: [KEYS.alpha] });
  });
  after(() => gateway?.stop());

  test("curl waits for 100 Continue before a large body, and gets it", async () => {
    const body = JSON.stringify(prompt("x".repeat(2 * 1024 * 1024)));
    const written = ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-m", "10", "--data-binary", "@-"];
    const headers = ["-H", "Expect: 100-continue", "-H", `x-goog-api-key: ${TOKEN}`, "-H", "Content-Type: text/json"];
    const { stdout } = await run("curl", [...written, ...headers, `${gateway.url}${GENERATE}`], { input: body });
    assert.equal(stdout, "200");
    const [received] = bench.upstream.ledger.requests;
    assert.equal(received?.body.length, Buffer.byteLength(body));
    assert.equal(received && header(received, "expect"), undefined);
  });

  test("a client that waits for 100 Continue and has no token is refused before its body", async () => {
    const body = "x".repeat(2 * 1024 * 1024);
    const written = ["-sS", "-o", "/dev/null", "-w", "%{http_code} %{size_upload}", "-m", "10", "--data-binary", "@-"];
    const headers = ["-H", "Expect: 100-continue"];
    const { stdout } = await run("curl", [...written, ...headers, `${gateway.url}${GENERATE}`], { input: body });
    assert.equal(stdout, "401 0");
  });

  test("HTTP/1.0, and a connection that is to end", async () => {
    const common = `Host: 127.0.0.1:${gateway.port}\r\nx-goog-api-key: ${TOKEN}\r\nConnection: close\r\n\r\n`;
    for (const version of ["1.0", "1.1"]) {
      const { status, body } = await rawRequest(gateway, [`GET /v1beta/models HTTP/${version}\r\n${common}`]);
      assert.equal(status, 200);
      assert.ok(JSON.parse(body.toString()).models.length > 0);
    }
  });

  test("HEAD has headers and no body", async () => {
    bench.upstream.script.any().once(behave.say({ pieces: ["unsent"] }));
    const answer = await gateway.ask("/v1beta/models", { method: "HEAD" });
    assert.equal(answer.status, 200);
    assert.equal((await answer.bytes()).length, 0);
    assert.match(await gateway.logged(answer), /^HEAD \/v1beta\/models 200 /);
  });

  test("answers without a body: 204 and 304", async () => {
    for (const status of [204, 304]) {
      bench.upstream.script.any().once(behave.say({ status, headers: [["ETag", '"1"']] }));
      const answer = await gateway.ask("/v1beta/models", { headers: { "accept-encoding": "gzip" } });
      assert.deepEqual([answer.status, answer.headers.etag], [status, '"1"']);
      assert.equal((await answer.bytes()).length, 0);
    }
  });

  test("a redirect is handed on, not followed: the key goes to no other host", async () => {
    const location = `http://127.0.0.1:${bench.upstream.httpPort}/v1beta/models`;
    bench.upstream.script.any().once(behave.say({ status: 307, headers: [["Location", location]] }));
    const answer = await gateway.ask("/v1beta/models");
    assert.equal(answer.status, 307);
    assert.equal(bench.upstream.ledger.requests.length, 1);
  });

  test("a client that leaves before its answer ends the upstream's work, and no other key is asked", async () => {
    const socks = await bench.proxy(startDanted());
    for (const [proxies, baseUrl] of /** @type {[{name: string, url: string}[], string][]} */ ([
      [[], bench.upstream.httpUrl],
      [[{ name: "way-out", url: socks.url }], bench.upstream.httpsUrl],
    ])) {
      bench.fresh();
      const two = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta], proxies }, { baseUrl });
      bench.upstream.script.any().once(behave.silence());
      const body = JSON.stringify(prompt("Hi"));
      const socket = begin(two, `Content-Length: ${body.length}\r\n\r\n${body}`);
      await bench.upstream.ledger.waitFor((entry) => entry.body.state === "complete");
      socket.destroy();
      await bench.upstream.ledger.waitFor((entry) => entry.answer.state === "client gone");
      assert.match(await two.event("request.finished"), /generateContent 499 /);
      assert.equal(bench.upstream.ledger.requests.length, 1);
    }
  });

  test("a client that leaves while its request waits for a key waits no longer", async () => {
    const waiting = await bench.gateway({ keys: [KEYS.alpha], maxWaitSeconds: 600 });
    bench.upstream.script.any().once(behave.quotaPerMinute({ retryDelay: "500s" }));
    const body = JSON.stringify(prompt("Hi"));
    const socket = begin(waiting, `Content-Length: ${body.length}\r\n\r\n${body}`);
    await waiting.event("key.cooling");
    socket.destroy();
    assert.match(await waiting.event("request.finished"), /generateContent 499 .*alpha → direct → 429/);
    assert.equal(bench.upstream.ledger.requests.length, 1);
  });

  test("a client that leaves in the middle of its body leaves a request that is never completed", async () => {
    const two = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
    const socket = begin(two, "Content-Length: 1000\r\n\r\n{ half of it");
    await bench.upstream.ledger.waitFor((entry) => entry.body.length > 0);
    socket.destroy();
    await bench.upstream.ledger.waitFor((entry) => entry.body.state === "aborted");
    assert.match(await two.event("request.finished"), /generateContent 499 /);
    assert.equal(bench.upstream.ledger.requests.length, 1);
    assert.equal((await two.ask(GENERATE, { body: prompt("Hi") })).status, 200);
  });

  test("a base URL of the upstream with a path of its own keeps it", async () => {
    const prefixed = await bench.gateway({ keys: [KEYS.alpha] }, { baseUrl: `${bench.upstream.httpUrl}/some/prefix/` });
    bench.upstream.script.any().once(behave.say({ pieces: ["{}"] }));
    assert.equal((await prefixed.ask("/v1beta/models?pageSize=1")).status, 200);
    assert.equal(bench.upstream.ledger.requests[0]?.target, "/some/prefix/v1beta/models?pageSize=1");
  });

  test("a base URL with or without a version reaches the same call", async () => {
    for (const path of ["/v1beta/v1beta/models", "/models", "//v1beta/models"]) {
      bench.fresh();
      assert.equal((await gateway.ask(path)).status, 200, path);
      assert.equal(bench.upstream.ledger.requests[0]?.path, "/v1beta/models");
    }
  });
});

test("two hundred requests at once, through two proxies, each get their own answer", async () => {
  const east = await bench.proxy(startDanted());
  const west = await bench.proxy(startTinyproxy());
  const gateway = await bench.gateway(
    {
      keys: [
        { ...KEYS.alpha, proxy: "east" },
        { ...KEYS.beta, proxy: "west" },
      ],
      proxies: [
        { name: "east", url: east.url },
        { name: "west", url: west.url },
      ],
    },
    { baseUrl: bench.upstream.httpsUrl },
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 40 });
  const asked = Array.from({ length: 200 }, async (_, i) => {
    const stream = i % 2 === 1;
    const path = stream ? `${MODEL}:streamGenerateContent?alt=sse` : GENERATE;
    const answer = await gateway.ask(path, { agent, body: prompt(`number ${i}`), timeoutMs: 30_000 });
    const text = await answer.text();
    const events = stream ? text.split("\r\n\r\n").filter(Boolean) : [text];
    const chunks = events.map((event) => JSON.parse(event.replace(/^data: /, "")));
    const said = chunks.map((chunk) => chunk.candidates[0].content.parts[0].text).join("");
    assert.deepEqual([answer.status, said], [200, `echo: number ${i}`]);
    return answer.headers["x-aggregator-key"];
  });
  const keys = await Promise.all(asked);
  agent.destroy();
  assert.equal(keys.filter((key) => key === "alpha").length, 100, "round robin is fair");
  const portsOf = (/** @type {string} */ key) =>
    new Set(bench.upstream.ledger.requests.filter((entry) => entry.key === key).map((entry) => entry.peerPort));
  for (const port of portsOf(ALPHA)) await east.waitForEntry((entry) => entry.peerPort === port);
  const known = new Set(east.log().map((entry) => entry.peerPort));
  assert.ok([...portsOf(BETA)].every((port) => !known.has(port)));
});

/** A request of which only this much is sent. @param {Gateway} gateway @param {string} rest after the first headers */
function begin(gateway, rest) {
  const socket = createConnection({ port: gateway.port, host: "127.0.0.1" });
  socket.write(`POST ${GENERATE} HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nx-goog-api-key: ${TOKEN}\r\n${rest}`);
  return socket;
}

describe("SIGTERM", () => {
  /** @param {number} seconds of grace */
  async function inTheMiddle(seconds) {
    const config = { server: { shutdownGraceSeconds: seconds }, keys: [KEYS.alpha] };
    const gateway = await bench.gateway(config);
    const gate = createGate();
    bench.upstream.script.any().once(behave.answer({ gate, pieces: 3 }));
    const answer = await gateway.ask(`${MODEL}:streamGenerateContent?alt=sse`, { body: prompt("Hi") });
    await gate.next();
    await answer.nextChunk();
    const stopped = gateway.stop();
    await pollUntil(async () => !(await accepts(gateway.port)), { what: "the port is still open" });
    return { gateway, gate, answer, stopped };
  }

  test("closes the door, and lets an answer under way come to its end", async () => {
    const { gateway, gate, answer, stopped } = await inTheMiddle(10);
    gate.open();
    assert.equal((await answer.text()).split("data: ").length, 3, "the two remaining events came");
    await stopped;
    assert.match(await gateway.logged(answer), /alpha → direct → 200\]$/);
    assert.match(gateway.log.all.at(-1) ?? "", /The endpoint is stopped/);
  });

  test("does not wait for an answer longer than the grace", async () => {
    const { gateway, answer, stopped } = await inTheMiddle(1);
    await assert.rejects(answer.bytes(), "a cut answer must not look whole");
    await stopped;
    assert.match(await gateway.logged(answer), / 499 /);
  });

  test("as soon as it listens is a good end, too", async () => {
    for (let i = 0; i < 5; i += 1) await (await bench.gateway({ keys: [] })).stop();
  });
});

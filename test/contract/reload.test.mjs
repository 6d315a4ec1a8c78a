/**
 * The configuration read anew while the program runs: by SIGHUP and because its file changed. What changed is applied as a
 * difference and counted, what was learned and what is under way stays, and a file with a mistake changes nothing.
 */
import assert from "node:assert/strict";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { startDanted } from "../proxies/index.mjs";
import { behave, createGate } from "../upstream/index.mjs";
import { ALPHA, BETA, Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";
import { freePort } from "../lib/ports.mjs";
import { TOKEN } from "./lib/gateway.mjs";

const GENERATE = `${MODEL}:generateContent`;

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @typedef {import("./lib/gateway.mjs").Gateway} Gateway */

/** The file of a running program. @param {Gateway} gateway */
const fileOf = (gateway) => join(gateway.dir, "keys.yaml");

/** What the file says now. @param {Gateway} gateway @returns {any} */
const written = (gateway) => JSON.parse(readFileSync(fileOf(gateway), "utf8"));

/** How often the configuration was read anew, by the log. @param {string[]} lines */
const reloads = (lines) =>
  lines.flatMap((line) => (line.includes('"config.reloaded"') ? [String(JSON.parse(line).message)] : []));

/** Changes the file and waits for the one line of its reload. @param {Gateway} gateway @param {string | object} content */
async function rewrite(gateway, content, how = "hangup") {
  const before = reloads(gateway.log.all).length;
  const text = typeof content === "string" ? content : JSON.stringify(content);
  if (how === "rename") {
    writeFileSync(`${fileOf(gateway)}.fresh`, text);
    renameSync(`${fileOf(gateway)}.fresh`, fileOf(gateway));
  } else {
    writeFileSync(fileOf(gateway), text);
  }
  if (how === "hangup") process.kill(gateway.pid, "SIGHUP");
  return gateway.log.waitFor((lines) => reloads(lines)[before], { what: "the configuration was not read anew" });
}

/** @param {Gateway} gateway @returns {Promise<string>} the name of the key that served */
async function served(gateway) {
  const answer = await gateway.ask(GENERATE, { body: prompt("Hi") });
  await answer.bytes();
  return `${answer.status} ${answer.headers["x-aggregator-key"] ?? ""}`.trim();
}

for (const how of ["hangup", "write", "rename"]) {
  test(`a key more, one less and a changed one are counted and in force: ${how}`, async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta] });
    const keys = [
      { ...KEYS.beta, weight: 3 },
      { name: "gamma", key: "test-key-gamma-0003" },
    ];
    const words = await rewrite(gateway, { ...written(gateway), keys, maxAttempts: 7 }, how);
    assert.match(words, /1 key added, 1 key changed, 1 key removed; 1 setting changed \(maxAttempts\)/);
    const by = new Set([await served(gateway), await served(gateway), await served(gateway), await served(gateway)]);
    assert.deepEqual([...by].sort(), ["200 beta", "200 gamma"]);
    assert.ok(bench.upstream.ledger.requests.every(({ key }) => key !== ALPHA));
  });
}

test("a file with mistakes changes nothing, and each mistake is named with its place, once", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha] });
  const good = written(gateway);
  const bad = "maxAttempts: 0\nkeys:\n  - key: 'hidden-w0rd and more'\nproxies:\n  - url: ftp://u:hidden-w0rd@h:1\n";
  const words = await rewrite(gateway, bad, "write");
  assert.match(words, /is not used, the one before stays in force: it has 3 problems/);
  for (const place of [/keys\.yaml:1:14: maxAttempts/, /keys\.yaml:3:10: keys\.0\.key/, /keys\.yaml:5:10: proxies\.0\.url/]) {
    assert.match(words, place);
  }
  assert.ok(!gateway.log.all.join("\n").includes("hidden-w0rd"));
  assert.equal(await served(gateway), "200 alpha");
  assert.match(await rewrite(gateway, good, "write"), /nothing changed/);
  assert.equal(reloads(gateway.log.all).length, 2, "each state of the file is read once");
});

test("a request under way keeps its key, and what was learned stays, though its name is another", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta], keySelection: "fill_first" });
  const gate = createGate();
  bench.upstream.script.key(ALPHA).once(behave.answer({ gate, pieces: 2 }));
  const answer = await gateway.ask(`${MODEL}:streamGenerateContent?alt=sse`, { body: prompt("Hi") });
  await gate.next();
  await answer.nextChunk();
  bench.upstream.script.key(BETA).once(behave.quotaPerMinute({ retryDelay: "300s" }));
  const pinned = { body: prompt("Hi"), headers: { "x-aggregator-key": "beta" } };
  assert.equal((await gateway.ask(GENERATE, pinned)).status, 429);
  await rewrite(gateway, { ...written(gateway), keys: [{ ...KEYS.beta, name: "renamed" }] });
  gate.open();
  assert.match(await answer.text(), /finishReason/, "the answer of the removed key came to its end");
  const refused = await gateway.ask(GENERATE, { body: prompt("Hi") });
  assert.equal(refused.status, 429);
  assert.match((await refused.json()).error.message, /renamed: resting for/);
});

test("a proxy's new address is used, and no key goes past it", async () => {
  const [east, west] = [await bench.proxy(startDanted()), await bench.proxy(startDanted())];
  const keys = [{ ...KEYS.alpha, proxy: "way" }];
  const gateway = await bench.gateway({ keys, proxies: [{ name: "way", url: east.url }] });
  assert.equal(await served(gateway), "200 alpha");
  const words = await rewrite(gateway, { ...written(gateway), proxies: [{ name: "way", url: west.url }] });
  assert.match(words, /1 proxy changed/);
  assert.equal(await served(gateway), "200 alpha");
  const { peerPort } = bench.upstream.ledger.requests.at(-1) ?? {};
  await west.waitForEntry((entry) => entry.peerPort === peerPort);
});

test("tokens and the log's level hold from the reload on", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha] });
  const config = written(gateway);
  const server = { ...config.server, accessTokens: ["another-token-of-the-team"], adminToken: "token-of-the-admin" };
  const words = await rewrite(gateway, { ...config, server, log: { level: "info", format: "json" } });
  assert.match(words, /server\.accessTokens, server\.adminToken, log\.level/);
  assert.equal((await gateway.ask(GENERATE, { body: prompt("Hi") })).status, 401);
  const answer = await gateway.ask(GENERATE, { token: "another-token-of-the-team", body: prompt("Hi") });
  assert.equal(answer.status, 200);
  const health = { token: null, headers: { authorization: "Bearer token-of-the-admin" } };
  assert.equal((await gateway.ask("/admin/metrics", health)).status, 200);
  assert.ok(!gateway.log.all.some((line) => line.includes("token-of-the-team") || line.includes(TOKEN)));
});

test("another port is opened, the old one is left, and requests under way there finish", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha], server: { shutdownGraceSeconds: 10 } });
  const gate = createGate();
  bench.upstream.script.any().once(behave.answer({ gate, pieces: 2 }));
  const answer = await gateway.ask(`${MODEL}:streamGenerateContent?alt=sse`, { body: prompt("Hi") });
  await gate.next();
  await answer.nextChunk();
  const config = written(gateway);
  const port = await freePort();
  await rewrite(gateway, { ...config, server: { ...config.server, port } });
  const there = await fetch(`http://127.0.0.1:${port}/health`);
  assert.equal(there.status, 200);
  await assert.rejects(fetch(`${gateway.url}/health`));
  gate.open();
  assert.match(await answer.text(), /finishReason/);
  const taken = { ...config, server: { ...config.server, port: bench.upstream.httpPort }, keys: [] };
  assert.match(await rewrite(gateway, taken), /not used.*Port \d+ is taken by another program/);
  assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200);
});

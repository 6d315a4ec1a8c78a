/**
 * Loading is repeatable and ending is clean: two cores in one process, also from a copy of the file; a core in a thread
 * that is terminated under its running server; a process that ends by itself although its server runs. Nothing of one
 * core may be seen in the other, and every port is free afterwards.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Worker } from "node:worker_threads";
import { fetchRaw } from "../lib/fetch.mjs";
import { run } from "../lib/processes.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { accepts, pollUntil, withDeadline } from "../lib/wait.mjs";
import { behave, createGate, startUpstream } from "../upstream/index.mjs";
import { copiedAddon, loadAddon } from "./lib/addon.mjs";
import { ALPHA, ask, BETA, MODEL, prompt, tokenOf } from "./lib/bench.mjs";
import { Host } from "./lib/host.mjs";

/** @type {import("../upstream/index.mjs").Running} */
let upstream;
before(async () => {
  upstream = await startUpstream();
});
after(() => upstream?.close());

const toUpstream = () => ({ upstream: { baseUrl: upstream.httpUrl } });

/** @param {string} key @param {import("./lib/addon.mjs").AggregatorClass} [Core] */
async function serving(key, Core) {
  const host = new Host({ settings: toUpstream(), secrets: [ALPHA, BETA], Core });
  const url = await host.serve();
  await host.done({ kind: "add_key", key });
  return { host, url, port: Number(new URL(url).port), token: tokenOf(host) };
}

/** A terminated thread cannot clean up, so its folder is this thread's. */
function servingThread({ amidChange = false } = {}) {
  const folder = makeTempDir("addon-thread").path;
  const workerData = { baseUrl: upstream.httpUrl, key: ALPHA, folder, amidChange };
  return new Worker(new URL("./lib/serving-worker.mjs", import.meta.url), { workerData });
}

for (const [name, second] of /** @type {const} */ ([
  ["two cores of one file", () => loadAddon()],
  ["two cores, the second from a copied file", () => loadAddon(copiedAddon())],
])) {
  test(`${name} serve side by side, each with its own key and token, and end one by one`, async () => {
    const one = await serving(ALPHA);
    const two = await serving(BETA, second());
    assert.notEqual(one.port, two.port);
    for (const [core, key] of /** @type {const} */ ([
      [one, ALPHA],
      [two, BETA],
    ])) {
      assert.equal((await ask(core.url, core.token)).status, 200);
      assert.equal(upstream.ledger.requests.at(-1)?.key, key);
    }
    assert.equal((await ask(one.url, two.token)).status, 401);
    await one.host.close();
    assert.equal(await accepts(one.port), false);
    assert.equal((await ask(two.url, two.token)).status, 200);
    assert.equal(two.host.snapshot().keys.length, 1);
    await two.host.close();
    assert.equal(await accepts(two.port), false);
  });
}

test("a thread terminated under its running server frees the port and harms no other core", async () => {
  const here = await serving(BETA);
  const worker = servingThread();
  const [there] = await once(worker, "message");
  const port = Number(new URL(there.url).port);

  const gate = createGate();
  upstream.script.key(ALPHA).once(behave.answer({ gate }));
  const headers = { "x-goog-api-key": there.token };
  const stream = await fetchRaw(`${there.url}${MODEL}:streamGenerateContent?alt=sse`, { headers, body: prompt("Hi") });
  await gate.next();
  assert.ok(await stream.nextChunk(), "a stream is under way");

  await withDeadline(worker.terminate(), 10_000, "the thread does not end");
  await assert.rejects(stream.bytes(), "the stream breaks off");
  await pollUntil(async () => !(await accepts(port)), { what: `port ${port} is still taken` });
  assert.equal((await ask(here.url, here.token)).status, 200);
  await here.host.close();
});

test("threads that come and go, some in the middle of a change, leave nothing running", async () => {
  for (const round of [1, 2, 3, 4]) {
    const worker = servingThread({ amidChange: round % 2 === 0 });
    const [{ url, token }] = await once(worker, "message");
    assert.equal((await ask(url, token)).status, 200);
    await withDeadline(worker.terminate(), 10_000, "the thread does not end");
    const port = Number(new URL(url).port);
    await pollUntil(async () => !(await accepts(port)), { what: `port ${port} is still taken` });
  }
  await pollUntil(() => coreThreads() === 0, { what: "threads of closed cores are still there" });
});

/** How many threads of cores this process has, by the name that the system cuts to 15 characters. */
function coreThreads() {
  const threads = readdirSync("/proc/self/task").map((id) => {
    try {
      return readFileSync(`/proc/self/task/${id}/comm`, "utf8");
    } catch {
      return "a thread that has just ended";
    }
  });
  return threads.filter((name) => name.startsWith("gemini-aggregat")).length;
}

for (const how of ["serving", "closed", "told to exit while a change waits for the vault"]) {
  test(`a process ends in good order while its core is ${how}`, async () => {
    const program = new URL("./lib/ends-by-itself.mjs", import.meta.url).pathname;
    const { code, stdout, stderr } = await run(process.execPath, [program, how], { timeoutMs: 10_000 });
    assert.deepEqual([code, stderr], [0, ""]);
    const { port } = JSON.parse(stdout);
    assert.equal(await accepts(port), false);
  });
}

/**
 * The one callback into JavaScript is gentle and out of the way: at most four calls a second however many requests pass,
 * nothing lost in between, and requests are answered even while the JavaScript thread does nothing but something else.
 * The load comes from a worker, so that this thread stays free to receive, or blocked when that is the test.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { Worker } from "node:worker_threads";
import { ALPHA, tokenOf } from "./lib/bench.mjs";
import { Host } from "./lib/host.mjs";

const PAUSE_MS = 250;
const BURST = 600;

/** @type {Worker} */
let load;
/** @type {{upstreamUrl: string}} */
let ready;
const progress = new Int32Array(new SharedArrayBuffer(8));
before(async () => {
  load = new Worker(new URL("./lib/load-worker.mjs", import.meta.url), { workerData: { progress } });
  [ready] = await once(load, "message");
});
after(async () => {
  const ended = once(load, "exit");
  load.postMessage("end");
  await ended;
});

async function servingHost() {
  const host = new Host({ settings: { upstream: { baseUrl: ready.upstreamUrl } }, secrets: [ALPHA] });
  const url = await host.serve();
  await host.done({ kind: "add_key", key: ALPHA, name: "alpha" });
  return { host, order: { url, token: tokenOf(host) } };
}

/** @param {Host} host @param {number} since an index into the calls */
function finishedSince(host, since) {
  const messages = host.calls.slice(since).flat();
  return messages.filter(
    ({ kind, ...rest }) => kind === "event" && "event" in rest && rest.event.type === "request.finished",
  );
}

test(`${BURST} requests in a burst: at most four calls a second, and every request is told`, async (t) => {
  const { host, order } = await servingHost();
  const first = host.calls.length;
  const begun = performance.now();
  load.postMessage({ ...order, requests: BURST, atOnce: 8 });
  const [done] = await once(load, "message");
  assert.equal(done.ok, BURST);
  await host.until(() => finishedSince(host, first).length === BURST, "not every request was told");
  const at = host.calledAt.slice(first);
  const lasted = (at.at(-1) ?? begun) - begun;
  const gaps = at.slice(1).map((time, i) => time - (at[i] ?? 0));
  const middle = gaps.sort((a, b) => a - b)[gaps.length >> 1] ?? 0;
  t.diagnostic(`${at.length} calls in ${lasted.toFixed(0)} ms; gap in the middle ${middle.toFixed(0)} ms`);
  // One call may still have been on its way when the burst began, one comes at once.
  assert.ok(at.length <= 2 + lasted / PAUSE_MS, `${at.length} calls in ${lasted} ms`);
  assert.equal(host.snapshot().keys[0]?.request_count, BURST);
  await host.close();
});

test("each call ends with a snapshot, and they never go backwards", async () => {
  const { host, order } = await servingHost();
  load.postMessage({ ...order, requests: 50, atOnce: 4 });
  await once(load, "message");
  await host.until(() => finishedSince(host, 0).length === 50, "not every request was told");
  const revisions = host.calls.map((call) => {
    const last = call.at(-1);
    assert.equal(last?.kind, "snapshot");
    return last?.kind === "snapshot" ? last.snapshot.revision : Number.NaN;
  });
  assert.deepEqual(
    revisions,
    [...revisions].sort((a, b) => a - b),
  );
  await host.close();
});

test("requests are answered while this thread is blocked from the first to the last", async () => {
  const { host, order } = await servingHost();
  const calls = host.calls.length;
  Atomics.store(progress, 0, 0);
  load.postMessage({ ...order, requests: 100, atOnce: 4 });
  // Nothing of this thread runs until the worker has all its answers: not one callback, not one promise.
  const woken = Atomics.wait(progress, 0, 0, 20_000);
  assert.notEqual(woken, "timed-out", "the requests waited for the blocked thread");
  assert.equal(Atomics.load(progress, 0), 100);
  assert.equal(host.calls.length, calls);
  await host.until(() => finishedSince(host, calls).length === 100, "what happened meanwhile was never told");
  await host.close();
});

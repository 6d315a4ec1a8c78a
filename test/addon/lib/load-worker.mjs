/**
 * A thread with an event loop of its own that holds both ends of the load: the simulated upstream, and a client that
 * asks an endpoint a number of times, several at once. Tells its thread by message, and by a shared number for a thread
 * that is blocked; ends when told "end". Knows nothing of the core.
 */
import { Agent } from "node:http";
import { parentPort, workerData } from "node:worker_threads";
import { fetchRaw } from "../../lib/fetch.mjs";
import { startUpstream } from "../../upstream/index.mjs";
import { MODEL, prompt } from "./bench.mjs";

/** @typedef {{url: string, token: string, requests: number, atOnce: number}} Order */

const upstream = await startUpstream();
parentPort?.on("message", (order) => (order === "end" ? end() : run(order)));
parentPort?.postMessage({ upstreamUrl: upstream.httpUrl });

/** @param {Order} order */
async function run({ url, token, requests, atOnce }) {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  let left = requests;
  let ok = 0;
  async function lane() {
    while (left > 0) {
      left -= 1;
      const headers = { "x-goog-api-key": token };
      const answer = await fetchRaw(`${url}${MODEL}:countTokens`, { agent, headers, body: prompt("Hi") });
      await answer.bytes();
      if (answer.status === 200) ok += 1;
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane));
  agent.destroy();
  Atomics.store(workerData.progress, 0, ok);
  Atomics.notify(workerData.progress, 0);
  parentPort?.postMessage({ ok });
}

async function end() {
  await upstream.close();
  parentPort?.close();
}

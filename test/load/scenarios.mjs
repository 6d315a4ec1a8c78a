/**
 * What the program does under loads of different kinds, each an open loop for some seconds: small requests through a
 * CONNECT and a SOCKS proxy to an upstream with TLS, large uploads, a thousand streams at once, and an upstream that
 * fails one time in eight. A run with nothing between shows how steady the machine is. Figures only, no bounds.
 */
import { readdirSync } from "node:fs";
import { Agent } from "node:http";
import { Worker } from "node:worker_threads";
import { createAuthority } from "../lib/authority.mjs";
import { fetchRaw } from "../lib/fetch.mjs";
import { startMicrosocks, startTinyproxy } from "../proxies/index.mjs";
import { startGateway, TOKEN } from "./gateway.mjs";
import { openLoop } from "./open-loop.mjs";
import { cpuMicros, residentMb } from "./process-figures.mjs";

const UPLOAD_BYTES = 8 * 1024 * 1024;
const STREAMS = 1000;
/** Every stream lasts longer than it takes to begin all of them, so that all are open at once. */
const STREAM = { pieces: 8, spacingMs: 700 };
const STREAMS_PER_SECOND = 250;
const SAMPLE_MS = 100;
const PROMPT = JSON.stringify({ contents: [{ role: "user", parts: [{ text: "Say hello to the machine." }] }] });
const KEYS = [1, 2, 3, 4].map((number) => ({ name: `key-${number}`, key: `test-key-load-000${number}` }));

/**
 * @typedef {object} Scenario figures of one
 * @property {string} name
 * @property {number} perSecond requests answered
 * @property {number} p50Ms
 * @property {number} p99Ms
 * @property {number} p999Ms
 * @property {number} lateP99Ms how late the load itself was
 * @property {number} failed
 * @property {number | null} cpuMicrosPerRequest of the program; null without one
 * @property {number | null} residentMb at most
 * @property {number | null} descriptors at most
 *
 * @typedef {import("../proxies/proxy.mjs").Proxy} Proxy
 * @typedef {{path: string, body: string | Buffer, perSecond: number, seconds: number}} Work
 */

const model = (/** @type {string} */ name) => `/v1beta/models/${name}`;
/** @param {string} name @param {number} seconds @returns {Work} */
const small = (name, seconds) => ({ path: `${model(name)}:generateContent`, body: PROMPT, perSecond: 200, seconds });

/** @param {{seconds: number, log: (line: string) => void}} options @returns {Promise<Scenario[]>} */
export async function measureScenarios({ seconds, log }) {
  const authority = await createAuthority();
  const upstream = await startUpstream(authority);
  const secure = { baseUrl: upstream.httpsUrl, caFile: authority.caFile };
  const upload = { path: "/upload/v1beta/files", body: Buffer.alloc(UPLOAD_BYTES, 1), perSecond: 4, seconds };
  const streams = { path: `${model("gemini-load")}:streamGenerateContent?alt=sse`, body: PROMPT };
  const many = { ...streams, perSecond: STREAMS_PER_SECOND, seconds: STREAMS / STREAMS_PER_SECOND };
  try {
    /** @type {Scenario[]} */
    const all = [await run("direct, nothing between", upstream.httpUrl, null, small("gemini-load", seconds))];
    /** @type {[string, (() => Promise<Proxy>) | null, Work][]} */
    const behind = [
      ["small JSON, CONNECT and TLS", startTinyproxy, small("gemini-load", seconds)],
      ["small JSON, SOCKS and TLS", startMicrosocks, small("gemini-load", seconds)],
      ["8 MiB uploads, CONNECT and TLS", startTinyproxy, upload],
      [`${STREAMS} streams at once, TLS`, null, many],
      ["one in eight fails, SOCKS and TLS", startMicrosocks, small("gemini-mixed", seconds)],
    ];
    for (const [name, startProxy, work] of behind) {
      log(`Scenario: ${name}…`);
      all.push(await behindProgram(name, secure, startProxy, work));
    }
    return all;
  } finally {
    await upstream.stop();
    authority.dispose();
  }
}

/**
 * With a program and a proxy of its own, so that nothing of another scenario is still open.
 * @param {string} name @param {{baseUrl: string, caFile: string}} upstream @param {(() => Promise<Proxy>) | null} startProxy @param {Work} work
 */
async function behindProgram(name, upstream, startProxy, work) {
  const proxy = await startProxy?.();
  const gateway = await startGateway({ ...upstream, ...(proxy ? { proxyUrl: proxy.url } : {}), keys: KEYS });
  try {
    return await run(name, gateway.url, gateway.pid, work);
  } finally {
    await gateway.stop();
    await proxy?.stop();
  }
}

/** @param {string} name @param {string} url @param {number | null} pid @param {Work} work @returns {Promise<Scenario>} */
async function run(name, url, pid, { path, body, perSecond, seconds }) {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const headers = { "x-goog-api-key": TOKEN, "content-type": "application/json" };
  const send = async () => {
    const answer = await fetchRaw(`${url}${path}`, { agent, headers, body, timeoutMs: 30_000 });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`It was answered with ${answer.status}: ${text}`);
  };
  await send();
  const [held, before] = [watched(pid), pid === null ? 0 : cpuMicros(pid)];
  const { latency, late, failed, seconds: took } = await openLoop({ perSecond, seconds, send });
  const cpu = pid === null ? null : (cpuMicros(pid) - before) / (latency.count + failed);
  agent.destroy();
  return {
    name,
    perSecond: latency.count / took,
    p50Ms: latency.at(0.5),
    p99Ms: latency.at(0.99),
    p999Ms: latency.at(0.999),
    lateP99Ms: late.at(0.99),
    failed,
    cpuMicrosPerRequest: cpu,
    ...held.end(),
  };
}

/** The most memory and descriptors that a process holds meanwhile. @param {number | null} pid */
function watched(pid) {
  if (pid === null) return { end: () => ({ residentMb: null, descriptors: null }) };
  const most = { residentMb: 0, descriptors: 0 };
  const look = () => {
    most.residentMb = Math.max(most.residentMb, residentMb(pid));
    most.descriptors = Math.max(most.descriptors, readdirSync(`/proc/${pid}/fd`).length);
  };
  const timer = setInterval(look, SAMPLE_MS);
  return {
    end() {
      clearInterval(timer);
      look();
      return most;
    },
  };
}

/** @param {import("../lib/authority.mjs").Authority} authority */
async function startUpstream(authority) {
  const { cert, key } = await authority.issue([]);
  const worker = new Worker(new URL("./scenarios-upstream.mjs", import.meta.url), {
    workerData: { cert, key, ...STREAM },
  });
  const [plain, tls] = await new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  return {
    httpUrl: `http://127.0.0.1:${plain}`,
    httpsUrl: `https://127.0.0.1:${tls}`,
    stop: async () => void (await worker.terminate()),
  };
}

/**
 * The soak: many requests of both dialects through two running programs, six keys and four real proxies each, to an
 * upstream that fails in every way, while proxies die and come back and clients leave. Three ledgers are kept, and memory
 * and descriptors are watched. It gives figures and disagreements; what is good enough its reader decides.
 */
import { readdirSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { startGateway } from "../contract/lib/gateway.mjs";
import { createAuthority } from "../lib/authority.mjs";
import { pollUntil } from "../lib/wait.mjs";
import { onOneCore } from "./cores.mjs";
import { residentMb } from "./process-figures.mjs";
import { agreement } from "./soak/agreement.mjs";
import { sendAll } from "./soak/client.mjs";
import { Fleet } from "./soak/fleet.mjs";
import { allocateLedgers, ClientLedger, UpstreamLedger } from "./soak/ledgers.mjs";
import { KEYS, MOST_ATTEMPTS, PROGRAMS, secretOf } from "./soak/plan.mjs";
import { means, slope } from "./soak/slope.mjs";

/** SQLite's file, its log and the log's index: they are opened with the first save. */
const OF_THE_DATABASE = 3;
const PLACES = 96;
const SAMPLE_MS = 1000;
/** Of a run: what caches, pools and the allocator take until they are full. */
const WARM_UP = 0.3;
/** Samples taken together to tell how sure the slope is: memory in use comes and goes for many seconds, and single samples
 * would say the same thing again. The slope itself is that of all samples. */
const TOGETHER = 60;
const IN_SERIES = 12;
const HEALTH_CHECK_SECONDS = 10;

/**
 * @typedef {object} Memory of one program
 * @property {string} program
 * @property {number} firstMb after the warm-up
 * @property {number} lastMb when all had been answered
 * @property {number[]} series the whole run in about a dozen parts, the mean of each
 * @property {import("./soak/slope.mjs").Slope} slope of the samples after the warm-up, MiB an hour
 * @property {number} descriptorsBefore with those of the database, whose first save comes later
 * @property {number} descriptorsMost
 * @property {number} descriptorsAfter when every connection to clients and upstream is gone
 *
 * @typedef {{requests: number, seed: number, seconds: number, memory: Memory[], troubles: number} & import("./soak/agreement.mjs").Agreement} Soaked
 */

/**
 * @param {{requests: number, perSecond: number, troubleEveryMs: number, seed: number, oneCore?: boolean}} options
 * `oneCore`: each program has a single one, and so a single thread for its requests
 * @returns {Promise<Soaked>}
 */
export async function soak({ requests, perSecond, troubleEveryMs, seed, oneCore = false }) {
  const epoch = Date.now();
  const authority = await createAuthority();
  const shared = allocateLedgers(requests);
  const upstream = await startUpstream({ seed, requests, epoch, shared: shared.upstream, authority });
  const fleet = new Fleet(epoch);
  await fleet.start();
  const programs = await Promise.all(
    PROGRAMS.map((_, place) => startProgram({ place, fleet, upstream, authority, oneCore })),
  );
  const before = programs.map(({ pid }) => descriptors(pid) + OF_THE_DATABASE);
  const samples = sampling(programs);
  const [client, above] = [new ClientLedger(shared.client), new UpstreamLedger(shared.upstream)];
  const ends = new AbortController();
  const troubled = fleet.trouble(troubleEveryMs, ends.signal);
  const begun = performance.now();
  const urls = programs.map(({ url }) => url);
  await sendAll({ seed, requests, perSecond, places: PLACES, epoch, urls, ledger: client }, { sent: 0 });
  const seconds = (performance.now() - begun) / 1000;
  ends.abort();
  await troubled;
  const taken = samples.end();
  upstream.drop();
  const after = await Promise.all(programs.map(({ pid }, place) => drained(pid, before[place] ?? 0)));
  for (const program of programs) await program.stop();
  await fleet.stop();
  await upstream.stop();
  authority.dispose();
  const found = agreement({
    seed,
    requests,
    client,
    upstream: above,
    troubles: fleet.troubles,
    granted: fleet.granted(),
  });
  const memory = PROGRAMS.map((program, place) => ({
    program,
    ...memoryOf(taken[place] ?? []),
    descriptorsBefore: before[place] ?? 0,
    descriptorsAfter: after[place] ?? 0,
  }));
  return { requests, seed, seconds, memory, troubles: fleet.troubles.length, ...found };
}

/** @param {{place: number, fleet: Fleet, upstream: Awaited<ReturnType<typeof startUpstream>>, authority: import("../lib/authority.mjs").Authority, oneCore: boolean}} options */
function startProgram({ place, fleet, upstream, authority, oneCore }) {
  const keys = KEYS.map((key, number) => ({ name: `key-${number}`, key: secretOf(place, number), ...key }));
  const config = {
    server: { shutdownGraceSeconds: 5 },
    upstream: { baseUrl: upstream.urls[place], caFile: authority.caFile, requestTimeoutSeconds: 20 },
    keys,
    proxies: fleet.sections,
    // A key goes through its own proxy or not at all, which the ledgers can judge without knowing of moves.
    proxy: { failurePolicy: "fail", healthCheckIntervalSeconds: HEALTH_CHECK_SECONDS },
    maxAttempts: MOST_ATTEMPTS,
    log: { level: "error", format: "json" },
  };
  return startGateway({ config, under: oneCore ? onOneCore() : [] });
}

/** @param {{seed: number, requests: number, epoch: number, shared: import("./soak/ledgers.mjs").Shared, authority: import("../lib/authority.mjs").Authority}} options */
async function startUpstream({ authority, ...data }) {
  const { cert, key } = await authority.issue([]);
  const worker = new Worker(new URL("./soak/upstream.mjs", import.meta.url), { workerData: { ...data, cert, key } });
  const gone = new Promise((resolve, reject) => {
    worker.once("exit", resolve);
    worker.once("error", reject);
  });
  gone.catch(() => {});
  const ports = new Promise((resolve) => worker.once("message", resolve));
  const [plain, tls] = await Promise.race([ports, gone]);
  return {
    urls: [`http://127.0.0.1:${plain}`, `https://127.0.0.1:${tls}`],
    drop: () => worker.postMessage("drop"),
    async stop() {
      worker.postMessage("end");
      await gone;
    },
  };
}

/** @param {number} pid */
const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

/** What is open when nobody is connected any more; a probe of a proxy may be under way now and then. @param {number} pid @param {number} before */
async function drained(pid, before) {
  await pollUntil(() => descriptors(pid) <= before, { timeoutMs: 15_000, what: "" }).catch(() => {});
  return descriptors(pid);
}

/** @typedef {{seconds: number, mb: number, descriptors: number}} Sample */

/** One sample a second of each. @param {{pid: number}[]} programs */
function sampling(programs) {
  /** @type {Sample[][]} */
  const taken = programs.map(() => []);
  const begun = performance.now();
  const timer = setInterval(() => {
    const seconds = (performance.now() - begun) / 1000;
    for (const [place, { pid }] of programs.entries()) {
      taken[place]?.push({ seconds, mb: residentMb(pid), descriptors: descriptors(pid) });
    }
  }, SAMPLE_MS);
  return {
    end() {
      clearInterval(timer);
      return taken;
    },
  };
}

/** @param {Sample[]} samples */
function memoryOf(samples) {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP));
  const points = warm.map(({ seconds, mb }) => /** @type {[number, number]} */ ([seconds / 3600, mb]));
  return {
    firstMb: warm[0]?.mb ?? Number.NaN,
    lastMb: warm.at(-1)?.mb ?? Number.NaN,
    series: means(
      samples.map(({ seconds, mb }) => /** @type {[number, number]} */ ([seconds, mb])),
      Math.max(1, Math.floor(samples.length / IN_SERIES)),
    ).map(([, mb]) => Number(mb.toFixed(1))),
    slope: { perUnit: slope(points).perUnit, error: slope(means(points, TOGETHER)).error },
    descriptorsMost: Math.max(...samples.map((sample) => sample.descriptors)),
  };
}

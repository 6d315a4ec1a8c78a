/**
 * The gateway beside nginx on the same machine in the same minutes: both forward the same requests to the same nginx
 * upstream, in turns, and a direct run each turn shows how steady the machine was. Once over plain HTTP and once over
 * TLS to the upstream. Ratios travel between machines; the figures themselves do not.
 */
import { createAuthority } from "../lib/authority.mjs";
import { startGateway, TOKEN } from "./gateway.mjs";
import { startNginxProxy, startNginxUpstream } from "./nginx.mjs";
import { cpuMicros, residentMb } from "./process-figures.mjs";
import { wrk } from "./wrk.mjs";

/**
 * @typedef {object} Way
 * @property {string} name
 * @property {number} perSecond the median of the rounds
 * @property {number} p50Ms
 * @property {number} p99Ms
 * @property {number | null} cpuMicrosPerRequest of the program in the middle; null without one
 * @property {number | null} residentMb after the last round
 * @property {number} spread (largest − smallest) / median of the rounds' requests per second
 */

/** Beside nginx. */
export const LEAST_PER_SECOND = 0.8;
export const MOST_CPU = 1.5;

/** @typedef {{direct: Way, nginx: Way, gateway: Way}} Throughput */

/**
 * @param {{rounds: number, seconds: number, log: (line: string) => void}} options
 * @returns {Promise<{plain: Throughput, tls: Throughput}>} by how the upstream is spoken to
 */
export async function measureThroughput(options) {
  const plain = await measureOne(options);
  const authority = await createAuthority();
  try {
    return { plain, tls: await measureOne(options, authority) };
  } finally {
    authority.dispose();
  }
}

/**
 * @param {{rounds: number, seconds: number, log: (line: string) => void}} options
 * @param {import("../lib/authority.mjs").Authority} [authority] with one, the upstream speaks TLS
 * @returns {Promise<Throughput>}
 */
async function measureOne({ rounds, seconds, log }, authority) {
  const upstream = await startNginxUpstream(await authority?.issue(["localhost"]));
  const scheme = authority ? "https" : "http";
  const nginx = await startNginxProxy(upstream.port, authority?.caFile);
  const gateway = await startGateway({
    baseUrl: `${scheme}://localhost:${upstream.port}`,
    caFile: authority?.caFile,
  });
  const ways = {
    direct: new Rounds("direct", `${scheme}://127.0.0.1:${upstream.port}`, null),
    nginx: new Rounds("nginx", `http://127.0.0.1:${nginx.port}`, nginx.pid),
    gateway: new Rounds("gateway", gateway.url, gateway.pid),
  };
  try {
    for (const way of Object.values(ways)) await way.warmUp();
    for (let round = 1; round <= rounds; round += 1) {
      for (const way of Object.values(ways)) {
        const { perSecond } = await way.run(seconds);
        log(`${scheme}, round ${round} of ${rounds}, ${way.name}: ${Math.round(perSecond)} requests/s`);
      }
    }
    return { direct: ways.direct.sum(), nginx: ways.nginx.sum(), gateway: ways.gateway.sum() };
  } finally {
    await Promise.all([gateway.stop(), nginx.stop(), upstream.stop()]);
  }
}

/** One way's rounds. */
class Rounds {
  /** @type {import("./wrk.mjs").Run[]} */
  #runs = [];
  #cpuMicros = 0;
  #url;
  #pid;

  /** @param {string} name @param {string} url @param {number | null} pid */
  constructor(name, url, pid) {
    this.name = name;
    this.#url = url;
    this.#pid = pid;
  }

  /** Connections, caches and code pages are there afterwards. */
  async warmUp() {
    await wrk(this.#url, { seconds: 1, token: TOKEN });
  }

  /** @param {number} seconds */
  async run(seconds) {
    const before = this.#pid === null ? 0 : cpuMicros(this.#pid);
    const run = await wrk(this.#url, { seconds, token: TOKEN });
    this.#cpuMicros += this.#pid === null ? 0 : cpuMicros(this.#pid) - before;
    this.#runs.push(run);
    return run;
  }

  /** @returns {Way} */
  sum() {
    const all = this.#runs.map(({ perSecond }) => perSecond);
    const requests = this.#runs.reduce((sum, run) => sum + run.requests, 0);
    const perSecond = median(all);
    return {
      name: this.name,
      perSecond,
      p50Ms: median(this.#runs.map(({ p50Ms }) => p50Ms)),
      p99Ms: median(this.#runs.map(({ p99Ms }) => p99Ms)),
      cpuMicrosPerRequest: this.#pid === null ? null : this.#cpuMicros / requests,
      residentMb: this.#pid === null ? null : residentMb(this.#pid),
      spread: (Math.max(...all) - Math.min(...all)) / perSecond,
    };
  }
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

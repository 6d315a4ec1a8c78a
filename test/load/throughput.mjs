/**
 * The gateway beside nginx on the same machine in the same minutes: both forward the same requests to the same nginx
 * upstream, in turns, and a direct run each turn shows how steady the machine was. Ratios travel between machines;
 * the figures themselves do not.
 */
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

/**
 * @param {{rounds: number, seconds: number, log: (line: string) => void}} options
 * @returns {Promise<{direct: Way, nginx: Way, gateway: Way}>}
 */
export async function measureThroughput({ rounds, seconds, log }) {
  const upstream = await startNginxUpstream();
  const nginx = await startNginxProxy(upstream.port);
  const gateway = await startGateway({ baseUrl: `http://127.0.0.1:${upstream.port}` });
  const ways = {
    direct: new Rounds("direct", `http://127.0.0.1:${upstream.port}`, null),
    nginx: new Rounds("nginx", `http://127.0.0.1:${nginx.port}`, nginx.pid),
    gateway: new Rounds("gateway", gateway.url, gateway.pid),
  };
  try {
    for (const way of Object.values(ways)) await way.warmUp();
    for (let round = 1; round <= rounds; round += 1) {
      for (const way of Object.values(ways)) {
        const { perSecond } = await way.run(seconds);
        log(`round ${round} of ${rounds}, ${way.name}: ${Math.round(perSecond)} requests/s`);
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

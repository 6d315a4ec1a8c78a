/**
 * The gateway beside nginx on the same machine in the same minutes: both forward the same requests to the same nginx
 * upstream, in short turns, and a direct run each round shows how steady the machine was. Once over plain HTTP and once
 * over TLS to the upstream. A machine's speed wanders within minutes, so each round is a comparison of its own, and the
 * middle one of them counts. Figures do not travel between machines, and ratios only between like ones: where the peers are
 * fast, they sleep between two requests, and waking them is paid for by whoever sends.
 */
import { createAuthority } from "../lib/authority.mjs";
import { readEvents } from "./events-reader.mjs";
import { ADMIN_TOKEN, startGateway, TOKEN } from "./gateway.mjs";
import { startNginxProxy, startNginxUpstream } from "./nginx.mjs";
import { cpuMicros, residentMb } from "./process-figures.mjs";
import { quartiles } from "./quartiles.mjs";
import { wrk } from "./wrk.mjs";

/** @typedef {import("./quartiles.mjs").Quartiles} Quartiles */

/**
 * @typedef {object} Way
 * @property {string} name
 * @property {Quartiles} perSecond of the rounds
 * @property {number} p50Ms
 * @property {number} p99Ms
 * @property {number | null} cpuMicrosPerRequest of the program in the middle, over all rounds; null without one
 * @property {number | null} residentMb after the last round
 * @property {{perSecond: Quartiles, cpu: Quartiles | null}} ofNginx this way's figures over nginx's, round by round
 */

/** Beside nginx, in the middle round. */
export const LEAST_PER_SECOND = 0.8;
export const MOST_CPU = 1.5;
/** What a comparison takes: rounds are short, for the two sides of each have to meet the same machine. */
export const ROUNDS = { rounds: 15, seconds: 1 };

/** @typedef {{direct: Way, nginx: Way, gateway: Way, told: Way}} Throughput `told`: somebody reads all of its events */

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
  const start = () => startGateway({ baseUrl: `${scheme}://localhost:${upstream.port}`, caFile: authority?.caFile });
  const gateway = await start();
  // One of its own: events are kept for a while after their last reader.
  const told = await start();
  const ways = {
    direct: new Rounds("direct", `${scheme}://127.0.0.1:${upstream.port}`, null),
    nginx: new Rounds("nginx", `http://127.0.0.1:${nginx.port}`, nginx.pid),
    gateway: new Rounds("gateway", gateway.url, gateway.pid),
    told: new Rounds("gateway, its events read", told.url, told.pid),
  };
  /** @type {Awaited<ReturnType<typeof readEvents>> | undefined} */
  let reader;
  try {
    reader = await readEvents(told.url, ADMIN_TOKEN);
    for (const way of Object.values(ways)) await way.warmUp();
    for (let round = 1; round <= rounds; round += 1) {
      // Every other round backwards: nobody is always the one who comes first.
      const turns = round % 2 === 0 ? Object.values(ways).reverse() : Object.values(ways);
      for (const way of turns) {
        const { perSecond } = await way.run(seconds);
        log(`${scheme}, round ${round} of ${rounds}, ${way.name}: ${Math.round(perSecond)} requests/s`);
      }
    }
    const sum = (/** @type {Rounds} */ way) => way.sum(ways.nginx);
    return { direct: sum(ways.direct), nginx: sum(ways.nginx), gateway: sum(ways.gateway), told: sum(ways.told) };
  } finally {
    await reader?.stop();
    await Promise.all([gateway.stop(), told.stop(), nginx.stop(), upstream.stop()]);
  }
}

/** @typedef {{run: import("./wrk.mjs").Run, cpuMicros: number | null}} Round */

/** One way's rounds. */
class Rounds {
  /** @type {Round[]} */
  #rounds = [];
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
    const used = () => (this.#pid === null ? Number.NaN : cpuMicros(this.#pid));
    const before = used();
    const run = await wrk(this.#url, { seconds, token: TOKEN });
    this.#rounds.push({ run, cpuMicros: this.#pid === null ? null : used() - before });
    return run;
  }

  /** Requests per second, round by round. */
  get #perSecond() {
    return this.#rounds.map(({ run }) => run.perSecond);
  }

  /** Processor time of one request, round by round; empty without a program. */
  get #cpu() {
    return this.#rounds.flatMap(({ run, cpuMicros }) => (cpuMicros === null ? [] : [cpuMicros / run.requests]));
  }

  /** @param {Rounds} nginx @returns {Way} */
  sum(nginx) {
    const requests = this.#rounds.reduce((sum, { run }) => sum + run.requests, 0);
    const cpu = this.#rounds.reduce((sum, { cpuMicros }) => sum + (cpuMicros ?? 0), 0);
    return {
      name: this.name,
      perSecond: quartiles(this.#perSecond),
      p50Ms: quartiles(this.#rounds.map(({ run }) => run.p50Ms)).median,
      p99Ms: quartiles(this.#rounds.map(({ run }) => run.p99Ms)).median,
      cpuMicrosPerRequest: this.#pid === null ? null : cpu / requests,
      residentMb: this.#pid === null ? null : residentMb(this.#pid),
      ofNginx: {
        perSecond: quartiles(ratios(this.#perSecond, nginx.#perSecond)),
        cpu: this.#pid === null ? null : quartiles(ratios(this.#cpu, nginx.#cpu)),
      },
    };
  }
}

/** @param {number[]} own @param {number[]} theirs of the same rounds */
function ratios(own, theirs) {
  return own.map((figure, round) => figure / (theirs[round] ?? Number.NaN));
}

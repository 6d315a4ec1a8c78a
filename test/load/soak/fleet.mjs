/**
 * The proxies of the soak: four real programs, each going out from an address of its own, so that the upstream knows
 * whose tunnel it sees. Three of them get into trouble in turn: they die, and come back asking for a password that
 * nobody has, or working. Counts the tunnels that each granted by its own log, over all its lives.
 */
import { setTimeout as pause } from "node:timers/promises";
import { startDanted, startMicrosocks, startSquid, startTinyproxy } from "../../proxies/index.mjs";
import { PROXIES } from "./plan.mjs";

/**
 * @typedef {import("../../proxies/proxy.mjs").Proxy} Proxy
 * @typedef {import("./agreement.mjs").Trouble} Trouble
 * @typedef {(options: {port?: number, leaveFrom?: string, credentials?: import("../../proxies/proxy.mjs").Credentials | null}) => Promise<Proxy>} Start
 */

const STRANGER = { user: "somebody", password: "else" };
const TROUBLE_MS = 1500;
/** @type {Record<string, Start>} */
const PROGRAMS = { tinyproxy: startTinyproxy, microsocks: startMicrosocks, danted: startDanted, squid: startSquid };
/** Squid writes down a tunnel when it has ended, so it is let live: what a killed one carried is not in its log. */
const TROUBLES = [
  { proxy: "danted", kind: "dead" },
  { proxy: "tinyproxy", kind: "asks for a password" },
  { proxy: "microsocks", kind: "asks for a password" },
  { proxy: "tinyproxy", kind: "dead" },
  { proxy: "microsocks", kind: "dead" },
];

export class Fleet {
  /** @type {Map<string, Proxy[]>} every life of each, the present one last */
  #lives = new Map();
  /** @type {Trouble[]} */
  troubles = [];
  #now;

  /** @param {number} epoch */
  constructor(epoch) {
    this.#now = () => Date.now() - epoch;
  }

  async start() {
    for (const { name } of PROXIES) this.#lives.set(name, [await this.#born(name, {})]);
  }

  /** @returns {{name: string, url: string}[]} */
  get sections() {
    return PROXIES.map(({ name }) => ({ name, url: this.#present(name).url }));
  }

  /** One trouble after the other until `ends`, one begun every `everyMs`. @param {number} everyMs @param {AbortSignal} ends */
  async trouble(everyMs, ends) {
    for (let round = 0; !ends.aborted; round += 1) {
      await pause(everyMs - TROUBLE_MS, undefined, { signal: ends }).catch(() => {});
      const next = TROUBLES[round % TROUBLES.length];
      if (!next || ends.aborted) return;
      const fromMs = this.#now();
      const trouble = { ...next, fromMs, toMs: Number.POSITIVE_INFINITY };
      this.troubles.push(trouble);
      await this.#replace(next.proxy, next.kind === "dead" ? null : { credentials: STRANGER });
      await pause(TROUBLE_MS);
      await this.#replace(next.proxy, {});
      trouble.toMs = this.#now();
    }
  }

  /** What each granted by its log. @returns {Map<string, number>} */
  granted() {
    const sum = (/** @type {Proxy[]} */ lives) => lives.reduce((all, life) => all + life.tunnels(), 0);
    return new Map([...this.#lives].map(([name, lives]) => [name, sum(lives)]));
  }

  async stop() {
    for (const { name } of PROXIES) await this.#present(name).stop();
  }

  /** @param {string} name @param {Parameters<Start>[0] | null} next null: nothing takes its place yet */
  async #replace(name, next) {
    const present = this.#present(name);
    await present.stop();
    if (next) this.#lives.get(name)?.push(await this.#born(name, { ...next, port: present.port }));
  }

  /** @param {string} name @param {Parameters<Start>[0]} options */
  #born(name, options) {
    const leaveFrom = PROXIES.find((one) => one.name === name)?.address;
    return /** @type {Start} */ (PROGRAMS[name])({ ...options, leaveFrom });
  }

  /** @param {string} name */
  #present(name) {
    return /** @type {Proxy} */ (this.#lives.get(name)?.at(-1));
  }
}

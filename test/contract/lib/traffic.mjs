/**
 * Steady traffic on an endpoint, so many requests a second however slow the answers are, and the proof afterwards that
 * each left through the proxy of its key: what the program logged, held against the upstream's ledger and the proxies'
 * own logs. Knows the program's log and headers; decides nothing about proxies.
 */
import { setTimeout as pause } from "node:timers/promises";
import { withDeadline } from "../../lib/wait.mjs";
import { MODEL, prompt } from "./bench.mjs";

/**
 * @typedef {import("./gateway.mjs").Gateway} Gateway
 * @typedef {import("../../proxies/proxy.mjs").Proxy} Proxy
 * @typedef {{number: number, begun: number, ended: number, status: number, request: string, key: string, proxy: string, words: string}} Asked
 * @typedef {{at: number, event: string, request?: string, message: string}} Line one event in the program's log
 * @typedef {{key: string, proxy: string, result: string}} Attempt
 */

const ATTEMPT = /(?:\[|, )(key-\d+) → ([\w -]+?)(?:, no proxy works)? → (no answer|\d+)/g;

export class Traffic {
  /** @type {Asked[]} */
  asked = [];
  sent = 0;
  /** @type {Set<Promise<void>>} */
  #underWay = new Set();
  #ends = false;
  #gateway;
  #running;

  /** @param {Gateway} gateway @param {number} perSecond */
  constructor(gateway, perSecond) {
    this.#gateway = gateway;
    this.#running = this.#run(perSecond);
  }

  /** @param {number} perSecond */
  async #run(perSecond) {
    const begun = performance.now();
    while (!this.#ends) {
      const due = Math.floor(((performance.now() - begun) / 1000) * perSecond);
      while (this.sent < due) this.#send(this.sent++);
      await pause(1000 / perSecond);
    }
    await Promise.all(this.#underWay);
  }

  /** @param {number} number */
  #send(number) {
    const asking = this.#ask(number).finally(() => this.#underWay.delete(asking));
    this.#underWay.add(asking);
  }

  /** @param {number} number */
  async #ask(number) {
    const begun = Date.now();
    const answer = { status: 0, request: "", key: "", proxy: "", words: "" };
    try {
      const got = await this.#gateway.ask(`${MODEL}:generateContent`, { body: prompt(`number ${number}`) });
      const header = (/** @type {string} */ name) => String(got.headers[`x-aggregator-${name}`] ?? "");
      Object.assign(answer, { request: header("request-id"), key: header("key"), proxy: header("proxy") });
      answer.words = await got.text();
      answer.status = got.status;
    } catch (error) {
      answer.words = String(error);
    }
    this.asked.push({ number, begun, ended: Date.now(), ...answer });
  }

  /** Resolves when so many were sent. @param {number} count */
  async reaches(count) {
    while (this.sent < count) await pause(20);
  }

  /** Sends nothing more and waits for every answer. @returns {Promise<Asked[]>} */
  async end() {
    this.#ends = true;
    await withDeadline(this.#running, 60_000, "some requests were never answered");
    return this.asked;
  }
}

/** @type {WeakMap<object, {read: number, lines: Line[]}>} what was read of each log so far: it may be long */
const logs = new WeakMap();

/** @param {Gateway} gateway @returns {Line[]} every event in its log so far */
export function events({ log }) {
  const known = logs.get(log) ?? { read: 0, lines: [] };
  logs.set(log, known);
  for (; known.read < log.all.length; known.read += 1) {
    const text = log.all[known.read] ?? "";
    if (!text.startsWith("{")) continue;
    const { timestamp, event, request, message } = JSON.parse(text);
    if (event) known.lines.push({ at: Date.parse(timestamp), event, request, message });
  }
  return known.lines;
}

/** The attempts that a line about a finished request tells. @param {string} message @returns {Attempt[]} */
export function attemptsOf(message) {
  return [...message.matchAll(ATTEMPT)].map(([, key = "", proxy = "", result = ""]) => ({ key, proxy, result }));
}

/** When each key got which proxy, by the log. */
export class Assignments {
  /** @type {Map<string, {from: number, proxy: string}[]>} */
  #of = new Map();

  /** @param {Map<string, string>} first @param {Line[]} lines */
  constructor(first, lines) {
    for (const [key, proxy] of first) this.#of.set(key, [{ from: 0, proxy }]);
    for (const { at, event, message } of lines) {
      const [, key, proxy] = /^Key "(.+)" is assigned to (.+?) (?:automatically|by hand)\.$/.exec(message) ?? [];
      if (event === "assignment.changed" && key && proxy) this.#of.get(key)?.push({ from: at, proxy });
    }
  }

  /** Whether the key had that proxy at some time from `begun` to `ended`. @param {Attempt} pair @param {Asked} asked */
  held({ key, proxy }, { begun, ended }) {
    const all = this.#of.get(key) ?? [];
    // The log is written a moment after what it tells.
    const slack = 250;
    return all.some(({ from, proxy: had }, i) => {
      const until = all[i + 1]?.from ?? Number.POSITIVE_INFINITY;
      return had === proxy && from <= ended + slack && until >= begun - slack;
    });
  }

  /** The keys on each proxy at the end. @param {string[]} proxies */
  counts(proxies) {
    const last = [...this.#of.values()].map((all) => all.at(-1)?.proxy);
    return proxies.map((proxy) => last.filter((had) => had === proxy).length);
  }
}

/**
 * Every attempt that was on a wrong pair, in words: one the key was not assigned to, one the ledger saw and the program
 * did not tell, one that came to the upstream from another proxy than the program says.
 * @param {object} facts
 * @param {Asked[]} facts.asked
 * @param {Line[]} facts.lines
 * @param {Assignments} facts.assignments
 * @param {import("../../upstream/ledger.mjs").Ledger} facts.ledger
 * @param {Map<string, string>} facts.names of the keys, by their texts
 * @param {Map<string, Proxy[]>} facts.proxies by name, each with all that ran under it
 */
export function wrongPairs({ asked, lines, assignments, ledger, names, proxies }) {
  const carried = new Map([...proxies].map(([name, runs]) => [name, portsOf(runs)]));
  const told = new Map(lines.filter(({ request }) => request).map((line) => [line.request, attemptsOf(line.message)]));
  /** @type {Map<string, import("../../upstream/ledger.mjs").Received[]>} */
  const seen = new Map();
  for (const entry of ledger.requests) {
    const text = /"number \d+"/.exec(entry.body.text ?? "")?.[0] ?? "";
    seen.set(text, [...(seen.get(text) ?? []), entry]);
  }
  return asked.flatMap((one) => {
    const attempts = told.get(one.request) ?? [];
    const unassigned = attempts.filter((pair) => !assignments.held(pair, one));
    const strays = (seen.get(`"number ${one.number}"`) ?? []).filter(({ key, peerPort }) => {
      const name = names.get(key ?? "");
      return !attempts.some((pair) => pair.key === name && carried.get(pair.proxy)?.has(peerPort));
    });
    const words = [
      ...(attempts.length === 0 ? ["nothing is told of it"] : []),
      ...unassigned.map(({ key, proxy }) => `${key} was not assigned to ${proxy}`),
      ...strays.map(({ key, peerPort }) => `${names.get(key ?? "")} came from port ${peerPort}`),
    ];
    return words.map((text) => `request ${one.number}: ${text}`);
  });
}

/** @param {Proxy[]} runs @returns {Set<number | null>} */
function portsOf(runs) {
  return new Set(runs.flatMap((proxy) => proxy.log().map((entry) => entry.peerPort)));
}

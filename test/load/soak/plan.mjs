/**
 * What happens to each request of the soak, decided by its number and the seed alone: what its client asks and whether
 * it leaves, and what the upstream does each time it arrives there. Client and upstream read the same plan in threads of
 * their own and never speak to each other. Knows no socket and no ledger.
 */

/** Keys of each program, the project and the proxy of each: two projects have two keys. */
export const KEYS = [
  { project: "north", proxy: "tinyproxy" },
  { project: "north", proxy: "squid" },
  { project: "east", proxy: "microsocks" },
  { project: "south", proxy: "danted" },
  { project: "west", proxy: "squid" },
  { project: "west", proxy: "microsocks" },
];
/** The proxies and the address from which each goes out, which is how the upstream tells them apart. */
export const PROXIES = [
  { name: "tinyproxy", address: "127.0.0.11" },
  { name: "microsocks", address: "127.0.0.12" },
  { name: "danted", address: "127.0.0.13" },
  { name: "squid", address: "127.0.0.14" },
];
/** One reaches the upstream in the clear, the other by TLS; each has all keys under names of its own. */
export const PROGRAMS = ["plain", "tls"];
export const MOST_ATTEMPTS = 4;

const MODELS = 16;
/** Models whose daily quota runs out in the middle of the run. */
const DAILY_MODELS = 2;
const DAILY_SHARE = 0.02;

/** @param {number} program @param {number} key */
export const secretOf = (program, key) => `test-key-soak-${PROGRAMS[program]}-000${key}`;

/**
 * An even number from 0 to 1, the same for the same three.
 * @param {number} seed @param {number} id @param {number} what
 */
export function chance(seed, id, what) {
  let h = (seed ^ Math.imul(id + 1, 0x9e3779b1) ^ Math.imul(what + 1, 0x85ebca6b)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

/**
 * @typedef {"whole" | "stream" | "create"} Kind
 * @typedef {object} Asked
 * @property {number} program
 * @property {"gemini" | "openai"} dialect
 * @property {Kind} kind
 * @property {string} model
 * @property {"stays" | "leaves early" | "leaves late"} patience
 * @property {number} leavesAfterMs only when it leaves early
 */

/** @param {number} seed @param {number} id @returns {Asked} */
export function asked(seed, id) {
  const as = chance(seed, id, 1);
  const kind = as < 0.06 ? "create" : as < 0.5 ? "stream" : "whole";
  const dialect = kind !== "create" && chance(seed, id, 2) < 0.3 ? "openai" : "gemini";
  const leaving = chance(seed, id, 3);
  return {
    program: id % PROGRAMS.length,
    dialect,
    kind,
    model: modelOf(seed, id),
    patience: leaving < 0.01 ? "leaves early" : leaving < 0.02 ? "leaves late" : "stays",
    leavesAfterMs: Math.floor(chance(seed, id, 4) * 40),
  };
}

/** @param {number} seed @param {number} id */
function modelOf(seed, id) {
  const place = chance(seed, id, 5);
  if (place < DAILY_SHARE) return `gemini-daily-${Math.floor((place / DAILY_SHARE) * DAILY_MODELS)}`;
  return `gemini-soak-${Math.floor(chance(seed, id, 6) * MODELS)}`;
}

/**
 * How many answers a project has for each of the models with a daily quota: about half of those asked for.
 * @param {number} requests
 */
export function dailyQuota(requests) {
  const projects = new Set(KEYS.map(({ project }) => project)).size;
  return Math.max(1, Math.floor((requests * DAILY_SHARE) / PROGRAMS.length / projects / DAILY_MODELS / 2));
}

/** @typedef {"good" | "slow" | "trickle" | "429" | "500" | "503" | "reset" | "cut"} Deed */
/** @type {[Deed, number][]} */
const DEEDS = [
  ["429", 0.025],
  ["500", 0.015],
  ["503", 0.015],
  ["reset", 0.02],
  ["cut", 0.02],
  ["slow", 0.02],
  ["trickle", 0.02],
];

/** What the upstream does with the `arrival`-th arrival of a request. @param {number} seed @param {number} id @param {number} arrival @returns {Deed} */
export function deed(seed, id, arrival) {
  let left = chance(seed, id, 16 + arrival);
  for (const [name, share] of DEEDS) {
    if (left < share) return name;
    left -= share;
  }
  return "good";
}

/** How long the text of an answer is: mostly short, one in a hundred long. @param {number} seed @param {number} id */
export function answerLength(seed, id) {
  const size = chance(seed, id, 7);
  return size > 0.99 ? 100_000 : Math.floor(100 + size * 2000);
}

/** A word by which request and answer know each other; the same length for all. @param {number} id */
export const nameOf = (id) => `soak ${String(id).padStart(9, "0")}`;
/** How an answer's text ends when it is whole. */
export const END = "soak-end";

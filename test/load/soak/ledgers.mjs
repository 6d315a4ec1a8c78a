/**
 * The ledgers of clients and upstream: a few bytes for each request in memory that threads share, so that a million
 * requests fit. Each side writes only its own and only what it saw itself. What must agree is judged in `agreement.mjs`.
 */

/** How a request ended for its client. */
export const End = Object.freeze({
  none: 0,
  /** A good answer, whole. */
  whole: 1,
  /** An error that the upstream said. */
  refusedThere: 2,
  /** An error that the program said. */
  refusedHere: 3,
  /** An answer that began and broke off, and that the client could see broke off. */
  broken: 4,
  /** The client left before a byte came. */
  leftEarly: 5,
  /** The client left in the middle of the answer. */
  leftLate: 6,
  /** The connection ended without a byte of an answer: never right. */
  lost: 7,
  /** Nothing came for longer than anything may take: never right. */
  hung: 8,
  /** An answer of another request, or one that is wrong in itself: never right. */
  wrong: 9,
});

/** What the upstream did with an arrival of a request. */
export const Did = Object.freeze({ nothing: 0, answered: 1, refused: 2, reset: 3, cut: 4 });

/** @typedef {{[field: string]: SharedArrayBuffer}} Shared */

const CLIENT = { end: 1, status: 2, attempts: 1, seen: 1, key: 1, proxy: 1, begunMs: 4, endedMs: 4 };
const UPSTREAM = { arrivals: 1, made: 1 };
/** For each arrival, of which a request has at most so many; those beyond are counted and not described. */
const ARRIVAL = { did: 1, status: 2, key: 1, proxy: 1, atMs: 4 };
const MOST_ARRIVALS = 5;
const TALLY = 8_192;

/** @param {{[field: string]: number}} widths @param {number} requests @returns {Shared} */
function allocate(widths, requests) {
  const fields = Object.entries(widths).map(([name, width]) => [name, new SharedArrayBuffer(width * requests)]);
  return { ...Object.fromEntries(fields), tally: new SharedArrayBuffer(4 * TALLY) };
}

/** @param {{[field: string]: number}} widths @param {Shared} shared @returns {any} */
function views(widths, shared) {
  const arrays = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };
  const view = (/** @type {string} */ name, /** @type {number} */ width) => {
    const Kind = arrays[/** @type {1 | 2 | 4} */ (width)];
    return [name, new Kind(/** @type {SharedArrayBuffer} */ (shared[name]))];
  };
  return Object.fromEntries(Object.entries(widths).map(([name, width]) => view(name, width)));
}

/** @param {number} requests */
export const allocateLedgers = (requests) => ({
  client: allocate(CLIENT, requests),
  upstream: { ...allocate(ARRIVAL, requests * MOST_ARRIVALS), ...allocate(UPSTREAM, requests) },
});

/** What each client sent and got, by the request's number. Keys and proxies are kept as their place in the plan plus one. */
export class ClientLedger {
  /** @type {Uint8Array} */ end;
  /** @type {Uint16Array} */ status;
  /** @type {Uint8Array} as the answer's header says */ attempts;
  /** @type {Uint8Array} the arrival at the upstream whose answer this is, as its text says; 0: no text came */ seen;
  /** @type {Uint8Array} */ key;
  /** @type {Uint8Array} */ proxy;
  /** @type {Uint32Array} */ begunMs;
  /** @type {Uint32Array} */ endedMs;
  #tally;

  /** @param {Shared} shared */
  constructor(shared) {
    const { end, status, attempts, seen, key, proxy, begunMs, endedMs } = views(CLIENT, shared);
    this.end = end;
    this.status = status;
    this.attempts = attempts;
    this.seen = seen;
    this.key = key;
    this.proxy = proxy;
    this.begunMs = begunMs;
    this.endedMs = endedMs;
    this.#tally = new Int32Array(/** @type {SharedArrayBuffer} */ (shared.tally));
  }

  /** Requests that ended twice. */
  get endedTwice() {
    return this.#tally[0] ?? 0;
  }

  /** @param {number} id @param {number} nowMs */
  begins(id, nowMs) {
    this.begunMs[id] = nowMs;
  }

  /** @param {number} id @param {number} end @param {number} nowMs */
  ends(id, end, nowMs) {
    if (this.end[id] !== End.none) this.#tally[0] = (this.#tally[0] ?? 0) + 1;
    this.end[id] = end;
    this.endedMs[id] = nowMs;
  }
}

/** The upstream's tally beside the requests: where in its array what is counted stands. */
const Counted = Object.freeze({ nameless: 0, afterDaily: 1, silent: 2, tunnels: 256, silentOnes: 300 });
const MOST_SILENT = 3_900;

/** Which requests arrived, each time with which key, through which proxy, and what was done. */
export class UpstreamLedger {
  /** @type {Uint8Array} how often */ arrivals;
  /** @type {Uint8Array} arrivals that a call which creates something may have been carried out by */ made;
  #arrival;
  #tally;

  /** @param {Shared} shared */
  constructor(shared) {
    const { arrivals, made } = views(UPSTREAM, shared);
    this.arrivals = arrivals;
    this.made = made;
    this.#arrival = views(ARRIVAL, shared);
    this.#tally = new Int32Array(/** @type {SharedArrayBuffer} */ (shared.tally));
  }

  /** The number of this arrival of the request, from 1 on. @param {number} id @param {{key: number, proxy: number, atMs: number}} seen */
  arrived(id, seen) {
    const number = (this.arrivals[id] ?? 0) + 1;
    this.arrivals[id] = number;
    this.#write(id, number, seen);
    return number;
  }

  /** @param {number} id @param {number} number of the arrival @param {number} did @param {number} status */
  does(id, number, did, status) {
    this.#write(id, number, { did, status });
  }

  /** @param {number} id @param {number} number @param {Record<string, number>} values */
  #write(id, number, values) {
    if (number > MOST_ARRIVALS) return;
    for (const [field, value] of Object.entries(values)) this.#arrival[field][id * MOST_ARRIVALS + number - 1] = value;
  }

  /** @param {number} id @returns {{number: number, did: number, status: number, key: number, proxy: number, atMs: number}[]} */
  of(id) {
    const count = Math.min(MOST_ARRIVALS, this.arrivals[id] ?? 0);
    return Array.from({ length: count }, (_, place) => {
      const at = (/** @type {string} */ field) => this.#arrival[field][id * MOST_ARRIVALS + place];
      return {
        number: place + 1,
        did: at("did"),
        status: at("status"),
        key: at("key"),
        proxy: at("proxy"),
        atMs: at("atMs"),
      };
    });
  }

  /** @param {number} place */
  #count(place) {
    this.#tally[place] = (this.#tally[place] ?? 0) + 1;
  }

  /** A request that was cut off before its number came. */
  nameless() {
    this.#count(Counted.nameless);
  }

  /** A quota of the day that was asked for long after it had said so. */
  afterDaily() {
    this.#count(Counted.afterDaily);
  }

  /** @param {number} proxy its place in the plan plus one; 0: nobody's, so a direct connection */
  connected(proxy) {
    this.#count(Counted.tunnels + proxy);
  }

  /**
   * A connection from a proxy ended without a byte. Those beyond some thousands are forgotten.
   * @param {number} proxy as in `connected`
   * @param {number} atMs
   */
  silent(proxy, atMs) {
    const number = this.#tally[Counted.silent] ?? 0;
    if (number >= MOST_SILENT) return;
    this.#tally.set([proxy, atMs], Counted.silentOnes + 2 * number);
    this.#tally[Counted.silent] = number + 1;
  }

  /** @returns {{proxy: number, atMs: number}[]} */
  get silentOnes() {
    return Array.from({ length: this.#tally[Counted.silent] ?? 0 }, (_, number) => {
      const at = Counted.silentOnes + 2 * number;
      return { proxy: this.#tally[at] ?? 0, atMs: this.#tally[at + 1] ?? 0 };
    });
  }

  get counted() {
    const at = (/** @type {number} */ place) => this.#tally[place] ?? 0;
    return { nameless: at(Counted.nameless), afterDaily: at(Counted.afterDaily) };
  }

  /** Connections accepted so far that came from a proxy. @param {number} proxy as in `connected` */
  tunnels(proxy) {
    return this.#tally[Counted.tunnels + proxy] ?? 0;
  }
}

/**
 * The script: which request meets which behaviour. Rules are made per key, for any key, or for whatever a function
 * recognises; counted rules are used up in the order in which they were written, before the standing ones. Knows
 * behaviours only as values to hand out.
 */

/**
 * @typedef {import("./behaviour.mjs").Behaviour} Behaviour
 * @typedef {{key: string | null, method: string, path: string, upgrade?: boolean, entry: import("./ledger.mjs").Received}} Request
 * @typedef {{fits: (request: Request) => boolean, behaviour: Behaviour, left: number}} Rule
 */

class Target {
  #fits;
  #script;

  /**
   * @param {Script} script
   * @param {(request: Request) => boolean} fits
   */
  constructor(script, fits) {
    this.#script = script;
    this.#fits = fits;
  }

  /** @param {number} n @param {Behaviour} behaviour */
  times(n, behaviour) {
    this.#script.add({ fits: this.#fits, behaviour, left: n });
    return this;
  }

  /** @param {Behaviour} behaviour */
  once(behaviour) {
    return this.times(1, behaviour);
  }

  /** From now on, until the script says otherwise; the latest `always` wins. @param {Behaviour} behaviour */
  always(behaviour) {
    return this.times(Number.POSITIVE_INFINITY, behaviour);
  }
}

export class Script {
  /** @type {Rule[]} */
  #counted = [];
  /** @type {Rule[]} */
  #standing = [];

  /**
   * Requests that carry exactly this key as their only credential (upload chunks count for the key that began them).
   * @param {string} key
   */
  key(key) {
    return new Target(this, (request) => request.key === key);
  }

  /** Requests with exactly one key, whichever; unauthenticated probes are left alone. */
  any() {
    return new Target(this, (request) => request.key !== null);
  }

  /**
   * Every request that the function recognises, unauthenticated ones too.
   * @param {(request: Request) => boolean} fits
   */
  when(fits) {
    return new Target(this, fits);
  }

  clear() {
    this.#counted = [];
    this.#standing = [];
  }

  /** @param {Rule} rule */
  add(rule) {
    if (Number.isFinite(rule.left)) this.#counted.push(rule);
    else this.#standing.unshift(rule);
  }

  /**
   * The behaviour for this request; a counted rule is used up by being taken.
   * @param {Request} request
   * @returns {Behaviour | null}
   */
  take(request) {
    // What a Live session does waits for a request that opens one.
    const applies = (/** @type {Rule} */ r) => r.behaviour.kind !== "live" || request.upgrade === true;
    const rule = [...this.#counted, ...this.#standing].find((r) => r.left > 0 && applies(r) && r.fits(request));
    if (!rule) return null;
    rule.left -= 1;
    return rule.behaviour;
  }
}

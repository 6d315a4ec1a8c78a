/**
 * A histogram of times in the manner of HdrHistogram: buckets whose width grows with the value, so that every value is
 * known to within 1 %, in a few kilobytes however many are recorded. Knows nothing of what took the time.
 */

/** Buckets for each doubling. */
const STEPS = 128;
const MOST_DOUBLINGS = 40;

export class Histogram {
  #counts = new Uint32Array(STEPS * MOST_DOUBLINGS);
  count = 0;
  max = 0;

  /** @param {number} ms */
  record(ms) {
    const micros = Math.max(1, ms * 1000);
    const place = Math.min(this.#counts.length - 1, Math.floor(Math.log2(micros) * STEPS));
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.count += 1;
    this.max = Math.max(this.max, ms);
  }

  /** @param {number} share such as 0.99 @returns {number} milliseconds that so many did not exceed */
  at(share) {
    const wanted = Math.ceil(this.count * share);
    let seen = 0;
    for (const [place, count] of this.#counts.entries()) {
      seen += count;
      if (count > 0 && seen >= wanted) return Math.min(this.max, 2 ** ((place + 1) / STEPS) / 1000);
    }
    return Number.NaN;
  }
}

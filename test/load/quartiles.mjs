/**
 * The middle of some figures and where the middle half of them lies: what a few bad rounds do not move. Knows nothing of
 * what was measured.
 */

/** @typedef {{low: number, median: number, high: number}} Quartiles a quarter of the figures lies below `low`, one above `high` */

/** @param {number[]} figures not none @returns {Quartiles} */
export function quartiles(figures) {
  const sorted = [...figures].sort((a, b) => a - b);
  const at = (/** @type {number} */ share) => {
    const place = (sorted.length - 1) * share;
    const [below, above] = [sorted[Math.floor(place)] ?? Number.NaN, sorted[Math.ceil(place)] ?? Number.NaN];
    return below + (above - below) * (place - Math.floor(place));
  };
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}

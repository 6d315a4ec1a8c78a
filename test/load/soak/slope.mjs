/**
 * The straight line through points by least squares: how much the second figure grows with the first, and how sure that
 * is. Knows nothing of memory.
 */

/** @typedef {{perUnit: number, error: number}} Slope `error` is the standard error of `perUnit` */

/** @param {[number, number][]} points @returns {Slope} */
export function slope(points) {
  const count = points.length;
  if (count < 3) return { perUnit: 0, error: Number.POSITIVE_INFINITY };
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count;
  const spreadX = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const perUnit = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spreadX;
  const left = points.reduce((sum, [x, y]) => sum + (y - meanY - perUnit * (x - meanX)) ** 2, 0);
  return { perUnit, error: Math.sqrt(left / (count - 2) / spreadX) };
}

/**
 * The means of so many points at a time; what is left at the end is no whole one.
 * @param {[number, number][]} points @param {number} together @returns {[number, number][]}
 */
export function means(points, together) {
  return Array.from({ length: Math.floor(points.length / together) }, (_, place) => {
    const some = points.slice(place * together, (place + 1) * together);
    return [some.reduce((sum, [x]) => sum + x, 0) / together, some.reduce((sum, [, y]) => sum + y, 0) / together];
  });
}

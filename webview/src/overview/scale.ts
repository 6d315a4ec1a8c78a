// The geometry of the small charts: where a scale ends, where a bar stands, which way a line goes. Pure numbers and SVG
// path data; colours and words are elsewhere.

/** A chart is drawn in these units and stretched to its place. */
export const WIDTH = 240;
export const HEIGHT = 64;

export type Bar = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** The least of 1, 2, 5, 10, 20, … that is not below the largest value: a round number to write at the axis. */
export function niceTop(largest: number): number {
  if (!(largest > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(largest));
  // A hair of tolerance, because 10 ** -2 and the like are not exact.
  const step = [1, 2, 5].find((factor) => factor * unit >= largest * (1 - 1e-9)) ?? 10;
  return step * unit;
}

/** Bars on the bottom line, or on what `below` says lies there already. What is there is at least one unit high. */
export function bars(values: readonly number[], top: number, below: readonly number[] = []): (Bar | undefined)[] {
  const step = WIDTH / values.length;
  return values.map((value, index) => {
    if (value <= 0) return undefined;
    const base = height(below[index] ?? 0, top);
    const size = Math.min(height(value, top), HEIGHT - base);
    return {
      x: round(index * step + step * 0.1),
      y: round(HEIGHT - base - size),
      width: round(step * 0.8),
      height: round(size),
    };
  });
}

/** A line through the values, broken where one is missing; a lone value is a short dash, so that it can be seen. */
export function linePath(values: readonly (number | null)[], top: number): string {
  const step = WIDTH / values.length;
  let path = "";
  values.forEach((value, index) => {
    if (value === null) return;
    const middle = (index + 0.5) * step;
    const y = round(HEIGHT - Math.min(value / top, 1) * HEIGHT);
    const begins = (values[index - 1] ?? null) === null;
    const ends = (values[index + 1] ?? null) === null;
    if (begins && ends) path += `M${round(middle - step * 0.4)} ${y}H${round(middle + step * 0.4)}`;
    else path += `${begins ? "M" : "L"}${round(middle)} ${y}`;
  });
  return path;
}

function height(value: number, top: number): number {
  return value <= 0 ? 0 : Math.min(HEIGHT, Math.max(1, (value / top) * HEIGHT));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

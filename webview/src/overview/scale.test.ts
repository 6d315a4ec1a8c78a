// Scales end on round numbers, bars stack without leaving the chart, and lines have gaps where nothing was measured.

import { expect, it } from "vitest";
import { bars, HEIGHT, linePath, niceTop } from "./scale";

it.each([
  [0, 1],
  [0.012, 0.02],
  [1, 1],
  [1.1, 2],
  [4, 5],
  [10, 10],
  [730, 1000],
  [2_001, 5_000],
])("a scale up to %d ends at %d", (largest, top) => expect(niceTop(largest)).toBeCloseTo(top, 10));

it("stands bars on the bottom line and on each other", () => {
  const failed = bars([2, 0], 10);
  const rest = bars([8, 5], 10, [2, 0]);
  expect(failed[0]).toMatchObject({ y: HEIGHT * 0.8, height: HEIGHT * 0.2 });
  expect(rest[0]).toMatchObject({ y: 0, height: HEIGHT * 0.8 });
  expect(failed[1]).toBeUndefined();
  expect(rest[1]).toMatchObject({ y: HEIGHT / 2, height: HEIGHT / 2 });
});

it("shows one of a thousand", () => {
  expect(bars([1], 1000)[0]?.height).toBe(1);
});

it("never leaves the chart, however full the bar below", () => {
  const [top] = bars([999], 1000, [1]);
  expect(top?.y).toBeGreaterThanOrEqual(0);
});

it("breaks a line where nothing was measured", () => {
  expect(linePath([0, 10, null, 5], 10)).toBe("M30 64L90 0M186 32H234");
  expect(linePath([null, null], 10)).toBe("");
});

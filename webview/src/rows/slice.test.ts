// However long the list and wherever it is scrolled to, few rows are drawn, and those in sight are among them.

import { expect, it } from "vitest";
import { sliceOf } from "./slice";

const ROW = 50;
const SIGHT = 500;

it.each([0, 1, 49, 50, 260_000, 499_500, 499_999])("at %d pixels of 10,000 rows all rows in sight are drawn", (top) => {
  const { from, to, above, below } = sliceOf(10_000, ROW, top, SIGHT);
  const [first, last] = [Math.floor(top / ROW), Math.min(9_999, Math.floor((top + SIGHT - 1) / ROW))];
  expect(from).toBeLessThanOrEqual(first);
  expect(to).toBeGreaterThan(last);
  expect(to - from).toBeLessThanOrEqual(60);
  expect(above + (to - from) * ROW + below).toBe(10_000 * ROW);
});

it("draws a short list whole, and the end of one that became shorter", () => {
  expect(sliceOf(5, ROW, 0, SIGHT)).toEqual({ from: 0, to: 5, above: 0, below: 0 });
  expect(sliceOf(0, ROW, 0, SIGHT)).toEqual({ from: 0, to: 0, above: 0, below: 0 });
  const shrunk = sliceOf(100, ROW, 400_000, SIGHT);
  expect(shrunk.to).toBe(100);
  expect(shrunk.from).toBeLessThan(90);
});

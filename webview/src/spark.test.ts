// A sparkline shows every minute with an attempt, and every one with a failure, however small its part.

import { expect, it } from "vitest";
import { sparkPaths } from "./spark";

const count = (path: string) => path.split("M").length - 1;

it("has a bar for each minute with attempts and a mark for each with failures", () => {
  const { all, failed } = sparkPaths([5, 0, 3, 2], [0, 0, 1, 2]);
  // The last minute failed altogether: its bar is the mark.
  expect([count(all), count(failed)]).toEqual([2, 2]);
});

it("shows one failure among thousands, and the one success among failures", () => {
  expect(sparkPaths([5000], [1])).toEqual({
    all: "M77.33 0h2.13v16h-2.13z",
    failed: "M77.33 16h2.13v2h-2.13z",
  });
  expect(sparkPaths([5000], [4999]).all).toBe("M77.33 0h2.13v2h-2.13z");
});

it("puts the present minute at the right edge", () => {
  expect(sparkPaths([1], []).all).toMatch(/^M77\.33 /);
  expect(sparkPaths(Array(30).fill(1), []).all).toMatch(/^M0 .*M77\.33 /);
});

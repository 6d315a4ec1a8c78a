// The largest come first by name, and what is left is told as one, so that the bars always add up to the whole.

import { expect, it } from "vitest";
import { type Part, sharesOf } from "./shares";

const parts = (...amounts: number[]): Part[] => amounts.map((amount, index) => ({ name: `k${index}`, amount }));

it("puts the largest first and leaves out those without a part", () => {
  const { total, top, others } = sharesOf(parts(1, 0, 3));
  expect(total).toBe(4);
  expect(top.map(({ name, share }) => [name, share])).toEqual([
    ["k2", 0.75],
    ["k0", 0.25],
  ]);
  expect(others).toBeUndefined();
});

it("tells the rest as one", () => {
  const { top, others } = sharesOf(parts(5, 4, 3, 2, 1, 1), 3);
  expect(top.map(({ amount }) => amount)).toEqual([5, 4, 3]);
  expect(others).toMatchObject({ amount: 4, share: 0.25, count: 3 });
});

it("names a single one left over", () => {
  const { top, others } = sharesOf(parts(3, 2, 1), 2);
  expect(top).toHaveLength(3);
  expect(others).toBeUndefined();
});

it("has nothing to tell of nothing", () => {
  expect(sharesOf(parts(0, 0))).toEqual({ total: 0, top: [], others: undefined });
});

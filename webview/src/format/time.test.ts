// Times read as a person would say them, at the edges too.

import { expect, it } from "vitest";
import { ago, countdown, duration } from "./time";

const now = 1_000_000_000;

it.each([
  [null, "never"],
  [now + 500, "just now"],
  [now - 4_999, "just now"],
  [now - 59_999, "59 s ago"],
  [now - 60_000, "1 min ago"],
  [now - 3_600_000, "1 h ago"],
  [now - 200_000_000, "2 d ago"],
])("%j was %s", (at, words) => {
  expect(ago(at, now)).toBe(words);
});

it.each([
  [0, undefined],
  [-5, undefined],
  [1, "0:01"],
  [42_000, "0:42"],
  [61_000, "1:01"],
  [10_809_000, "3:00:09"],
])("%j ms to go reads %j", (left, words) => {
  expect(countdown(now + left, now)).toBe(words);
});

it.each([
  [0, "0 ms"],
  [999.4, "999 ms"],
  [1200, "1.2 s"],
  [125_000, "2 min 5 s"],
])("%j ms lasted %s", (ms, words) => {
  expect(duration(ms)).toBe(words);
});

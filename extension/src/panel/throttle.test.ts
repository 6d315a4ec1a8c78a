// The panel gets the first change at once, the last one for certain, and never more than its share between.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Throttle } from "./throttle";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("runs at once, then once per interval, the last request included", () => {
  let runs = 0;
  const throttle = new Throttle(250, () => runs++);
  throttle.request();
  expect(runs).toBe(1);
  for (let i = 0; i < 10; i++) throttle.request();
  vi.advanceTimersByTime(249);
  expect(runs).toBe(1);
  vi.advanceTimersByTime(1);
  expect(runs).toBe(2);
  vi.advanceTimersByTime(1000);
  expect(runs).toBe(2);
});

it("runs no more once it is disposed", () => {
  let runs = 0;
  const throttle = new Throttle(250, () => runs++);
  throttle.request();
  throttle.request();
  throttle.dispose();
  vi.advanceTimersByTime(1000);
  expect(runs).toBe(1);
});

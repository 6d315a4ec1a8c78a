// An hour is sixty minutes whatever the core leaves out, and its sums are those of its requests.

import { expect, it } from "vitest";
import type { MinuteView } from "../../../native/addon/types.gen";
import { MINUTE_MS, seriesOf, totalsOf } from "./series";

const start = 29_000_000 * MINUTE_MS;
const now = start + 30_000;
const minute = (ago: number, more: Partial<MinuteView> = {}): MinuteView => ({
  at: start - ago * MINUTE_MS,
  requests: 4,
  errors: 0,
  tokens_in: 10,
  tokens_out: 20,
  latency_ms: 500,
  ...more,
});

it("fills the minutes in which nothing finished", () => {
  const series = seriesOf([minute(59), minute(2, { errors: 1 }), minute(0, { requests: 7 })], now);
  expect(series.at).toHaveLength(60);
  expect([series.at[0], series.at[59]]).toEqual([start - 59 * MINUTE_MS, start]);
  expect(series.requests.filter((count) => count > 0)).toEqual([4, 4, 7]);
  expect([series.requests[0], series.requests[57], series.requests[59]]).toEqual([4, 4, 7]);
  expect([series.errorShare[57], series.errorShare[58], series.latency[58]]).toEqual([0.25, null, null]);
});

it("leaves out what is older than the hour", () => {
  expect(totalsOf(seriesOf([minute(60), minute(90)], now)).requests).toBe(0);
});

it("adds up the whole and a part", () => {
  const series = seriesOf([minute(55), minute(3, { errors: 2, latency_ms: null })], now);
  expect(totalsOf(series)).toEqual({ requests: 8, errors: 2, tokensIn: 20, tokensOut: 40, latency: 500 });
  expect(totalsOf(series, 0, 10)).toMatchObject({ requests: 4, errors: 0 });
  expect(totalsOf(series, 50, 60)).toMatchObject({ requests: 4, errors: 2, latency: null });
});

it("weighs a minute's latency by the requests that were answered in it", () => {
  const busy = minute(1, { requests: 10, errors: 1, latency_ms: 100 });
  const quiet = minute(0, { requests: 1, latency_ms: 1100 });
  expect(totalsOf(seriesOf([busy, quiet], now)).latency).toBe(200);
});

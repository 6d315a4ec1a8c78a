// The last hour as sixty minutes without gaps, and what it adds up to. Pure: "now" is an argument. It must not know how
// anything is drawn or worded.

import type { MinuteView } from "../../../native/addon/types.gen";

export const MINUTE_MS = 60_000;
export const MINUTES = 60;

export type Series = {
  /** When each minute began, oldest first; the present one is the last. */
  readonly at: readonly number[];
  readonly requests: readonly number[];
  readonly errors: readonly number[];
  /** 0 to 1; null in a minute without a request, which has no share. */
  readonly errorShare: readonly (number | null)[];
  readonly tokensIn: readonly number[];
  readonly tokensOut: readonly number[];
  readonly latency: readonly (number | null)[];
};

export type Totals = {
  readonly requests: number;
  readonly errors: number;
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** Over the requests without error, as each minute's average is. */
  readonly latency: number | null;
};

/** Minutes in which nothing finished are not in the overview: here they are there, empty. */
export function seriesOf(minutes: readonly MinuteView[], now: number): Series {
  const last = Math.floor(now / MINUTE_MS);
  const known = new Map(minutes.map((minute) => [Math.floor(minute.at / MINUTE_MS), minute]));
  const numbers = Array.from({ length: MINUTES }, (_, index) => last - MINUTES + 1 + index);
  const found = numbers.map((number) => known.get(number));
  return {
    at: numbers.map((number) => number * MINUTE_MS),
    requests: found.map((minute) => minute?.requests ?? 0),
    errors: found.map((minute) => minute?.errors ?? 0),
    errorShare: found.map((minute) => (minute?.requests ? minute.errors / minute.requests : null)),
    tokensIn: found.map((minute) => minute?.tokens_in ?? 0),
    tokensOut: found.map((minute) => minute?.tokens_out ?? 0),
    latency: found.map((minute) => minute?.latency_ms ?? null),
  };
}

/** Of the minutes from `from` to before `to`: the whole hour, or a part of it for the table. */
export function totalsOf(series: Series, from = 0, to = MINUTES): Totals {
  const sum = (values: readonly number[]) => values.slice(from, to).reduce((total, value) => total + value, 0);
  return {
    requests: sum(series.requests),
    errors: sum(series.errors),
    tokensIn: sum(series.tokensIn),
    tokensOut: sum(series.tokensOut),
    latency: averageLatency(series, from, to),
  };
}

/** A busy minute weighs more than a quiet one. */
function averageLatency({ latency, requests, errors }: Series, from: number, to: number): number | null {
  let [time, weight] = [0, 0];
  for (let index = from; index < to; index += 1) {
    const here = latency[index] ?? null;
    if (here === null) continue;
    const answered = Math.max(1, (requests[index] ?? 0) - (errors[index] ?? 0));
    time += here * answered;
    weight += answered;
  }
  return weight === 0 ? null : time / weight;
}

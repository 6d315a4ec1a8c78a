// Figures are shown in words that fit a table's cell and say what they are of.

import { expect, it } from "vitest";
import type { FiguresView } from "../protocol";
import { answers, balance, bytes, percent, traffic, tunnels } from "./figures";

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [4_120, "4.1 kB"],
  [37_400_000, "37 MB"],
  [999_600, "1.0 MB"],
  [2_500_000_000_000_000, "2500 TB"],
])("%d bytes are %s", (count, words) => expect(bytes(count)).toBe(words));

it.each([
  [null, "–"],
  [0, "0 %"],
  [0.004, "0.4 %"],
  [0.125, "13 %"],
  [1, "100 %"],
])("a part of %s is %s", (part, words) => expect(percent(part)).toBe(words));

const figures: FiguresView = {
  attempts: 100,
  error_rate: 0,
  latency_p50_ms: 500,
  latency_p95_ms: 2500,
  bytes_sent: 1_200_000,
  bytes_received: 3_400_000,
  tunnels_opened: 1,
  tunnels_reused: 99,
  minutes: { attempts: [], failures: [] },
};

it("tells traffic, tunnels and answers", () => {
  expect(traffic(figures)).toBe("↑ 1.2 MB ↓ 3.4 MB");
  expect(tunnels(figures)).toBe("1 tunnel, reused 99 times");
  expect(answers(figures)).toBe("half within 500 ms, 95 % within 2.5 s");
  expect(answers({ ...figures, latency_p50_ms: 2500 })).toBe("95 % within 2.5 s");
  expect(answers({ ...figures, latency_p50_ms: null })).toBeUndefined();
});

it("tells how even the proxies are", () => {
  const of = (spread_keys: number, moves_last_hour: number) =>
    balance({ spread_keys, spread_requests: 0, moves: 0, moves_last_hour });
  expect(of(1, 0)).toBe("keys evenly spread");
  expect(of(3, 1)).toBe("up to 3 keys apart, 1 move in the last hour");
});

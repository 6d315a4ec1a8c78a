// Figures as a person reads them: bytes, parts, tunnels, the balance between proxies. Pure.

import type { BalanceView, FiguresView } from "../protocol";
import { duration } from "./time";

const UNITS = ["kB", "MB", "GB", "TB"];

/** "0 B", "812 B", "4.1 kB", "37 MB": thousands, as providers of proxies count. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  let value = count / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** "12 %", "0.4 %", "0 %"; "–" while there is nothing to tell of. */
export function percent(part: number | null): string {
  if (part === null) return "–";
  const value = part * 100;
  return `${value > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} %`;
}

/** "1 key", "3 keys". */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** "↑ 1.2 MB ↓ 3.4 MB". */
export function traffic({ bytes_sent, bytes_received }: FiguresView): string {
  return `↑ ${bytes(bytes_sent)} ↓ ${bytes(bytes_received)}`;
}

/** "3 tunnels, reused 97 times". */
export function tunnels({ tunnels_opened, tunnels_reused }: FiguresView): string {
  return `${count(tunnels_opened, "tunnel")}, reused ${count(tunnels_reused, "time")}`;
}

/** "half within 500 ms, 95 % within 2.5 s"; undefined before the first answer. */
export function answers({ latency_p50_ms: half, latency_p95_ms: most }: FiguresView): string | undefined {
  if (half === null || most === null) return undefined;
  return half === most
    ? `95 % within ${duration(most)}`
    : `half within ${duration(half)}, 95 % within ${duration(most)}`;
}

/** "evenly spread", "up to 2 keys apart, 3 moves in the last hour". */
export function balance({ spread_keys, moves_last_hour }: BalanceView): string {
  const spread = spread_keys <= 1 ? "keys evenly spread" : `up to ${count(spread_keys, "key")} apart`;
  return moves_last_hour === 0 ? spread : `${spread}, ${count(moves_last_hour, "move")} in the last hour`;
}

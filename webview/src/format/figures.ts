// Figures as a person reads them: bytes, parts, tunnels, the balance between proxies. Pure.

import * as l10n from "@vscode/l10n";
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

/** One text for one, another for all other numbers. */
export function count(number: number, one: string, many: (number: number) => string): string {
  return number === 1 ? one : many(number);
}

/** "↑ 1.2 MB ↓ 3.4 MB". */
export function traffic({ bytes_sent, bytes_received }: FiguresView): string {
  return `↑ ${bytes(bytes_sent)} ↓ ${bytes(bytes_received)}`;
}

/** "3 tunnels, reused 97 times". */
export function tunnels({ tunnels_opened: opened, tunnels_reused: reused }: FiguresView): string {
  const made = count(opened, l10n.t("1 tunnel"), (many) => l10n.t("{0} tunnels", many));
  const again = count(reused, l10n.t("reused once"), (many) => l10n.t("reused {0} times", many));
  return `${made}, ${again}`;
}

/** "half within 500 ms, 95 % within 2.5 s"; undefined before the first answer. */
export function answers({ latency_p50_ms: half, latency_p95_ms: most }: FiguresView): string | undefined {
  if (half === null || most === null) return undefined;
  return half === most
    ? l10n.t("95 % within {0}", duration(most))
    : l10n.t("half within {0}, 95 % within {1}", duration(half), duration(most));
}

/** "evenly spread", "up to 2 keys apart, 3 moves in the last hour". */
export function balance({ spread_keys: spread, moves_last_hour: moves }: BalanceView): string {
  const even = spread <= 1 ? l10n.t("keys evenly spread") : l10n.t("up to {0} keys apart", spread);
  if (moves === 0) return even;
  const moved = count(moves, l10n.t("1 move in the last hour"), (many) => l10n.t("{0} moves in the last hour", many));
  return `${even}, ${moved}`;
}

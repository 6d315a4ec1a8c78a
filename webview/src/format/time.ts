// Times as a person reads them, from milliseconds. Pure: "now" is an argument.

import * as l10n from "@vscode/l10n";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "just now", "12 s ago", "3 min ago", "2 h ago", "4 d ago"; "never" without a time. */
export function ago(at: number | null, now: number): string {
  if (at === null) return l10n.t("never");
  const passed = now - at;
  if (passed < 5 * SECOND) return l10n.t("just now");
  if (passed < MINUTE) return l10n.t("{0} s ago", Math.floor(passed / SECOND));
  if (passed < HOUR) return l10n.t("{0} min ago", Math.floor(passed / MINUTE));
  if (passed < DAY) return l10n.t("{0} h ago", Math.floor(passed / HOUR));
  return l10n.t("{0} d ago", Math.floor(passed / DAY));
}

/** "0:42", "12:05", "3:00:09"; rounded up, so that it ends with 0:01. Undefined when the time has come. */
export function countdown(until: number, now: number): string | undefined {
  const left = Math.ceil((until - now) / SECOND);
  if (left <= 0) return undefined;
  const [hours, minutes, seconds] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
  const padded = String(seconds).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${padded}` : `${minutes}:${padded}`;
}

/** "320 ms", "1.2 s", "2 min 5 s". */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${(ms / SECOND).toFixed(1)} s`;
  const seconds = Math.round(ms / SECOND);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** The time of day in the reader's own manner, with seconds. */
export function clock(at: number, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(at);
}

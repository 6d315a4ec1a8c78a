// The columns of the keys table, what each sorts by, and which keys a filter leaves. Pure.

import * as l10n from "@vscode/l10n";
import { proxyName } from "../format/assignment";
import type { KeyView, ProxyView } from "../protocol";
import type { Column } from "../rows/heading";
import type { SortKeys } from "../rows/sort";

export const columns: readonly Column[] = [
  { name: "name", label: l10n.t("Name") },
  { name: "status", label: l10n.t("Status") },
  { name: "proxy", label: l10n.t("Proxy") },
  { name: "inFlight", label: l10n.t("In flight"), number: true },
  { name: "requests", label: l10n.t("Requests"), number: true },
  { name: "errors", label: l10n.t("Errors"), number: true },
  { name: "recent", label: l10n.t("Last half hour") },
  { name: "used", label: l10n.t("Last used") },
];

const STATUS_ORDER = { available: 0, cooling_down: 1, disabled: 2 } as const;

export function keySorts(proxies: readonly ProxyView[]): SortKeys<KeyView> {
  return {
    name: (key) => key.name,
    status: (key) => STATUS_ORDER[key.status],
    proxy: (key) => proxyName(key, proxies),
    inFlight: (key) => key.current_requests,
    requests: (key) => key.request_count,
    errors: (key) => key.failure_count,
    recent: (key) => key.figures.minutes.attempts.reduce((sum, count) => sum + count, 0),
    used: (key) => key.last_used,
  };
}

export type KeyFilter = { readonly text: string; readonly status: KeyView["status"] | "all" };

export const everyKey: KeyFilter = { text: "", status: "all" };

/** By name, end of the key, project, proxy or reason. */
export function fits(key: KeyView, filter: KeyFilter, proxies: readonly ProxyView[]): boolean {
  if (filter.status !== "all" && key.status !== filter.status) return false;
  const text = filter.text.trim().toLowerCase();
  if (text === "") return true;
  const places = [key.name, key.masked_key, key.project, proxyName(key, proxies), key.status_reason];
  return places.some((place) => place?.toLowerCase().includes(text));
}

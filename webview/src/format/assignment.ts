// How a key's assignment is written: the proxy's name or "No Proxy", who chose it, and the select menu's entries.

import * as l10n from "@vscode/l10n";
import { AUTOMATIC, type KeyView, type ProxyView } from "../protocol";

export const NO_PROXY = l10n.t("No Proxy");

export type AssignOption = { readonly value: string; readonly label: string; readonly selected: boolean };

/** The select's value for a pinned "No Proxy"; ids are never empty. */
export const NONE = "";

export function proxyName(key: KeyView, proxies: readonly ProxyView[]): string {
  if (key.proxy_id === null) return NO_PROXY;
  return proxies.find((proxy) => proxy.id === key.proxy_id)?.name ?? key.proxy_id;
}

export function assignOptions(key: KeyView, proxies: readonly ProxyView[]): AssignOption[] {
  return [
    { value: AUTOMATIC, label: l10n.t("Automatic"), selected: !key.is_manual },
    { value: NONE, label: NO_PROXY, selected: key.is_manual && key.proxy_id === null },
    ...proxies.map((proxy) => ({
      value: proxy.id,
      label: proxy.name,
      selected: key.is_manual && key.proxy_id === proxy.id,
    })),
  ];
}

/** What the chosen entry asks for. */
export function chosenProxy(value: string): string | null {
  return value === NONE ? null : value;
}

// What the sidebar shows of a snapshot: the endpoint, the keys and the proxies as rows with words, an icon's name and a
// colour's. Pure, and apart from the editor's API, so that every state can be read and tested in one place.

import * as l10n from "@vscode/l10n";
import type { EndpointView, KeyView, ProxyView, Snapshot } from "../../../native/addon/types.gen";
import { available } from "../status/statusText";

/** A codicon and, where it says something, a theme colour. */
export type Icon = { readonly name: string; readonly color?: string };
/** What of a row decides which actions the manifest offers. */
export type RowKind =
  | "endpoint"
  | "endpoint.reachable"
  | "keys"
  | "proxies"
  | "key.on"
  | "key.off"
  | "key.refused"
  | "proxy";
export type Row = {
  /** Unique in the tree and the same from one snapshot to the next. */
  readonly path: string;
  readonly kind: RowKind;
  readonly label: string;
  readonly description: string;
  /** Invariant: the icon's meaning stands here in words too. */
  readonly tooltip: string;
  readonly icon: Icon;
  /** The key or proxy that an action is for. */
  readonly target?: string;
  /** Undefined: it is no group. */
  readonly children?: readonly Row[];
};

const GREEN = "charts.green";
const YELLOW = "charts.yellow";
const RED = "list.errorForeground";
const GREY = "disabledForeground";

/** Empty without a key: the editor then shows the welcome in the tree's place. */
export function rowsOf(snapshot: Snapshot, now: number): Row[] {
  const { endpoint, keys, proxies } = snapshot;
  if (keys.length === 0) return [];
  return [endpointRow(endpoint), keysRow(keys, proxies, now), ...(proxies.length === 0 ? [] : [proxiesRow(proxies)])];
}

/** Whether the rows change by themselves, second by second. */
export function counts({ keys }: Snapshot): boolean {
  return keys.some(({ status }) => status === "cooling_down");
}

function endpointRow(endpoint: EndpointView): Row {
  const base = { path: "endpoint", kind: "endpoint", label: l10n.t("Endpoint") } as const;
  switch (endpoint.kind) {
    case "listening":
      return {
        ...base,
        kind: "endpoint.reachable",
        label: endpoint.url,
        description: "",
        tooltip: l10n.t("The endpoint listens on {0}.", endpoint.url),
        icon: { name: "broadcast", color: GREEN },
      };
    case "starting":
      return {
        ...base,
        description: l10n.t("starting"),
        tooltip: l10n.t("The endpoint is starting."),
        icon: { name: "sync~spin" },
      };
    case "stopped":
      return {
        ...base,
        description: l10n.t("stopped"),
        tooltip: l10n.t("The endpoint is stopped."),
        icon: { name: "circle-slash", color: GREY },
      };
    case "failed":
      return {
        ...base,
        description: l10n.t("failed"),
        tooltip: endpoint.message,
        icon: { name: "error", color: RED },
      };
  }
}

function keysRow(keys: readonly KeyView[], proxies: readonly ProxyView[], now: number): Row {
  const names = new Map(proxies.map(({ id, name }) => [id, name]));
  return {
    path: "keys",
    kind: "keys",
    label: l10n.t("API Keys"),
    description: l10n.t("{0} of {1} available", available(keys), keys.length),
    tooltip: l10n.t("{0} of {1} API keys are available.", available(keys), keys.length),
    icon: { name: "key" },
    children: keys.map((key) => keyRow(key, names, now)),
  };
}

function keyRow(key: KeyView, names: ReadonlyMap<string, string>, now: number): Row {
  const { word, icon } = keyState(key, now);
  const proxy = key.proxy_id === null ? l10n.t("No Proxy") : (names.get(key.proxy_id) ?? key.proxy_id);
  const lines = [
    l10n.t("{0} ({1}): {2}", key.name, key.masked_key, word),
    ...(key.status_reason === null ? [] : [key.status_reason]),
    ...(key.project === null ? [] : [l10n.t("Project: {0}", key.project)]),
    l10n.t("Proxy: {0}", proxy),
    l10n.t("Requests: {0}, failed: {1}, in flight: {2}", key.request_count, key.failure_count, key.current_requests),
  ];
  return {
    path: `key/${key.id}`,
    kind: key.enabled ? (key.status === "disabled" ? "key.refused" : "key.on") : "key.off",
    label: key.name,
    // An available key is the rule: its icon says it, the room is for its proxy.
    description: key.status === "available" ? proxy : l10n.t("{0} · {1}", word, proxy),
    tooltip: lines.join("\n"),
    icon,
    target: key.id,
  };
}

function keyState(key: KeyView, now: number): { word: string; icon: Icon } {
  switch (key.status) {
    case "available":
      return { word: l10n.t("available"), icon: { name: "pass-filled", color: GREEN } };
    case "disabled":
      return key.enabled
        ? { word: l10n.t("disabled"), icon: { name: "error", color: RED } }
        : { word: l10n.t("disabled"), icon: { name: "circle-slash", color: GREY } };
    case "cooling_down": {
      const left = key.cooling_down_until === null ? undefined : countdown(key.cooling_down_until - now);
      const word = left === undefined ? l10n.t("cooling down") : l10n.t("cooling down {0}", left);
      return { word, icon: { name: "watch", color: YELLOW } };
    }
  }
}

function proxiesRow(proxies: readonly ProxyView[]): Row {
  const working = proxies.filter(({ status }) => status === "active").length;
  return {
    path: "proxies",
    kind: "proxies",
    label: l10n.t("Proxies"),
    description: l10n.t("{0} of {1} active", working, proxies.length),
    tooltip: l10n.t("{0} of {1} proxies are active.", working, proxies.length),
    icon: { name: "server-environment" },
    children: proxies.map(proxyRow),
  };
}

function proxyRow(proxy: ProxyView): Row {
  const { word, icon } = proxyState(proxy);
  const keys = proxy.assigned_key_count === 1 ? l10n.t("1 key") : l10n.t("{0} keys", proxy.assigned_key_count);
  const lines = [
    l10n.t("{0}: {1}", proxy.name, word),
    proxy.masked_url,
    ...(proxy.last_error === null ? [] : [proxy.last_error]),
    ...(proxy.latency_ms === null ? [] : [l10n.t("Latency: {0} ms", proxy.latency_ms)]),
    l10n.t("Keys: {0}, requests in flight: {1}", proxy.assigned_key_count, proxy.active_requests),
  ];
  return {
    path: `proxy/${proxy.id}`,
    kind: "proxy",
    label: proxy.name,
    description: proxy.status === "active" ? keys : l10n.t("{0} · {1}", word, keys),
    tooltip: lines.join("\n"),
    icon,
    target: proxy.id,
  };
}

function proxyState({ status }: ProxyView): { word: string; icon: Icon } {
  switch (status) {
    case "active":
      return { word: l10n.t("active"), icon: { name: "pass-filled", color: GREEN } };
    case "inactive":
      return { word: l10n.t("inactive"), icon: { name: "circle-slash", color: GREY } };
    case "error":
      return { word: l10n.t("error"), icon: { name: "error", color: RED } };
  }
}

/** "0:42", "1:00:09"; rounded up. Undefined when the time has come. */
function countdown(leftMs: number): string | undefined {
  const left = Math.ceil(leftMs / 1000);
  if (left <= 0) return undefined;
  const [hours, minutes, seconds] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
  const two = (number: number) => String(number).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

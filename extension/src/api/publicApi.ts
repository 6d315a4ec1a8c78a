// What other extensions get from `activate()`: where the endpoint is, the local token, and how it is doing.
// Invariant: never an API key or a proxy URL; whoever holds these exports may spend quota, not read secrets.

import * as l10n from "@vscode/l10n";
import type { EndpointView, Snapshot } from "../../../native/addon/types.gen";
import { available } from "../status/statusText";

export type Endpoint = { readonly geminiBaseUrl: string; readonly openaiBaseUrl: string; readonly token: string };

export type AggregatorStatus = {
  readonly state: EndpointView["kind"];
  /** Null while nothing listens. */
  readonly url: string | null;
  readonly keys: { readonly total: number; readonly available: number };
  readonly proxies: { readonly total: number; readonly active: number };
};

/** The shape of `vscode.Event`, named here so that this file needs no editor. */
export type StatusEvent = (listener: (status: AggregatorStatus) => unknown) => { dispose(): void };

export type AggregatorApi = {
  /** Rejects with a sentence when nothing listens. */
  endpoint(): Promise<Endpoint>;
  readonly onDidChangeStatus: StatusEvent;
  status(): AggregatorStatus;
};

export type Exports = { getApi(version: 1): AggregatorApi };

export function statusOf({ endpoint, keys, proxies }: Snapshot): AggregatorStatus {
  return {
    state: endpoint.kind,
    url: endpoint.kind === "listening" ? endpoint.url : null,
    keys: { total: keys.length, available: available(keys) },
    proxies: { total: proxies.length, active: proxies.filter((proxy) => proxy.status === "active").length },
  };
}

export function exportsOf(
  session: { readonly snapshot: Snapshot; localToken(): Promise<string | undefined> },
  onDidChangeStatus: StatusEvent,
): Exports {
  const api: AggregatorApi = {
    async endpoint() {
      const token = await session.localToken();
      const { url } = statusOf(session.snapshot);
      if (url === null || token === undefined) {
        throw new Error(l10n.t('The Gemini endpoint does not listen. Run "Gemini Aggregator: Start Server" first.'));
      }
      return { geminiBaseUrl: url, openaiBaseUrl: `${url}/v1`, token };
    },
    onDidChangeStatus,
    status: () => statusOf(session.snapshot),
  };
  return {
    getApi(version) {
      if (version !== 1)
        throw new Error(l10n.t("This version of the Gemini Aggregator offers API 1, not {0}.", version));
      return api;
    },
  };
}

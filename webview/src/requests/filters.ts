// The request log's filter: a text, an outcome, a key, a proxy. The core does the filtering; these are its boxes.

import * as l10n from "@vscode/l10n";
import { html } from "lit";
import type { KeyView, ProxyView, RequestFilter } from "../protocol";
import { chosenIn } from "../rows/chosen";

export const everything: RequestFilter = {};

export function isEverything(filter: RequestFilter): boolean {
  return Object.keys(filter).length === 0;
}

const OUTCOMES = [
  { value: "", label: () => l10n.t("Every outcome") },
  { value: "failed", label: () => l10n.t("Failed") },
  { value: "retried", label: () => l10n.t("Tried more than once") },
  { value: "direct", label: () => l10n.t("Went direct") },
] as const;

export function filterBoxes(
  filter: RequestFilter,
  pools: { readonly keys: readonly KeyView[]; readonly proxies: readonly ProxyView[] },
  change: (filter: RequestFilter) => void,
) {
  const outcome = (value: string) => {
    const found = OUTCOMES.find((one) => one.value === value)?.value;
    return change(found ? { ...filter, outcome: found } : without(filter, "outcome"));
  };
  const named = (field: "key_id" | "proxy_id") => (value: string) =>
    change(value === "" ? without(filter, field) : { ...filter, [field]: value });
  return html`<div class="filters" role="search" aria-label=${l10n.t("Filter the requests")}>
    <input
      type="search"
      data-testid="filter-requests"
      placeholder=${l10n.t("Filter by model, path, key, proxy, client, error…")}
      aria-label=${l10n.t("Filter by model, path, key, proxy, client, error…")}
      .value=${filter.text ?? ""}
      @input=${(event: Event) => {
        const text = chosenIn(event);
        change(text.trim() === "" ? without(filter, "text") : { ...filter, text });
      }}
    />
    ${box(
      "filter-outcome",
      l10n.t("Filter by outcome"),
      OUTCOMES.map(({ value, label }) => [value, label()]),
      filter.outcome ?? "",
      outcome,
    )}
    ${box("filter-key", l10n.t("Filter by key"), [["", l10n.t("Every key")], ...pools.keys.map(({ id, name }) => [id, name] as const)], filter.key_id ?? "", named("key_id"))}
    ${box("filter-proxy", l10n.t("Filter by proxy"), [["", l10n.t("Every proxy")], ...pools.proxies.map(({ id, name }) => [id, name] as const)], filter.proxy_id ?? "", named("proxy_id"))}
  </div>`;
}

function box(
  testId: string,
  label: string,
  options: readonly (readonly [string, string])[],
  chosen: string,
  choose: (value: string) => void,
) {
  return html`<select data-testid=${testId} aria-label=${label} @change=${(event: Event) => choose(chosenIn(event))}>
    ${options.map(([value, words]) => html`<option value=${value} .selected=${value === chosen}>${words}</option>`)}
  </select>`;
}

function without(filter: RequestFilter, field: keyof RequestFilter): RequestFilter {
  return Object.fromEntries(Object.entries(filter).filter(([name]) => name !== field));
}

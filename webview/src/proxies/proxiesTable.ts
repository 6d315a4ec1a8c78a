// The table of proxies: sorted here, acted upon by intents. Adding and editing happen in the editor's own input box,
// because URLs carry passwords; here they come masked. What a row shows, the row knows.

import * as l10n from "@vscode/l10n";
import { css, html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { balance } from "../format/figures";
import "../help";
import { keepViewState, send, viewState } from "../host";
import type { BalanceView, PlanMessage, ProxyView } from "../protocol";
import { type Column, heading } from "../rows/heading";
import { RowWindow, standIn } from "../rows/rowWindow";
import { nextSort, type Sort, type SortKeys, sorted } from "../rows/sort";
import { TestResults } from "../rows/testResults";
import { controls, shared, states, table } from "../styles/shared";
import { testedRow } from "../tested";
import { planOf } from "./plan";
import { proxyRow } from "./proxyRow";

const columns: readonly Column[] = [
  { name: "name", label: l10n.t("Name and URL") },
  { name: "status", label: l10n.t("Status") },
  { name: "keys", label: l10n.t("Keys"), number: true },
  { name: "inFlight", label: l10n.t("In flight"), number: true },
  { name: "errors", label: l10n.t("Errors"), number: true },
  { name: "latency", label: l10n.t("Latency"), number: true },
  { name: "traffic", label: l10n.t("Traffic") },
  { name: "recent", label: l10n.t("Last half hour") },
  { name: "checked", label: l10n.t("Checked") },
];
const ALL_COLUMNS = columns.length + 1;
const STATUS_ORDER = { active: 0, inactive: 1, error: 2 } as const;

const sorts: SortKeys<ProxyView> = {
  name: (proxy) => proxy.name,
  status: (proxy) => STATUS_ORDER[proxy.status],
  keys: (proxy) => proxy.assigned_key_count,
  inFlight: (proxy) => proxy.active_requests,
  errors: (proxy) => proxy.figures.error_rate,
  latency: (proxy) => proxy.latency_ms,
  traffic: (proxy) => proxy.figures.bytes_sent + proxy.figures.bytes_received,
  recent: (proxy) => proxy.figures.minutes.attempts.reduce((sum, count) => sum + count, 0),
  checked: (proxy) => proxy.last_health_check,
};

export class ProxiesTable extends LitElement {
  static override properties = {
    proxies: { attribute: false },
    balance: { attribute: false },
    plan: { attribute: false },
    now: { attribute: false },
    sort: { state: true },
  };
  static override styles = [
    shared,
    controls,
    table,
    states,
    css`
      .plan {
        border: 1px solid var(--line);
        border-radius: 4px;
        padding: 8px 12px;
        margin-bottom: 8px;
      }
      .plan p,
      .plan ul {
        margin: 0 0 6px;
      }
      .plan ul {
        max-height: 220px;
        overflow-y: auto;
      }
    `,
  ];
  declare proxies: readonly ProxyView[];
  declare balance: BalanceView;
  declare plan: PlanMessage | undefined;
  declare now: number;
  declare sort: Sort | null;
  readonly #window = new RowWindow(this);
  readonly #tests = new TestResults(this);

  constructor() {
    super();
    this.sort = viewState().proxySort;
  }

  override render() {
    const active = this.proxies.filter((proxy) => proxy.status === "active").length;
    return html`<section aria-labelledby="proxies-title">
      <div class="head">
        <h2 id="proxies-title">${l10n.t("Proxies")}</h2>
        <inline-help .topic=${"proxies"}></inline-help>
        <span class="note" data-testid="balance">
          ${
            this.proxies.length === 0
              ? ""
              : `${l10n.t("{0} of {1} active", active, this.proxies.length)}, ${balance(this.balance)}`
          }
        </span>
        <span class="grow"></span>
        ${
          this.proxies.length < 2
            ? nothing
            : html`<button type="button" data-testid="rebalance" @click=${() => send({ kind: "plan" })}>
                ${l10n.t("Rebalance…")}
              </button>`
        }
        <button type="button" data-testid="add-proxy" @click=${() => send({ kind: "run", command: "addProxy" })}>
          ${l10n.t("Add proxy")}
        </button>
      </div>
      ${this.plan === undefined ? nothing : planOf(this.plan, () => this.dispatchEvent(new CustomEvent("plan-closed")))}
      ${this.proxies.length === 0 ? empty() : this.#table()}
    </section>`;
  }

  #table() {
    const rows = sorted(this.proxies, sorts, this.sort);
    const { from, to, above, below, windowed } = this.#window.slice(rows.length);
    return html`<div class="scroll ${windowed ? "windowed" : ""}" tabindex=${windowed ? 0 : nothing} role="group" aria-labelledby="proxies-title" @scroll=${this.#window.scrolled}>
      <table data-testid="proxies-table" aria-labelledby="proxies-title" aria-rowcount=${rows.length + 1}>
        <thead>
          <tr aria-rowindex="1">
            ${columns.map((column) => heading(column, this.sort, (name) => this.#sortBy(name)))}
            <th scope="col" class="number pinned">${l10n.t("Actions")}</th>
          </tr>
        </thead>
        <tbody>
          ${standIn(above, ALL_COLUMNS)}
          ${repeat(
            rows.slice(from, to),
            (proxy) => proxy.id,
            (proxy, index) => [proxyRow(proxy, this.now, from + index + 2), this.#tested(proxy.id)],
          )}
          ${standIn(below, ALL_COLUMNS)}
        </tbody>
      </table>
    </div>`;
  }

  #tested(id: string) {
    const test = this.#tests.of(id);
    return test === undefined ? nothing : testedRow(test, ALL_COLUMNS, () => this.#tests.close(id));
  }

  #sortBy(column: string): void {
    this.sort = nextSort(this.sort, column);
    keepViewState({ proxySort: this.sort });
  }
}

function empty() {
  return html`<div class="empty" data-testid="proxies-empty">
    <p>
      ${l10n.t("No proxy yet: every key connects directly. Add one, and each key leaves through a proxy of its own.")}
    </p>
    <button type="button" @click=${() => send({ kind: "run", command: "addProxy" })}>
      ${l10n.t("Add your first proxy")}
    </button>
  </div>`;
}

customElements.define("proxies-table", ProxiesTable);

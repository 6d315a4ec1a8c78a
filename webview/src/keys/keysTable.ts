// The table of API keys: sorted, filtered, selected here, acted upon by intents. It shows what the snapshot says and
// never changes anything by itself; what a row shows, the row knows.

import * as l10n from "@vscode/l10n";
import { html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import "../help";
import { keepViewState, send, viewState } from "../host";
import type { KeyView, ProxyView } from "../protocol";
import { chosenIn } from "../rows/chosen";
import { heading } from "../rows/heading";
import { RowWindow, standIn } from "../rows/rowWindow";
import { allPressed, nothingSelected, pressed, type Selection, stillThere } from "../rows/selection";
import { nextSort, type Sort, sorted } from "../rows/sort";
import { TestResults } from "../rows/testResults";
import { controls, shared, states, table } from "../styles/shared";
import { testedRow } from "../tested";
import { bulkBar } from "./bulkBar";
import { columns, everyKey, fits, type KeyFilter, keySorts } from "./columns";
import { keyRow } from "./keyRow";

const ALL_COLUMNS = columns.length + 2;

export class KeysTable extends LitElement {
  static override properties = {
    keys: { attribute: false },
    proxies: { attribute: false },
    now: { attribute: false },
    filter: { state: true },
    selection: { state: true },
    sort: { state: true },
  };
  static override styles = [shared, controls, table, states];
  declare keys: readonly KeyView[];
  declare proxies: readonly ProxyView[];
  declare now: number;
  declare filter: KeyFilter;
  declare selection: Selection;
  declare sort: Sort | null;
  readonly #window = new RowWindow(this);
  readonly #tests = new TestResults(this);

  constructor() {
    super();
    this.filter = everyKey;
    this.selection = nothingSelected;
    this.sort = viewState().keySort;
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("keys")) return;
    this.selection = stillThere(this.selection, new Set(this.keys.map((key) => key.id)));
  }

  override render() {
    const available = this.keys.filter((key) => key.status === "available").length;
    return html`<section aria-labelledby="keys-title">
      <div class="head">
        <h2 id="keys-title">${l10n.t("API keys")}</h2>
        <inline-help .topic=${"keys"}></inline-help>
        <span class="note">
          ${this.keys.length === 0 ? "" : l10n.t("{0} of {1} available", available, this.keys.length)}
        </span>
        <span class="grow"></span>
        <button type="button" data-testid="import-keys" @click=${() => send({ kind: "run", command: "importApiKeys" })}>
          ${l10n.t("Import keys")}
        </button>
        <button
          type="button"
          class="primary"
          data-testid="add-key"
          @click=${() => send({ kind: "run", command: "addApiKey" })}
        >
          ${l10n.t("Add API key")}
        </button>
      </div>
      ${this.keys.length === 0 ? empty() : this.#filled()}
    </section>`;
  }

  #filled() {
    const left = this.keys.filter((key) => fits(key, this.filter, this.proxies));
    const rows = sorted(left, keySorts(this.proxies), this.sort);
    const selected = [...this.selection.ids];
    return html`${this.#filters(rows.length)}
    ${selected.length === 0 ? nothing : bulkBar(selected, this.proxies, () => this.#select(nothingSelected))}
    ${rows.length === 0 ? nothingFits(() => this.#filter(everyKey)) : this.#table(rows)}`;
  }

  #filters(shown: number) {
    return html`<div class="filters" role="search" aria-label=${l10n.t("Filter the keys")}>
      <input
        type="search"
        data-testid="filter-keys"
        placeholder=${l10n.t("Filter by name, project, proxy…")}
        aria-label=${l10n.t("Filter by name, project, proxy…")}
        .value=${this.filter.text}
        @input=${(event: InputEvent) => this.#filter({ ...this.filter, text: chosenIn(event) })}
      />
      <select
        data-testid="filter-status"
        aria-label=${l10n.t("Filter by status")}
        @change=${(event: Event) => this.#filter({ ...this.filter, status: statusOf(chosenIn(event)) })}
      >
        ${STATUSES.map(
          ({ value, label }) =>
            html`<option value=${value} .selected=${value === this.filter.status}>${label()}</option>`,
        )}
      </select>
      ${
        shown === this.keys.length
          ? nothing
          : html`<span class="note" data-testid="keys-shown">${l10n.t("{0} of {1} shown", shown, this.keys.length)}</span>`
      }
    </div>`;
  }

  #table(rows: readonly KeyView[]) {
    const { from, to, above, below, windowed } = this.#window.slice(rows.length);
    const shown = rows.map((key) => key.id);
    const every = shown.every((id) => this.selection.ids.has(id));
    const some = shown.some((id) => this.selection.ids.has(id));
    return html`<div class="scroll ${windowed ? "windowed" : ""}" tabindex=${windowed ? 0 : nothing} role="group" aria-labelledby="keys-title" @scroll=${this.#window.scrolled}>
      <table data-testid="keys-table" aria-labelledby="keys-title" aria-rowcount=${rows.length + 1}>
        <thead>
          <tr aria-rowindex="1">
            <th scope="col" class="tick">
              <input
                type="checkbox"
                data-testid="select-all"
                aria-label=${l10n.t("Select all keys shown")}
                .checked=${every}
                .indeterminate=${some && !every}
                @click=${() => this.#select(allPressed(this.selection, shown))}
              />
            </th>
            ${columns.map((column) => heading(column, this.sort, (name) => this.#sortBy(name)))}
            <th scope="col" class="number pinned">${l10n.t("Actions")}</th>
          </tr>
        </thead>
        <tbody>
          ${standIn(above, ALL_COLUMNS)}
          ${repeat(
            rows.slice(from, to),
            (key) => key.id,
            (key, index) => [
              keyRow({
                key,
                proxies: this.proxies,
                now: this.now,
                selected: this.selection.ids.has(key.id),
                place: from + index + 2,
                press: (range) => this.#select(pressed(this.selection, key.id, shown, range)),
              }),
              this.#tested(key.id),
            ],
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

  #select(selection: Selection): void {
    this.selection = selection;
  }

  #filter(filter: KeyFilter): void {
    this.filter = filter;
  }

  #sortBy(column: string): void {
    this.sort = nextSort(this.sort, column);
    keepViewState({ keySort: this.sort });
  }
}

const STATUSES: readonly { value: KeyFilter["status"]; label: () => string }[] = [
  { value: "all", label: () => l10n.t("Every status") },
  { value: "available", label: () => l10n.t("Available") },
  { value: "cooling_down", label: () => l10n.t("Cooling down") },
  { value: "disabled", label: () => l10n.t("Disabled") },
];

function statusOf(value: string): KeyFilter["status"] {
  return STATUSES.find((status) => status.value === value)?.value ?? "all";
}

function nothingFits(clear: () => void) {
  return html`<div class="empty" data-testid="keys-none-fit">
    <p>${l10n.t("No key fits this filter.")}</p>
    <button type="button" @click=${clear}>${l10n.t("Show all keys")}</button>
  </div>`;
}

function empty() {
  return html`<div class="empty" data-testid="keys-empty">
    <p>
      ${l10n.t(
        "No API key yet. Add one from Google AI Studio: it stays in the editor's secret storage, and your tools use the local endpoint instead of it.",
      )}
    </p>
    <button type="button" class="primary" @click=${() => send({ kind: "run", command: "addApiKey" })}>
      ${l10n.t("Add your first API key")}
    </button>
  </div>`;
}

customElements.define("keys-table", KeysTable);

// The request log: the newest requests live, older and filtered ones fetched from the core page by page as they are
// scrolled to. Only rows in sight are drawn. What a row shows, the row knows.

import * as l10n from "@vscode/l10n";
import { css, html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import "../help";
import { keepViewState, onMessage, send, viewState } from "../host";
import type { KeyView, ProxyView, RequestFilter, RequestsMessage, RequestView } from "../protocol";
import { RowWindow, standIn } from "../rows/rowWindow";
import { controls, shared, states, table } from "../styles/shared";
import { everything, filterBoxes, isEverything } from "./filters";
import { withNewest, withOlder } from "./loaded";
import { COLUMNS, requestDetails, requestRow } from "./requestRow";

/** The next page is asked for when so many pixels are left below. */
const NEAR_THE_END = 1500;
/** A filtered list is asked for anew at most this often while requests come in. */
const REFRESH_MS = 1000;

export class RequestLog extends LitElement {
  static override properties = {
    requests: { attribute: false },
    total: { attribute: false },
    keys: { attribute: false },
    proxies: { attribute: false },
    filter: { state: true },
    known: { state: true },
    matched: { state: true },
    opened: { state: true },
  };
  static override styles = [
    shared,
    controls,
    table,
    states,
    css`
      summary {
        cursor: pointer;
        margin-bottom: 8px;
      }
      summary h2 {
        display: inline;
      }
      summary:focus-visible {
        outline: 1px solid var(--vscode-focusBorder);
      }
      ol {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      ol.clipped {
        max-height: 2.9em;
        overflow: hidden;
      }
      dl {
        display: grid;
        grid-template-columns: max-content 1fr;
        gap: 2px 14px;
        margin: 0 0 8px;
      }
      dt {
        color: var(--vscode-descriptionForeground);
      }
      dd {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .details ol {
        margin-bottom: 8px;
      }
      .twist {
        background: none;
        border: 0;
        padding: 0 4px;
        color: inherit;
      }
    `,
  ];
  declare requests: readonly RequestView[];
  declare total: number;
  declare keys: readonly KeyView[];
  declare proxies: readonly ProxyView[];
  declare filter: RequestFilter;
  declare known: readonly RequestView[];
  /** How many the core has for the filter; undefined until it said so. */
  declare matched: number | undefined;
  declare opened: string | undefined;
  readonly #window = new RowWindow(this);
  /** The number of the intent whose answer is waited for; answers to earlier ones come too late. */
  #asked = 0;
  #waiting = false;
  #refresh: ReturnType<typeof setTimeout> | undefined;
  #stop: (() => void) | undefined;

  constructor() {
    super();
    this.filter = everything;
    this.known = [];
    this.opened = undefined;
    this.matched = undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = onMessage((message) => {
      if (message.kind === "requests") this.#receive(message);
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
    clearTimeout(this.#refresh);
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("requests")) return;
    if (isEverything(this.filter)) this.known = withNewest(this.known, this.requests, this.total);
    else if (this.#refresh === undefined) this.#refresh = setTimeout(() => this.#anew(), REFRESH_MS);
  }

  override render() {
    return html`<details ?open=${viewState().requestsShown} @toggle=${keepOpen}>
      <summary>
        <h2 id="requests-title">${l10n.t("Requests")}</h2>
        <span class="note" data-testid="requests-count">${this.#countWords()}</span>
      </summary>
      <inline-help .topic=${"requests"}></inline-help>
      ${this.total === 0 ? empty() : [filterBoxes(this.filter, this, (filter) => this.#filter(filter)), this.#body()]}
    </details>`;
  }

  #countWords(): string {
    if (this.total === 0) return "";
    if (isEverything(this.filter)) return l10n.t("{0} kept", this.total);
    return this.matched === undefined ? "…" : l10n.t("{0} of {1} fit the filter", this.matched, this.total);
  }

  #body() {
    if (this.known.length > 0) return this.#table();
    return html`<div class="empty" data-testid="requests-none-fit">
      <p>${this.matched === undefined ? l10n.t("Looking…") : l10n.t("No request fits this filter.")}</p>
      <button type="button" @click=${() => this.#filter(everything)}>${l10n.t("Show all requests")}</button>
    </div>`;
  }

  #table() {
    const { from, to, above, below, windowed } = this.#window.slice(this.known.length);
    const rows = this.known.slice(from, to).map((request, index) => ({ request, place: from + index + 2 }));
    return html`<div class="scroll ${windowed ? "windowed" : ""}" tabindex=${windowed ? 0 : nothing} role="group" aria-labelledby="requests-title" @scroll=${this.#scrolled}>
      <table data-testid="requests-table" aria-labelledby="requests-title" aria-rowcount=${(this.matched ?? this.total) + 1}>
        <thead>
          <tr aria-rowindex="1">
            <th scope="col">${l10n.t("Time")}</th>
            <th scope="col">${l10n.t("Dialect")}</th>
            <th scope="col">${l10n.t("Request")}</th>
            <th scope="col">${l10n.t("Attempts: key → proxy → status")}</th>
            <th scope="col">${l10n.t("Status")}</th>
            <th scope="col" class="number" title=${l10n.t("in → out")}>${l10n.t("Tokens")}</th>
            <th scope="col" class="number">${l10n.t("Latency")}</th>
          </tr>
        </thead>
        <tbody>
          ${standIn(above, COLUMNS)}
          ${repeat(
            rows,
            ({ request }) => request.id,
            ({ request, place }) => [
              requestRow({
                request,
                place,
                open: this.opened === request.id,
                press: () => this.#open(request.id),
              }),
              this.opened === request.id ? requestDetails(request) : nothing,
            ],
          )}
          ${standIn(below, COLUMNS)}
        </tbody>
      </table>
      ${this.#isWhole() ? nothing : html`<button type="button" class="more" data-testid="more-requests" @click=${() => this.#more()}>${l10n.t("Show older requests")}</button>`}
    </div>`;
  }

  #open(id: string): void {
    this.opened = this.opened === id ? undefined : id;
  }

  #filter(filter: RequestFilter): void {
    this.filter = filter;
    this.matched = undefined;
    this.known = isEverything(filter) ? this.requests : [];
    // Whatever is under way was asked for another filter.
    this.#asked += 1;
    this.#waiting = false;
    if (!isEverything(filter)) this.#ask(0);
  }

  /** The filtered list once more from its beginning, unless someone reads further down. */
  #anew(): void {
    this.#refresh = undefined;
    const scrolled = (this.renderRoot.querySelector(".scroll")?.scrollTop ?? 0) > 0;
    if (!scrolled && !isEverything(this.filter)) this.#ask(0);
  }

  #isWhole(): boolean {
    return this.known.length >= (this.matched ?? this.total);
  }

  readonly #scrolled = (event: Event): void =>
    this.#window.scrolled(event, (left) => {
      if (left < NEAR_THE_END) this.#more();
    });

  #more(): void {
    if (!this.#isWhole() && !this.#waiting) this.#ask(this.known.length);
  }

  #ask(offset: number): void {
    this.#asked += 1;
    this.#waiting = true;
    send({ kind: "requests", asked: this.#asked, offset, filter: this.filter });
  }

  #receive({ asked, offset, matched, rows }: RequestsMessage): void {
    if (asked !== this.#asked) return;
    this.#waiting = false;
    this.matched = isEverything(this.filter) ? undefined : matched;
    this.known = offset === 0 ? rows : withOlder(this.known, rows);
  }
}

function keepOpen(event: Event): void {
  if (event.currentTarget instanceof HTMLDetailsElement) keepViewState({ requestsShown: event.currentTarget.open });
}

function empty() {
  return html`<div class="empty" data-testid="requests-empty">
    <p>
      ${l10n.t("No request yet. Point a tool at the address above and give it the local token as its Gemini API key.")}
    </p>
    <button type="button" @click=${() => send({ kind: "run", command: "connectTool" })}>
      ${l10n.t("Connect a tool…")}
    </button>
  </div>`;
}

customElements.define("request-log", RequestLog);

// The page as a whole: takes in the state, keeps the time, lays the parts out and tells screen readers what changed.
// What is in a part, the part knows.

import * as l10n from "@vscode/l10n";
import { css, html, LitElement, nothing } from "lit";
import "./endpoint/endpointCard";
import "./keys/keysTable";
import "./proxies/proxiesTable";
import "./requests/requestLog";
import { endpointState } from "./format/status";
import { onState, send } from "./host";
import type { Snapshot, ToPanel } from "./protocol";
import { shared } from "./styles/shared";

const COUNTING_MS = 1000;
const RESTING_MS = 10_000;

export class AggregatorPanel extends LitElement {
  static override properties = { state: { state: true } };
  static override styles = [
    shared,
    css`
      main {
        display: grid;
        /* Wide tables scroll in their own box instead of widening the page. */
        grid-template-columns: minmax(0, 1fr);
        gap: 26px;
      }
      .banner {
        border: 1px solid var(--vscode-inputValidation-infoBorder, var(--line));
        background: var(--vscode-inputValidation-infoBackground, transparent);
        border-radius: 4px;
        padding: 8px 12px;
      }
      /* In the page for screen readers only. */
      .spoken {
        margin: 0;
        position: absolute;
        width: 1px;
        height: 1px;
        overflow: hidden;
        clip-path: inset(50%);
      }
    `,
  ];
  declare state: ToPanel | undefined;
  /** What the extension's clock is ahead of this page's. */
  #ahead = 0;
  #tick: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    onState((message) => {
      this.#ahead = message.sentAt - Date.now();
      this.state = message;
    });
    send({ kind: "ready" });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#tick);
  }

  override updated(): void {
    clearTimeout(this.#tick);
    const counting = this.state?.snapshot.keys.some((key) => key.status === "cooling_down") ?? false;
    this.#tick = setTimeout(() => this.requestUpdate(), counting ? COUNTING_MS : RESTING_MS);
  }

  override render() {
    if (this.state === undefined) return html`<p class="note">${l10n.t("Waiting for the extension…")}</p>`;
    const { endpoint, keys, proxies, rotating, balance, requests } = this.state.snapshot;
    const now = Date.now() + this.#ahead;
    const readOnly = endpoint.kind === "elsewhere";
    return html`<main data-testid="panel" data-revision=${this.state.snapshot.revision}>
      <h1 class="spoken">${l10n.t("Gemini Aggregator")}</h1>
      <endpoint-card .endpoint=${endpoint}></endpoint-card>
      ${readOnly ? banner : nothing}
      <keys-table .keys=${keys} .proxies=${proxies} .now=${now} .readOnly=${readOnly}></keys-table>
      <proxies-table
        .proxies=${proxies}
        .rotating=${rotating}
        .balance=${balance}
        .now=${now}
        .readOnly=${readOnly}
      ></proxies-table>
      <request-log .requests=${requests}></request-log>
      <div class="spoken" role="status" aria-live="polite">${spoken(this.state.snapshot)}</div>
    </main>`;
  }
}

const banner = html`<div class="banner" data-testid="read-only">
  This window is read-only: another window runs the endpoint. Keys and proxies are changed there; what is shown here is
  as it was when this window opened.
</div>`;

/** Short and steady, so that screen readers speak only when something that matters has changed. */
function spoken({ endpoint, keys }: Snapshot): string {
  const available = keys.filter((key) => key.status === "available").length;
  return `Endpoint ${endpointState(endpoint).word.toLowerCase()}, ${available} of ${keys.length} keys available.`;
}

customElements.define("aggregator-panel", AggregatorPanel);

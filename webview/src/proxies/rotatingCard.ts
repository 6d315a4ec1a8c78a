// The rotating proxy's card: whether it serves, how it does, and its buttons. The URL comes masked.

import * as l10n from "@vscode/l10n";
import { css, html, LitElement, nothing } from "lit";
import { count, traffic } from "../format/figures";
import { rotatingState } from "../format/status";
import { ago, duration } from "../format/time";
import "../help";
import { send } from "../host";
import type { RotatingView } from "../protocol";
import { stateOf } from "../state";
import { controls, shared, states } from "../styles/shared";

export class RotatingCard extends LitElement {
  static override properties = { rotating: { attribute: false }, now: { attribute: false } };
  static override styles = [
    shared,
    controls,
    states,
    css`
      .card {
        border: 1px solid var(--line);
        border-radius: 4px;
        padding: 10px 14px;
      }
      .card p {
        margin: 4px 0 0;
      }
    `,
  ];
  declare rotating: RotatingView | null;
  declare now: number;

  override render() {
    const { rotating } = this;
    return html`<section aria-labelledby="rotating-title">
      <div class="head">
        <h2 id="rotating-title">${l10n.t("Rotating proxy")}</h2>
        <inline-help .topic=${"rotating"}></inline-help>
        <span class="grow"></span>
        ${
          rotating === null
            ? nothing
            : html`<button
                type="button"
                data-testid="test-rotating"
                @click=${() => send({ kind: "run", command: "testRotatingProxy" })}
              >
                ${l10n.t("Test")}
              </button>`
        }
        <button
          type="button"
          data-testid="configure-rotating"
          @click=${() => send({ kind: "run", command: "configureRotatingProxy" })}
        >
          ${rotating === null ? l10n.t("Set up…") : l10n.t("Configure…")}
        </button>
      </div>
      ${rotating === null ? html`<p class="note">${l10n.t("None. Each key leaves through its own proxy.")}</p>` : this.#card(rotating)}
    </section>`;
  }

  #card(rotating: RotatingView) {
    const error = rotating.last_error;
    return html`<div class="card" data-testid="rotating-proxy">
      <span class="mono">${rotating.masked_url}</span> ${stateOf(rotatingState(rotating), "rotating-status")}
      <p class="note" data-testid="rotating-figures">${figures(rotating, this.now).join(", ")}</p>
      ${error === null ? nothing : html`<p class="sub" data-testid="rotating-last-error">${error}</p>`}
    </div>`;
  }
}

function figures(rotating: RotatingView, now: number): string[] {
  const { success_rate: rate, average_latency_ms: latency, addresses_seen: seen, last_address: last } = rotating;
  return [
    count(rotating.requests, l10n.t("1 request"), (many) => l10n.t("{0} requests", many)),
    ...(rate === null ? [] : [l10n.t("{0} % reached Gemini", Math.round(rate * 100))]),
    ...(latency === null ? [] : [l10n.t("{0} on average", duration(latency))]),
    ...(seen === 0
      ? []
      : [
          count(seen, l10n.t("from 1 address, {0}", last ?? ""), (many) =>
            l10n.t("from {0} addresses, last {1}", many, last ?? ""),
          ),
        ]),
    ...(rotating.last_health_check === null ? [] : [l10n.t("checked {0}", ago(rotating.last_health_check, now))]),
    traffic(rotating.figures),
  ];
}

customElements.define("rotating-card", RotatingCard);

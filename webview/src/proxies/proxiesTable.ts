// The table of proxies: how each is doing, how many keys it carries, what went wrong last. URLs come masked; adding
// and editing happen in the editor's own input box, because URLs carry passwords.

import { html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { answers, balance, count, percent, traffic, tunnels } from "../format/figures";
import { proxyState, rotatingState } from "../format/status";
import { ago, duration } from "../format/time";
import { send } from "../host";
import type { BalanceView, ProxyView, RotatingView } from "../protocol";
import { rowButton } from "../rowButton";
import { stateOf } from "../state";
import { controls, shared, states, table } from "../styles/shared";

export class ProxiesTable extends LitElement {
  static override properties = {
    proxies: { attribute: false },
    rotating: { attribute: false },
    balance: { attribute: false },
    now: { attribute: false },
    readOnly: { attribute: false },
  };
  static override styles = [shared, controls, table, states];
  declare proxies: readonly ProxyView[];
  declare rotating: RotatingView | null;
  declare balance: BalanceView;
  declare now: number;
  declare readOnly: boolean;

  override render() {
    const active = this.proxies.filter((proxy) => proxy.status === "active").length;
    return html`<section aria-labelledby="proxies-title">
      <div class="head">
        <h2 id="proxies-title">Proxies</h2>
        <span class="note" data-testid="balance">
          ${this.proxies.length === 0 ? "" : `${active} of ${this.proxies.length} active, ${balance(this.balance)}`}
        </span>
        <span class="grow"></span>
        <button
          type="button"
          data-testid="add-proxy"
          ?disabled=${this.readOnly}
          @click=${() => send({ kind: "run", command: "addProxy" })}
        >
          Add proxy
        </button>
      </div>
      ${this.rotating === null ? nothing : this.#rotating(this.rotating)}
      ${this.proxies.length === 0 ? empty : this.#table()}
    </section>`;
  }

  #rotating(rotating: RotatingView) {
    const { masked_url: url, requests, success_rate: rate, average_latency_ms: latency, last_error: error } = rotating;
    const seen = rotating.addresses_seen;
    const figures = [
      count(requests, "request"),
      ...(rate === null ? [] : [`${Math.round(rate * 100)} % reached Gemini`]),
      ...(latency === null ? [] : [`${duration(latency)} on average`]),
      ...(seen === 0 ? [] : [`from ${count(seen, "address", "addresses")}, last ${rotating.last_address}`]),
      ...(rotating.last_health_check === null ? [] : [`checked ${ago(rotating.last_health_check, this.now)}`]),
      traffic(rotating.figures),
    ];
    return html`<p data-testid="rotating-proxy">
      Rotating proxy <span class="mono">${url}</span> ${stateOf(rotatingState(rotating), "rotating-status")}
      <span class="note" data-testid="rotating-figures">${figures.join(", ")}</span>
      ${error === null ? nothing : html`<span class="sub" data-testid="rotating-last-error">${error}</span>`}
    </p>`;
  }

  #table() {
    return html`<div class="scroll">
      <table data-testid="proxies-table" aria-labelledby="proxies-title">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">URL</th>
            <th scope="col">Status</th>
            <th scope="col" class="number">Keys</th>
            <th scope="col" class="number">In flight</th>
            <th scope="col" class="number">Errors</th>
            <th scope="col" class="number">Latency</th>
            <th scope="col">Traffic</th>
            <th scope="col">Checked</th>
            <th scope="col" class="number">Actions</th>
          </tr>
        </thead>
        <tbody>
          ${repeat(
            this.proxies,
            (proxy) => proxy.id,
            (proxy) => this.#row(proxy),
          )}
        </tbody>
      </table>
    </div>`;
  }

  #row(proxy: ProxyView) {
    const target = { id: proxy.id, name: proxy.name, readOnly: this.readOnly };
    return html`<tr data-testid="proxy-row" data-proxy-name=${proxy.name} data-proxy-id=${proxy.id}>
      <th scope="row" data-testid="proxy-name">${proxy.name}</th>
      <td class="mono" data-testid="proxy-url">${proxy.masked_url}</td>
      <td>
        ${stateOf(proxyState(proxy), "proxy-status")}
        ${
          proxy.last_error === null
            ? nothing
            : html`<div class="sub" data-testid="proxy-last-error">${proxy.last_error}</div>`
        }
      </td>
      <td class="number" data-testid="proxy-keys">${proxy.assigned_key_count}</td>
      <td class="number" data-testid="proxy-in-flight">${proxy.active_requests}</td>
      <td class="number">
        <span data-testid="proxy-error-rate" title="of the attempts of the last five minutes">
          ${percent(proxy.figures.error_rate)}
        </span>
        ${proxy.error_count === 0 ? nothing : html`<div class="sub" data-testid="proxy-errors">${proxy.error_count} in a row</div>`}
      </td>
      <td class="number nowrap" data-testid="proxy-latency">
        <span title="to a usable tunnel, when last checked">${proxy.latency_ms === null ? "–" : duration(proxy.latency_ms)}</span>
        <div class="sub" data-testid="proxy-answers" title="from a request to the beginning of its answer">
          ${answers(proxy.figures) ?? nothing}
        </div>
      </td>
      <td class="nowrap" data-testid="proxy-traffic">
        ${traffic(proxy.figures)}
        <div class="sub">${tunnels(proxy.figures)}</div>
      </td>
      <td class="nowrap">${ago(proxy.last_health_check, this.now)}</td>
      <td>
        <div class="actions">
          ${rowButton("test-proxy", "Test", "testProxy", target)} ${rowButton("edit-proxy", "Edit", "editProxy", target)}
          ${rowButton("remove-proxy", "Remove", "removeProxy", target)}
        </div>
      </td>
    </tr>`;
  }
}

const empty = html`<div class="empty" data-testid="proxies-empty">
  <p>No proxy yet: every key connects directly. Add one, and each key leaves through a proxy of its own.</p>
</div>`;

customElements.define("proxies-table", ProxiesTable);

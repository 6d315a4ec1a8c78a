// The table of API keys: what each is doing, which proxy it leaves through, and what can be done with it. It shows
// what the snapshot says and sends intents; it never changes anything by itself.

import { html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { proxyName } from "../format/assignment";
import { percent, traffic } from "../format/figures";
import { keyState } from "../format/status";
import { ago } from "../format/time";
import { send } from "../host";
import type { KeyView, ProxyView } from "../protocol";
import { rowButton } from "../rowButton";
import { stateOf } from "../state";
import { controls, shared, states, table } from "../styles/shared";
import { assignSelect } from "./assignSelect";

export class KeysTable extends LitElement {
  static override properties = {
    keys: { attribute: false },
    proxies: { attribute: false },
    now: { attribute: false },
    readOnly: { attribute: false },
  };
  static override styles = [shared, controls, table, states];
  declare keys: readonly KeyView[];
  declare proxies: readonly ProxyView[];
  declare now: number;
  declare readOnly: boolean;

  override render() {
    const available = this.keys.filter((key) => key.status === "available").length;
    return html`<section aria-labelledby="keys-title">
      <div class="head">
        <h2 id="keys-title">API keys</h2>
        <span class="note">${this.keys.length === 0 ? "" : `${available} of ${this.keys.length} available`}</span>
        <span class="grow"></span>
        <button
          type="button"
          data-testid="import-keys"
          ?disabled=${this.readOnly}
          @click=${() => send({ kind: "run", command: "importApiKeys" })}
        >
          Import keys
        </button>
        <button
          type="button"
          class="primary"
          data-testid="add-key"
          ?disabled=${this.readOnly}
          @click=${() => send({ kind: "run", command: "addApiKey" })}
        >
          Add API key
        </button>
      </div>
      ${this.keys.length === 0 ? empty : this.#table()}
    </section>`;
  }

  #table() {
    return html`<div class="scroll">
      <table data-testid="keys-table" aria-labelledby="keys-title">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Key</th>
            <th scope="col">Status</th>
            <th scope="col">Proxy</th>
            <th scope="col" class="number">In flight</th>
            <th scope="col" class="number">Requests</th>
            <th scope="col" class="number">Errors</th>
            <th scope="col">Last used</th>
            <th scope="col" class="number">Actions</th>
          </tr>
        </thead>
        <tbody>
          ${repeat(
            this.keys,
            (key) => key.id,
            (key) => this.#row(key),
          )}
        </tbody>
      </table>
    </div>`;
  }

  #row(key: KeyView) {
    return html`<tr data-testid="key-row" data-key-name=${key.name} data-key-id=${key.id}>
      <th scope="row" data-testid="key-name">${key.name}</th>
      <td class="mono nowrap" data-testid="key-masked">${key.masked_key}</td>
      <td>${stateOf(keyState(key, this.now), "key-status")}</td>
      <td>
        <div class="nowrap">
          <span data-testid="key-proxy">${proxyName(key, this.proxies)}</span>
          <span class="mark" data-testid="key-proxy-mode">${key.is_manual ? "manual" : "automatic"}</span>
        </div>
        ${assignSelect(key, this.proxies, this.readOnly)}
      </td>
      <td class="number" data-testid="key-in-flight">${key.current_requests}</td>
      <td class="number">
        <span data-testid="key-requests" title=${traffic(key.figures)}>${key.request_count}</span>
        ${direct(key)}
      </td>
      <td class="number">
        <span data-testid="key-errors">${key.failure_count}</span>
        <div class="sub nowrap" title="of the attempts of the last five minutes">${percent(key.figures.error_rate)}</div>
      </td>
      <td class="nowrap" data-testid="key-last-used">${ago(key.last_used, this.now)}</td>
      <td>
        <div class="actions">${this.#actions(key)}</div>
      </td>
    </tr>`;
  }

  #actions(key: KeyView) {
    const target = { id: key.id, name: key.name, readOnly: this.readOnly };
    return [
      rowButton("test-key", "Test", "testApiKey", target),
      rowButton("modify-key", "Edit", "modifyApiKey", target),
      // A key that the system disabled is enabled again by hand, too.
      key.status === "disabled"
        ? rowButton("enable-key", "Enable", "enableApiKey", target)
        : rowButton("disable-key", "Disable", "disableApiKey", target),
      rowButton("remove-key", "Remove", "removeApiKey", target),
    ];
  }
}

/** What a fallback did without the key's proxy must not hide. */
function direct({ direct_count }: KeyView) {
  if (direct_count === 0) return nothing;
  return html`<div class="sub warn nowrap" data-testid="key-direct" title="No proxy worked, and you allowed it.">
    ${direct_count} direct
  </div>`;
}

const empty = html`<div class="empty" data-testid="keys-empty">
  <p>
    No API key yet. Add one from Google AI Studio: it stays in the editor's secret storage, and your tools use the
    local endpoint instead of it.
  </p>
</div>`;

customElements.define("keys-table", KeysTable);

// The newest requests, each with its attempts in order: which key through which proxy, and what came back.

import { css, html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { requestState } from "../format/status";
import { clock, duration } from "../format/time";
import { keepViewState, viewState } from "../host";
import type { AttemptView, RequestView } from "../protocol";
import { stateOf } from "../state";
import { controls, shared, states, table } from "../styles/shared";

export class RequestLog extends LitElement {
  static override properties = { requests: { attribute: false } };
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
    `,
  ];
  declare requests: readonly RequestView[];

  override render() {
    return html`<details ?open=${viewState().requestsShown} @toggle=${keepOpen}>
      <summary><h2 id="requests-title">Requests</h2></summary>
      ${this.requests.length === 0 ? empty : this.#table()}
    </details>`;
  }

  #table() {
    return html`<div class="scroll">
      <table data-testid="requests-table" aria-labelledby="requests-title">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Request</th>
            <th scope="col">Attempts: key → proxy → status</th>
            <th scope="col">Status</th>
            <th scope="col" class="number">Latency</th>
          </tr>
        </thead>
        <tbody>
          ${repeat(this.requests, (request) => request.id, row)}
        </tbody>
      </table>
    </div>`;
  }
}

function row(request: RequestView) {
  return html`<tr data-testid="request-row" data-request-id=${request.id}>
    <td class="nowrap">${clock(request.at)}</td>
    <td>
      <span data-testid="request-model">${request.model ?? request.path}</span>
      <div class="sub mono">${request.method} ${request.path}</div>
    </td>
    <td>
      <ol data-testid="request-attempts">
        ${request.attempts.map(attempt)}
      </ol>
    </td>
    <td>${stateOf(requestState(request), "request-status")}</td>
    <td class="number nowrap">${duration(request.duration_ms)}</td>
  </tr>`;
}

function attempt({ key_name, proxy_name, direct_fallback, status, error, duration_ms }: AttemptView) {
  const way = proxy_name ?? (direct_fallback ? "direct, no proxy works" : "direct");
  return html`<li>
    ${key_name} → ${way} → ${status ?? "no answer"}
    <span class="note">${duration(duration_ms)}</span>
    ${error === null ? nothing : html`<div class="sub">${error}</div>`}
  </li>`;
}

function keepOpen(event: Event): void {
  if (event.currentTarget instanceof HTMLDetailsElement) keepViewState({ requestsShown: event.currentTarget.open });
}

const empty = html`<div class="empty" data-testid="requests-empty">
  <p>No request yet. Point a tool at the address above and give it the local token as its Gemini API key.</p>
</div>`;

customElements.define("request-log", RequestLog);

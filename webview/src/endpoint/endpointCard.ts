// The endpoint's card: address, state, and the buttons that belong to them. The token is copied by the extension;
// this page never sees it.

import * as l10n from "@vscode/l10n";
import { css, html, LitElement, nothing } from "lit";
import { endpointState } from "../format/status";
import "../help";
import { send } from "../host";
import type { EndpointView, PanelCommand } from "../protocol";
import { stateOf } from "../state";
import { controls, shared, states } from "../styles/shared";

export class EndpointCard extends LitElement {
  static override properties = { endpoint: { attribute: false } };
  static override styles = [
    shared,
    controls,
    states,
    css`
      .card {
        border: 1px solid var(--line);
        border-radius: 4px;
        padding: 12px 14px;
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 10px 20px;
      }
      .what {
        flex: 1 1 300px;
      }
      .url {
        font-size: 1.25em;
        user-select: all;
      }
      .buttons {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
      }
    `,
  ];
  declare endpoint: EndpointView;

  override render() {
    const { endpoint } = this;
    const reachable = endpoint.kind === "listening";
    return html`<section class="card" aria-label=${l10n.t("Endpoint")}>
      <div class="what">
        ${reachable ? html`<div class="url mono" data-testid="endpoint-url">${endpoint.url}</div>` : nothing}
        ${stateOf(endpointState(endpoint), "endpoint-state")}
        ${endpoint.kind === "listening" && endpoint.local_auth === "off" ? openDoor : nothing}
      </div>
      <inline-help .topic=${"endpoint"}></inline-help>
      <div class="buttons">
        ${
          reachable
            ? [
                button("connect-tool", l10n.t("Connect a tool…"), "connectTool", true),
                button("copy-endpoint", l10n.t("Copy address"), "copyEndpoint"),
                button("copy-token", l10n.t("Copy token"), "copyLocalToken"),
                button("rotate-token", l10n.t("New token…"), "rotateLocalToken"),
              ]
            : nothing
        }
        ${serverButtons(endpoint)} ${endpoint.kind === "failed" ? button("doctor", l10n.t("Doctor"), "doctor") : nothing}
        ${button("show-log", l10n.t("Show log"), "showLog")}
      </div>
    </section>`;
  }
}

const openDoor = html`<div class="sub">
  ${l10n.t("Local authentication is off: every program on this machine may use your keys' quota.")}
</div>`;

function serverButtons(endpoint: EndpointView) {
  switch (endpoint.kind) {
    case "listening":
      return [
        button("restart-server", l10n.t("Restart"), "restartServer"),
        button("stop-server", l10n.t("Stop"), "stopServer"),
      ];
    case "stopped":
      return button("start-server", l10n.t("Start"), "startServer", true);
    case "failed":
      return button("restart-server", l10n.t("Try again"), "restartServer");
    case "starting":
      return nothing;
  }
}

function button(testId: string, label: string, command: PanelCommand, primary = false) {
  return html`<button
    type="button"
    class=${primary ? "primary" : ""}
    data-testid=${testId}
    @click=${() => send({ kind: "run", command })}
  >
    ${label}
  </button>`;
}

customElements.define("endpoint-card", EndpointCard);

// How far a test of a key or a proxy came, stage by stage, shown below its row until it is closed. The words of the
// stages are the core's.

import * as l10n from "@vscode/l10n";
import { html, nothing } from "lit";
import type { Tested, TestStage } from "./protocol";

export function testedRow(test: Tested, columns: number, close: () => void) {
  return html`<tr class="details" data-testid="tested">
    <td colspan=${columns}>
      <p class=${test.works ? "" : "warn"}>${test.message}</p>
      <ul>
        ${test.stages.map(
          (stage) => html`<li data-testid="tested-stage">
            <span class="state ${stage.ok ? "good" : "bad"}">${nameOf(stage.stage)}</span>
            <span class="note">${l10n.t("{0} ms", stage.ms)}</span> ${stage.words}
          </li>`,
        )}
      </ul>
      ${test.address === null ? nothing : html`<p>${l10n.t("Gemini sees the address {0}.", test.address)}</p>`}
      <button type="button" data-testid="tested-close" @click=${close}>${l10n.t("Close")}</button>
    </td>
  </tr>`;
}

function nameOf(stage: TestStage["stage"]): string {
  switch (stage) {
    case "dns":
      return l10n.t("Name lookup");
    case "connect":
      return l10n.t("Connection to Gemini");
    case "proxy_connect":
      return l10n.t("Connection to the proxy");
    case "proxy_tls":
      return l10n.t("TLS with the proxy");
    case "proxy_login":
      return l10n.t("Tunnel through the proxy");
    case "tls":
      return l10n.t("TLS with Gemini");
    case "gemini":
      return l10n.t("Answer of Gemini");
  }
}

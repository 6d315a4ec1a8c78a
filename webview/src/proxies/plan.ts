// What a rebalancing would do, to be applied or let be: nothing has moved while this is shown.

import * as l10n from "@vscode/l10n";
import { html, nothing } from "lit";
import { NO_PROXY } from "../format/assignment";
import { send } from "../host";
import type { PlanMessage } from "../protocol";

export function planOf({ message, moves }: PlanMessage, close: () => void) {
  const apply = () => {
    send({ kind: "rebalance" });
    close();
  };
  return html`<div class="plan" role="group" aria-label=${l10n.t("Plan of the rebalancing")} data-testid="plan">
    <p>${message}</p>
    <ul>
      ${moves.map(
        ({ key_name, from, to }) =>
          html`<li data-testid="plan-move">${key_name}: ${from?.name ?? NO_PROXY} → ${to.name}</li>`,
      )}
    </ul>
    ${
      moves.length === 0
        ? nothing
        : html`<button type="button" class="primary" data-testid="plan-apply" @click=${apply}>${l10n.t("Apply")}</button>`
    }
    <button type="button" data-testid="plan-close" @click=${close}>
      ${moves.length === 0 ? l10n.t("Close") : l10n.t("Cancel")}
    </button>
  </div>`;
}

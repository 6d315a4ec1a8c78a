// What can be done to all selected keys at once. Shown while there are some.

import * as l10n from "@vscode/l10n";
import { html } from "lit";
import { chosenProxy, NO_PROXY, NONE } from "../format/assignment";
import { send } from "../host";
import { AUTOMATIC, type KeysActionName, type ProxyView } from "../protocol";

export function bulkBar(ids: readonly string[], proxies: readonly ProxyView[], clear: () => void) {
  const act = (testId: string, label: string, action: KeysActionName) => html`<button
    type="button"
    class=${action === "remove" ? "danger" : ""}
    data-testid=${testId}
    @click=${() => send({ kind: "keys", action, ids })}
  >
    ${label}
  </button>`;
  const words = ids.length === 1 ? l10n.t("1 key selected") : l10n.t("{0} keys selected", ids.length);
  return html`<div class="bulk" role="group" aria-label=${words} data-testid="bulk-bar">
    <span>${words}</span>
    ${act("bulk-enable", l10n.t("Enable"), "enable")} ${act("bulk-disable", l10n.t("Disable"), "disable")}
    <select data-testid="bulk-assign" aria-label=${l10n.t("Proxy for the selected keys")} @change=${(event: Event) => assign(event, ids)}>
      <option value="?" selected disabled>${l10n.t("Give a proxy…")}</option>
      <option value=${AUTOMATIC}>${l10n.t("Automatic")}</option>
      <option value=${NONE}>${NO_PROXY}</option>
      ${proxies.map(({ id, name }) => html`<option value=${id}>${name}</option>`)}
    </select>
    ${act("bulk-remove", l10n.t("Remove"), "remove")}
    <button type="button" class="plain" data-testid="bulk-clear" @click=${clear}>${l10n.t("Select none")}</button>
  </div>`;
}

function assign(event: Event, ids: readonly string[]): void {
  if (!(event.currentTarget instanceof HTMLSelectElement)) return;
  send({ kind: "assign", ids, proxyId: chosenProxy(event.currentTarget.value) });
  event.currentTarget.value = "?";
}

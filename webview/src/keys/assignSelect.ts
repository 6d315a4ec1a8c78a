// The menu that gives a key its proxy: automatic, none, or one of the pool. It shows the rule that holds, so it turns
// back by itself when the extension refuses the change.

import * as l10n from "@vscode/l10n";
import { html } from "lit";
import { live } from "lit/directives/live.js";
import { assignOptions, chosenProxy } from "../format/assignment";
import { send } from "../host";
import type { KeyView, ProxyView } from "../protocol";

export function assignSelect(key: KeyView, proxies: readonly ProxyView[]) {
  const choose = (event: Event) => {
    if (!(event.currentTarget instanceof HTMLSelectElement)) return;
    send({ kind: "assign", ids: [key.id], proxyId: chosenProxy(event.currentTarget.value) });
  };
  return html`<select data-testid="assign-select" aria-label=${l10n.t("Proxy for {0}", key.name)} @change=${choose}>
    ${assignOptions(key, proxies).map(
      ({ value, label, selected }) => html`<option value=${value} .selected=${live(selected)}>${label}</option>`,
    )}
  </select>`;
}

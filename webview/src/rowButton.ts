// A small button of a table's row: one command for one key or proxy, named in full for screen readers.

import { html } from "lit";
import { send } from "./host";
import type { RowCommand } from "./protocol";

export type Target = { readonly id: string; readonly name: string; readonly readOnly: boolean };

export function rowButton(testId: string, label: string, command: RowCommand, target: Target) {
  const danger = label === "Remove" ? "danger" : "";
  return html`<button
    type="button"
    class="plain ${danger}"
    data-testid=${testId}
    aria-label="${label} ${target.name}"
    ?disabled=${target.readOnly}
    @click=${() => send({ kind: "run_on", command, id: target.id })}
  >
    ${label}
  </button>`;
}

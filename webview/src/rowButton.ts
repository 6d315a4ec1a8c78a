// A small button of a table's row, named in full for screen readers: "Test personal-1".

import { html } from "lit";
import { send } from "./host";
import type { Intent } from "./protocol";

export type RowButton = {
  readonly testId: string;
  readonly label: string;
  /** The label with the row's name. */
  readonly spoken: string;
  readonly intent: Intent;
  readonly danger?: boolean;
};

export function rowButton({ testId, label, spoken, intent, danger }: RowButton) {
  return html`<button
    type="button"
    class="plain ${danger ? "danger" : ""}"
    data-testid=${testId}
    aria-label=${spoken}
    @click=${() => send(intent)}
  >
    ${label}
  </button>`;
}

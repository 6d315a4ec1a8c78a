// One state as it is shown: a dot, its word and, where there is one, the reason below.

import { html, nothing, type TemplateResult } from "lit";
import type { Shown } from "./format/status";

export function stateOf(shown: Shown, testId: string): TemplateResult {
  return html`<span class="state ${shown.tone}" data-testid=${testId}>${shown.word}</span>
    ${shown.detail === undefined ? nothing : html`<div class="sub" data-testid="${testId}-reason">${shown.detail}</div>`}`;
}

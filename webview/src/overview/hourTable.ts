// The charts of the hour as a table for those who do not see them: six rows of ten minutes, visually hidden.

import * as l10n from "@vscode/l10n";
import { css, html, type TemplateResult } from "lit";
import { duration } from "../format/time";
import { minuteOf, whole } from "./amounts";
import { MINUTES, type Series, totalsOf } from "./series";

const STEP = 10;

export function hourTable(series: Series): TemplateResult {
  const starts = Array.from({ length: MINUTES / STEP }, (_, index) => index * STEP);
  return html`<table class="unseen" data-testid="overview-table">
    <caption>
      ${l10n.t("The last hour in steps of ten minutes")}
    </caption>
    <thead>
      <tr>
        <th scope="col">${l10n.t("From")}</th>
        <th scope="col">${l10n.t("Requests")}</th>
        <th scope="col">${l10n.t("Failed")}</th>
        <th scope="col">${l10n.t("Tokens in")}</th>
        <th scope="col">${l10n.t("Tokens out")}</th>
        <th scope="col">${l10n.t("Latency")}</th>
      </tr>
    </thead>
    <tbody>
      ${starts.map((start) => row(series, start))}
    </tbody>
  </table>`;
}

function row(series: Series, start: number): TemplateResult {
  const totals = totalsOf(series, start, start + STEP);
  return html`<tr>
    <th scope="row">${minuteOf(series.at[start] ?? 0)}</th>
    <td>${whole(totals.requests)}</td>
    <td>${whole(totals.errors)}</td>
    <td>${whole(totals.tokensIn)}</td>
    <td>${whole(totals.tokensOut)}</td>
    <td>${totals.latency === null ? "–" : duration(totals.latency)}</td>
  </tr>`;
}

export const unseen = css`
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;

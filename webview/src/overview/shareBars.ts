// Who had how much, as bars beside their names and numbers. The bars only repeat what the numbers say, so they are
// hidden from screen readers.

import * as l10n from "@vscode/l10n";
import { css, html, nothing, type TemplateResult } from "lit";
import { percent } from "../format/figures";
import { short } from "./amounts";
import type { Share, Shares } from "./shares";

export function shareBars(id: string, title: string, { total, top, others }: Shares): TemplateResult {
  return html`<div class="shares" data-testid="shares-${id}">
    <div class="caption">
      <h3>${title}</h3>
      <span class="note">${l10n.t("attempts of the last 30 min: {0}", short(total))}</span>
    </div>
    ${total === 0 ? html`<p class="note">${l10n.t("None in the last 30 minutes.")}</p>` : list(top, others)}
  </div>`;
}

function list(top: readonly Share[], others: Shares["others"]): TemplateResult {
  return html`<ul>
    ${top.map((share) => bar(share, share.name))}
    ${others === undefined ? nothing : bar(others, l10n.t("{0} others", others.count), "rest")}
  </ul>`;
}

function bar({ share, amount }: Share, name: string, kind = ""): TemplateResult {
  return html`<li>
    <span class="name" title=${name}>${name}</span>
    <svg class="track ${kind}" height="8" aria-hidden="true">
      <rect class="back" width="100%" height="8"></rect>
      <rect class="fill" width="${Math.max(0.5, share * 100)}%" height="8"></rect>
    </svg>
    <span class="amount">${percent(share)}</span>
    <span class="amount quiet">${short(amount)}</span>
  </li>`;
}

export const shareStyles = css`
  .shares {
    min-width: 0;
  }
  .caption {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    justify-content: space-between;
    gap: 0 10px;
    margin-bottom: 4px;
  }
  h3 {
    font-size: inherit;
    font-weight: 600;
    margin: 0;
  }
  .shares p {
    margin: 0;
  }
  ul {
    list-style: none;
    margin: 0;
    padding: 0;
  }
  li {
    display: grid;
    grid-template-columns: minmax(70px, 150px) minmax(40px, 1fr) 46px 46px;
    align-items: center;
    gap: 8px;
    padding: 1px 0;
  }
  .name {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .track {
    width: 100%;
  }
  .track .back {
    fill: var(--vscode-foreground);
    fill-opacity: 0.1;
  }
  .track .fill {
    fill: var(--vscode-charts-blue, currentColor);
  }
  .track.rest .fill {
    fill: var(--vscode-descriptionForeground);
  }
  .amount {
    text-align: right;
    font-variant-numeric: tabular-nums;
  }
  .quiet {
    color: var(--vscode-descriptionForeground);
  }
`;

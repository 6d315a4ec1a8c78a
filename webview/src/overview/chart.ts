// One small chart: a title with its figure, the drawing over the hour, the ends of its axes, a legend where there are
// two things to tell apart. What the values mean is the caller's. Invariant: nothing is told by colour alone (what is
// stacked has its place, what is drawn as a line its dashes), and every drawing has a sentence that tells it in words.

import * as l10n from "@vscode/l10n";
import { css, html, nothing, type SVGTemplateResult, svg, type TemplateResult } from "lit";
import { bars, HEIGHT, linePath, WIDTH } from "./scale";

export type Tone = "first" | "second" | "bad";
/** The chart's look is chosen by class, because the content policy allows no style of an element's own. */
export type Key = { readonly tone: Tone; readonly shape: "bar" | "line"; readonly label: string };

export type Chart = {
  readonly id: string;
  readonly title: string;
  /** The hour in one figure, with its unit. */
  readonly figure: string;
  /** The whole chart in words. */
  readonly label: string;
  /** What the top of the scale is. */
  readonly top: string;
  readonly drawing: SVGTemplateResult | readonly SVGTemplateResult[];
  readonly legend?: readonly Key[];
  /** What each minute says when pointed at. */
  readonly hints: readonly string[];
};

export function chart({ id, title, figure, label, top, drawing, legend, hints }: Chart): TemplateResult {
  return html`<figure data-testid="chart-${id}">
    <figcaption>
      <span class="title">${title}</span>
      <span class="figure">${figure}</span>
    </figcaption>
    <div class="plot">
      <span class="top" aria-hidden="true">${top}</span>
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${label}>
        ${grid()}${drawing}${hints.map(hint)}
      </svg>
    </div>
    <div class="ends" aria-hidden="true">
      <span>${l10n.t("60 min ago")}</span>
      ${legend === undefined ? nothing : html`<span class="legend">${legend.map(entry)}</span>`}
      <span>${l10n.t("now")}</span>
    </div>
  </figure>`;
}

export function barsOf(values: readonly number[], top: number, tone: Tone, below?: readonly number[]) {
  return svg`<g class="bar ${tone}">${bars(values, top, below).map((bar) =>
    bar === undefined ? nothing : svg`<rect x=${bar.x} y=${bar.y} width=${bar.width} height=${bar.height}></rect>`,
  )}</g>`;
}

export function lineOf(values: readonly (number | null)[], top: number, tone: Tone) {
  return svg`<path class="line ${tone}" d=${linePath(values, top)}></path>`;
}

function grid() {
  return svg`<path class="grid" d="M0 0.5H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}"></path>
    <path class="ground" d="M0 ${HEIGHT - 0.5}H${WIDTH}"></path>`;
}

function hint(text: string, index: number, { length }: { readonly length: number }) {
  const step = WIDTH / length;
  return svg`<rect class="hint" x=${index * step} y="0" width=${step} height=${HEIGHT}><title>${text}</title></rect>`;
}

function entry({ tone, shape, label }: Key) {
  // Stacked as in the chart: what failed lies below.
  const sample =
    shape === "bar"
      ? svg`<g class="bar ${tone}"><rect x="0" y=${tone === "bad" ? 5 : 0} width="14" height="5"></rect></g>`
      : svg`<path class="line ${tone}" d="M0 5H14"></path>`;
  return html`<span class="key"><svg width="14" height="10" viewBox="0 0 14 10">${sample}</svg>${label}</span>`;
}

export const chartStyles = css`
  figure {
    margin: 0;
    min-width: 0;
  }
  figcaption {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    justify-content: space-between;
    gap: 0 10px;
    margin-bottom: 4px;
  }
  .title {
    font-weight: 600;
  }
  .figure {
    color: var(--vscode-descriptionForeground);
    font-variant-numeric: tabular-nums;
  }
  .plot {
    position: relative;
  }
  .plot svg {
    display: block;
    width: 100%;
    height: 72px;
  }
  .top {
    position: absolute;
    top: 2px;
    left: 0;
    padding-right: 4px;
    font-size: 0.8em;
    line-height: 1.2;
    color: var(--vscode-descriptionForeground);
    background: var(--vscode-editor-background);
    pointer-events: none;
  }
  .ends {
    display: flex;
    justify-content: space-between;
    gap: 8px;
    font-size: 0.8em;
    white-space: nowrap;
    color: var(--vscode-descriptionForeground);
    margin-top: 2px;
  }
  .legend {
    display: flex;
    flex-wrap: wrap;
    justify-content: center;
    gap: 0 12px;
  }
  .key svg {
    display: inline-block;
    margin-right: 4px;
    vertical-align: -1px;
  }
  .grid,
  .ground {
    fill: none;
    stroke: var(--vscode-charts-lines, currentColor);
    stroke-width: 1;
    vector-effect: non-scaling-stroke;
  }
  .grid {
    stroke-opacity: 0.35;
    stroke-dasharray: 2 3;
  }
  .line {
    fill: none;
    stroke-width: 1.5;
    stroke-linejoin: round;
    vector-effect: non-scaling-stroke;
  }
  .line.second {
    stroke-dasharray: 4 3;
  }
  .bar.first {
    fill: var(--vscode-charts-blue, currentColor);
  }
  .bar.bad {
    fill: var(--vscode-charts-red, var(--vscode-errorForeground));
  }
  .line.first {
    stroke: var(--vscode-charts-blue, currentColor);
  }
  .line.second {
    stroke: var(--vscode-charts-orange, currentColor);
  }
  .line.bad {
    stroke: var(--vscode-charts-red, var(--vscode-errorForeground));
  }
  .hint {
    fill: transparent;
  }
  .hint:hover {
    fill: var(--vscode-foreground);
    fill-opacity: 0.12;
  }
  @media (forced-colors: active) {
    svg {
      forced-color-adjust: none;
    }
  }
`;

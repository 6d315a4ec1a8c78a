// A sparkline: the minutes of a key or a proxy as small bars, its failures marked below. It carries its colours with it,
// because it stands in the shadow roots of others; the sentence that tells the same in words is the caller's.

import { html, nothing, svg, type TemplateResult } from "lit";

const WIDTH = 80;
const HEIGHT = 18;
/** As many as the core's minutes: with fewer values, each still has the width of a minute. */
const SLOTS = 30;
/** Invariant: one attempt of thousands, and one failure among them, can be seen. */
const LEAST = 2;

const BAR = "var(--vscode-charts-blue, currentColor)";
const FAILED = "var(--vscode-charts-red, var(--vscode-errorForeground, currentColor))";

/** `values` and `failures` by minute, oldest first; failures are part of the values. A dash when there is nothing. */
export function sparkline(values: readonly number[], failures: readonly number[], label: string): TemplateResult {
  if (!values.some((value) => value > 0)) return html`<span role="img" aria-label=${label}>–</span>`;
  const { all, failed } = sparkPaths(values, failures);
  return html`<svg
    width=${WIDTH}
    height=${HEIGHT}
    viewBox="0 0 ${WIDTH} ${HEIGHT}"
    role="img"
    aria-label=${label}
    data-testid="sparkline"
  >
    ${svg`<title>${label}</title><path d="M0 ${HEIGHT - 0.5}H${WIDTH}" stroke="currentColor" stroke-opacity="0.3" fill="none"></path>
      <path d=${all} fill=${BAR}></path>`}
    ${failed === "" ? nothing : svg`<path d=${failed} fill=${FAILED}></path>`}
  </svg>`;
}

/** The bars as path data: what went well above what failed. */
export function sparkPaths(
  values: readonly number[],
  failures: readonly number[],
): { readonly all: string; readonly failed: string } {
  const top = Math.max(1, ...values);
  const step = WIDTH / Math.max(SLOTS, values.length);
  const size = (value: number) => (value <= 0 ? 0 : Math.max(LEAST, (value / top) * HEIGHT));
  let [all, failed] = ["", ""];
  values.forEach((value, index) => {
    const bad = Math.min(failures[index] ?? 0, value);
    // The present minute ends at the right edge, however few there are.
    const x = WIDTH - (values.length - index) * step;
    const whole = Math.min(HEIGHT, Math.max(size(value), size(bad) + (value > bad ? LEAST : 0)));
    const red = Math.min(size(bad), value > bad ? whole - LEAST : whole);
    if (whole > red) all += bar(x, HEIGHT - whole, step, whole - red);
    if (red > 0) failed += bar(x, HEIGHT - red, step, red);
  });
  return { all, failed };
}

function bar(x: number, y: number, step: number, height: number): string {
  return `M${round(x)} ${round(y)}h${round(step * 0.8)}v${round(height)}h${round(-step * 0.8)}z`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

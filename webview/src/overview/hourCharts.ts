// The four charts of the last hour: requests, error share, tokens, latency. It knows what each series means and how it
// is said in words; how a chart is drawn, `chart.ts` knows.

import * as l10n from "@vscode/l10n";
import type { TemplateResult } from "lit";
import { percent } from "../format/figures";
import { duration } from "../format/time";
import { minuteOf, short, whole } from "./amounts";
import { barsOf, chart, lineOf } from "./chart";
import { niceTop } from "./scale";
import type { Series, Totals } from "./series";

export function hourCharts(series: Series, totals: Totals): TemplateResult[] {
  return [requests(series, totals), errorShare(series, totals), tokens(series, totals), latency(series, totals)];
}

function requests(series: Series, totals: Totals): TemplateResult {
  const top = niceTop(largest(series.requests));
  const good = series.requests.map((count, index) => count - (series.errors[index] ?? 0));
  return chart({
    id: "requests",
    title: l10n.t("Requests"),
    figure: l10n.t("{0}, {1} failed", short(totals.requests), short(totals.errors)),
    label: l10n.t(
      "Requests by minute over the last hour: {0} in all, {1} of them failed, at most {2} in a minute.",
      whole(totals.requests),
      whole(totals.errors),
      whole(largest(series.requests)),
    ),
    top: short(top),
    drawing: [barsOf(series.errors, top, "bad"), barsOf(good, top, "first", series.errors)],
    legend: [
      { tone: "first", shape: "bar", label: l10n.t("served") },
      { tone: "bad", shape: "bar", label: l10n.t("failed") },
    ],
    hints: hints(series, (index) =>
      l10n.t("{0} requests, {1} failed", whole(series.requests[index] ?? 0), whole(series.errors[index] ?? 0)),
    ),
  });
}

function errorShare(series: Series, { requests, errors }: Totals): TemplateResult {
  const worst = largest(series.errorShare);
  // Up to what is round above the worst minute, so that a small share is seen too.
  const top = Math.min(1, niceTop(Math.max(worst, 0.1)));
  const share = percent(requests === 0 ? null : errors / requests);
  return chart({
    id: "error-share",
    title: l10n.t("Error share"),
    figure: share,
    label: l10n.t(
      "Share of failed requests by minute over the last hour: {0} on the whole, {1} in the worst minute.",
      share,
      percent(requests === 0 ? null : worst),
    ),
    top: percent(top),
    drawing: barsOf(
      series.errorShare.map((value) => value ?? 0),
      top,
      "bad",
    ),
    hints: hints(series, (index) => percent(series.errorShare[index] ?? null)),
  });
}

function tokens(series: Series, { tokensIn, tokensOut }: Totals): TemplateResult {
  const top = niceTop(Math.max(largest(series.tokensIn), largest(series.tokensOut)));
  return chart({
    id: "tokens",
    title: l10n.t("Tokens"),
    figure: l10n.t("{0} in, {1} out", short(tokensIn), short(tokensOut)),
    label: l10n.t(
      "Tokens by minute over the last hour: {0} in, at most {1} in a minute; {2} out, at most {3} in a minute.",
      whole(tokensIn),
      whole(largest(series.tokensIn)),
      whole(tokensOut),
      whole(largest(series.tokensOut)),
    ),
    top: short(top),
    drawing: [lineOf(series.tokensIn, top, "first"), lineOf(series.tokensOut, top, "second")],
    legend: [
      { tone: "first", shape: "line", label: l10n.t("in") },
      { tone: "second", shape: "line", label: l10n.t("out") },
    ],
    hints: hints(series, (index) =>
      l10n.t("{0} tokens in, {1} out", whole(series.tokensIn[index] ?? 0), whole(series.tokensOut[index] ?? 0)),
    ),
  });
}

function latency(series: Series, totals: Totals): TemplateResult {
  const slowest = largest(series.latency);
  const top = niceTop(slowest);
  const average = totals.latency === null ? "–" : duration(totals.latency);
  return chart({
    id: "latency",
    title: l10n.t("Latency"),
    figure: l10n.t("{0} on average", average),
    label: l10n.t(
      "Time to the beginning of an answer by minute over the last hour: {0} on average, {1} in the slowest minute.",
      average,
      totals.latency === null ? "–" : duration(slowest),
    ),
    top: duration(top),
    drawing: lineOf(series.latency, top, "first"),
    hints: hints(series, (index) => {
      const value = series.latency[index] ?? null;
      return value === null ? l10n.t("no answer") : duration(value);
    }),
  });
}

function hints({ at }: Series, text: (index: number) => string): string[] {
  return at.map((begun, index) => l10n.t("{0}: {1}", minuteOf(begun), text(index)));
}

function largest(values: readonly (number | null)[]): number {
  return values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
}

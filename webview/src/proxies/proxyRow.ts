// One proxy's row: how it is doing, how many keys it carries, what went wrong last.

import * as l10n from "@vscode/l10n";
import { html, nothing } from "lit";
import { answers, percent, traffic, tunnels } from "../format/figures";
import { proxyState } from "../format/status";
import { ago, duration } from "../format/time";
import type { ProxyView } from "../protocol";
import { rowButton } from "../rowButton";
import { sparkline } from "../spark";
import { stateOf } from "../state";

export function proxyRow(proxy: ProxyView, now: number, place: number) {
  const { minutes } = proxy.figures;
  return html`<tr
    data-testid="proxy-row"
    data-proxy-name=${proxy.name}
    data-proxy-id=${proxy.id}
    aria-rowindex=${place}
  >
    <th scope="row">
      <span data-testid="proxy-name" class="clip" title=${proxy.name}>${proxy.name}</span>
      <div class="sub mono clip" data-testid="proxy-url" title=${proxy.masked_url}>${proxy.masked_url}</div>
    </th>
    <td>
      ${stateOf(proxyState(proxy), "proxy-status")}
      ${proxy.last_error === null ? nothing : html`<div class="sub" data-testid="proxy-last-error">${proxy.last_error}</div>`}
    </td>
    <td class="number" data-testid="proxy-keys">${proxy.assigned_key_count}</td>
    <td class="number" data-testid="proxy-in-flight">${proxy.active_requests}</td>
    <td class="number">
      <span data-testid="proxy-error-rate" title=${l10n.t("of the attempts of the last five minutes")}>
        ${percent(proxy.figures.error_rate)}
      </span>
      ${
        proxy.error_count === 0
          ? nothing
          : html`<div class="sub" data-testid="proxy-errors">${l10n.t("{0} in a row", proxy.error_count)}</div>`
      }
    </td>
    <td class="number nowrap" data-testid="proxy-latency">
      <span title=${l10n.t("to a usable tunnel, when last checked")}>
        ${proxy.latency_ms === null ? "–" : duration(proxy.latency_ms)}
      </span>
      <div
        class="sub lines"
        data-testid="proxy-answers"
        title=${l10n.t("from a request to the beginning of its answer")}
      >
        ${answers(proxy.figures) ?? nothing}
      </div>
    </td>
    <td class="nowrap" data-testid="proxy-traffic">
      ${traffic(proxy.figures)}
      <div class="sub">${tunnels(proxy.figures)}</div>
    </td>
    <td data-testid="proxy-spark">
      ${sparkline(minutes.attempts, minutes.failures, l10n.t("Attempts through {0}", proxy.name))}
    </td>
    <td class="nowrap">${ago(proxy.last_health_check, now)}</td>
    <td class="pinned"><div class="actions">${actions(proxy)}</div></td>
  </tr>`;
}

function actions({ id, name }: ProxyView) {
  return [
    rowButton({
      testId: "test-proxy",
      label: l10n.t("Test"),
      spoken: l10n.t("Test {0}", name),
      intent: { kind: "run_on", command: "testProxy", id },
    }),
    rowButton({
      testId: "edit-proxy",
      label: l10n.t("Edit"),
      spoken: l10n.t("Edit {0}", name),
      intent: { kind: "run_on", command: "editProxy", id },
    }),
    rowButton({
      testId: "remove-proxy",
      label: l10n.t("Remove"),
      spoken: l10n.t("Remove {0}", name),
      intent: { kind: "remove_proxies", ids: [id] },
      danger: true,
    }),
  ];
}

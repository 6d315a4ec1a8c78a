// One key's row: what it is doing, which proxy it leaves through, and what can be done with it.

import * as l10n from "@vscode/l10n";
import { html, nothing } from "lit";
import { proxyName } from "../format/assignment";
import { percent, traffic } from "../format/figures";
import { keyState } from "../format/status";
import { ago } from "../format/time";
import type { KeyView, ProxyView } from "../protocol";
import { rowButton } from "../rowButton";
import { sparkline } from "../spark";
import { stateOf } from "../state";
import { assignSelect } from "./assignSelect";

export type KeyRow = {
  readonly key: KeyView;
  readonly proxies: readonly ProxyView[];
  readonly now: number;
  readonly selected: boolean;
  /** Its place among all rows, from 1, the heading being the first. */
  readonly place: number;
  readonly press: (range: boolean) => void;
};

export function keyRow({ key, proxies, now, selected, place, press }: KeyRow) {
  const { minutes } = key.figures;
  return html`<tr
    data-testid="key-row"
    data-key-name=${key.name}
    data-key-id=${key.id}
    aria-rowindex=${place}
    class=${selected ? "selected" : ""}
  >
    <td class="tick">
      <input
        type="checkbox"
        data-testid="select-key"
        aria-label=${l10n.t("Select {0}", key.name)}
        .checked=${selected}
        @click=${(event: MouseEvent) => press(event.shiftKey)}
      />
    </td>
    <th scope="row">
      <span data-testid="key-name" class="clip" title=${key.name}>${key.name}</span>
      <div class="sub nowrap">
        <span class="mono" data-testid="key-masked">${key.masked_key}</span>
        ${key.project === null ? nothing : html`<span data-testid="key-project"> ${key.project}</span>`}
      </div>
    </th>
    <td>${stateOf(keyState(key, now), "key-status")} ${circuit(key)}</td>
    <td>
      <div class="nowrap">
        <span data-testid="key-proxy">${proxyName(key, proxies)}</span>
        <span class="mark" data-testid="key-proxy-mode">${key.is_manual ? l10n.t("manual") : l10n.t("automatic")}</span>
      </div>
      ${assignSelect(key, proxies)}
    </td>
    <td class="number" data-testid="key-in-flight">${key.current_requests}</td>
    <td class="number">
      <span data-testid="key-requests" title=${traffic(key.figures)}>${key.request_count}</span>
      ${direct(key)}
    </td>
    <td class="number">
      <span data-testid="key-errors">${key.failure_count}</span>
      <div class="sub nowrap" title=${l10n.t("of the attempts of the last five minutes")}>
        ${percent(key.figures.error_rate)}
      </div>
    </td>
    <td data-testid="key-spark">
      ${sparkline(minutes.attempts, minutes.failures, l10n.t("Attempts of {0}", key.name))}
    </td>
    <td class="nowrap" data-testid="key-last-used">${ago(key.last_used, now)}</td>
    <td class="pinned"><div class="actions">${actions(key)}</div></td>
  </tr>`;
}

function actions(key: KeyView) {
  const { id, name } = key;
  return [
    rowButton({
      testId: "test-key",
      label: l10n.t("Test"),
      spoken: l10n.t("Test {0}", name),
      intent: { kind: "run_on", command: "testApiKey", id },
    }),
    rowButton({
      testId: "modify-key",
      label: l10n.t("Edit"),
      spoken: l10n.t("Edit {0}", name),
      intent: { kind: "run_on", command: "modifyApiKey", id },
    }),
    // A key that the system disabled is enabled again by hand, too.
    key.status === "disabled"
      ? rowButton({
          testId: "enable-key",
          label: l10n.t("Enable"),
          spoken: l10n.t("Enable {0}", name),
          intent: { kind: "keys", action: "enable", ids: [id] },
        })
      : rowButton({
          testId: "disable-key",
          label: l10n.t("Disable"),
          spoken: l10n.t("Disable {0}", name),
          intent: { kind: "keys", action: "disable", ids: [id] },
        }),
    rowButton({
      testId: "remove-key",
      label: l10n.t("Remove"),
      spoken: l10n.t("Remove {0}", name),
      intent: { kind: "keys", action: "remove", ids: [id] },
      danger: true,
    }),
  ];
}

/** Said only where there is something to say: a closed circuit and full health are what everyone expects. */
function circuit({ circuit: state, health_score: score }: KeyView) {
  const words = [
    ...(state === "open" ? [l10n.t("circuit open")] : []),
    ...(state === "half_open" ? [l10n.t("circuit half open: being tried")] : []),
    ...(score < 0.995 ? [l10n.t("health {0} %", Math.round(score * 100))] : []),
  ];
  return words.length === 0 ? nothing : html`<div class="sub" data-testid="key-health">${words.join(", ")}</div>`;
}

/** What a fallback did without the key's proxy must not hide. */
function direct({ direct_count }: KeyView) {
  if (direct_count === 0) return nothing;
  return html`<div class="sub warn nowrap" data-testid="key-direct" title=${l10n.t("No proxy worked, and you allowed it.")}>
    ${l10n.t("{0} direct", direct_count)}
  </div>`;
}

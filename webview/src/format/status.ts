// Which tone and words a state has. Invariant: every tone comes with a word, so that colour alone never tells.

import * as l10n from "@vscode/l10n";
import type { EndpointView, KeyView, ProxyView, RequestView, RotatingView } from "../protocol";
import { countdown } from "./time";

export type Tone = "good" | "waiting" | "bad" | "quiet";
export type Shown = { readonly tone: Tone; readonly word: string; readonly detail?: string };

export function endpointState(endpoint: EndpointView): Shown {
  switch (endpoint.kind) {
    case "listening":
      return { tone: "good", word: l10n.t("Listening") };
    case "starting":
      return { tone: "waiting", word: l10n.t("Starting") };
    case "stopped":
      return { tone: "quiet", word: l10n.t("Stopped") };
    case "failed":
      return { tone: "bad", word: l10n.t("Failed"), detail: endpoint.message };
  }
}

export function keyState(key: KeyView, now: number): Shown {
  const reason = key.status_reason === null ? {} : { detail: key.status_reason };
  switch (key.status) {
    case "available":
      return { tone: "good", word: l10n.t("Available"), ...reason };
    case "disabled":
      return { tone: key.enabled ? "bad" : "quiet", word: l10n.t("Disabled"), ...reason };
    case "cooling_down": {
      const left = key.cooling_down_until === null ? undefined : countdown(key.cooling_down_until, now);
      return {
        tone: "waiting",
        word: left === undefined ? l10n.t("Cooling down") : l10n.t("Cooling down {0}", left),
        ...reason,
      };
    }
  }
}

export function proxyState(proxy: ProxyView): Shown {
  switch (proxy.status) {
    case "active":
      return { tone: "good", word: l10n.t("Active") };
    case "inactive":
      return { tone: "quiet", word: l10n.t("Inactive") };
    case "error":
      return { tone: "bad", word: l10n.t("Error") };
  }
}

export function rotatingState({ mode }: Pick<RotatingView, "mode">): Shown {
  switch (mode) {
    case "off":
      return { tone: "quiet", word: l10n.t("Off") };
    case "on":
      return { tone: "good", word: l10n.t("On: every key leaves through it") };
    case "fallen_back":
      return { tone: "waiting", word: l10n.t("Failing: each key leaves through its own proxy until it works again") };
    case "refused":
      return { tone: "bad", word: l10n.t("Disabled until it is changed or switched on again") };
  }
}

export function requestState({ status, error }: Pick<RequestView, "status" | "error">): Shown {
  const tone = error !== null || status >= 500 ? "bad" : status >= 400 ? "waiting" : "good";
  return { tone, word: String(status), ...(error === null ? {} : { detail: error }) };
}

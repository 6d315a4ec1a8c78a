// What the status bar item says for a snapshot: text, what a screen reader reads, and whether something is wrong. Pure, so
// that every state can be read and tested in one place; what it shows when pointed at is in `statusTooltip.ts`.

import * as l10n from "@vscode/l10n";
import type { KeyView, Snapshot } from "../../../native/addon/types.gen";

export type StatusText = {
  readonly text: string;
  /** The same in words. */
  readonly spoken: string;
  /** The error background is for failures alone, so that it keeps its meaning. */
  readonly failed: boolean;
};

export function statusText(snapshot: Snapshot): StatusText {
  const { endpoint, keys } = snapshot;
  switch (endpoint.kind) {
    case "listening":
      return {
        text: `$(key) Gemini ${available(keys)}/${keys.length}`,
        spoken: l10n.t(
          "Gemini Aggregator listens on {0}. API keys available: {1} of {2}. Open the panel.",
          endpoint.url,
          available(keys),
          keys.length,
        ),
        failed: false,
      };
    case "starting":
      return { text: "$(sync~spin) Gemini", spoken: l10n.t("Gemini Aggregator is starting."), failed: false };
    case "stopped":
      return { text: "$(circle-slash) Gemini", spoken: l10n.t("Gemini Aggregator is stopped."), failed: false };
    case "failed":
      return { text: "$(error) Gemini", spoken: l10n.t("Gemini Aggregator: {0}", endpoint.message), failed: true };
  }
}

export function available(keys: readonly KeyView[]): number {
  return keys.filter((key) => key.status === "available").length;
}

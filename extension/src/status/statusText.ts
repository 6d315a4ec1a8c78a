// What the status bar item says for a snapshot: text, tooltip, and whether something is wrong. Pure, so that every
// state can be read and tested in one place; the item itself is in `statusBar.ts`.

import * as l10n from "@vscode/l10n";
import type { KeyView, Snapshot, WindowRole } from "../../../native/addon/types.gen";

export type StatusText = {
  readonly text: string;
  readonly tooltip: string;
  /** The error background is for failures alone, so that it keeps its meaning. */
  readonly failed: boolean;
};

export function statusText(snapshot: Snapshot, role: WindowRole): StatusText {
  const { endpoint, keys, proxies } = snapshot;
  switch (endpoint.kind) {
    case "listening":
      return {
        text: `$(key) Gemini ${available(keys)}/${keys.length}`,
        tooltip: [
          `Gemini Aggregator listens on ${endpoint.url}.`,
          ...(role === "follower" ? [l10n.t("Another window serves it; everything can be changed here, too.")] : []),
          `${available(keys)} of ${count(keys.length, "API key", "API keys")} available, ${count(proxies.length, "proxy", "proxies")}.`,
          "Click to open the panel.",
        ].join("\n"),
        failed: false,
      };
    case "starting":
      return { text: "$(sync~spin) Gemini", tooltip: "Gemini Aggregator is starting.", failed: false };
    case "stopped":
      return { text: "$(circle-slash) Gemini", tooltip: "Gemini Aggregator is stopped.", failed: false };
    case "failed":
      return { text: "$(error) Gemini", tooltip: `Gemini Aggregator: ${endpoint.message}`, failed: true };
  }
}

export function available(keys: readonly KeyView[]): number {
  return keys.filter((key) => key.status === "available").length;
}

function count(amount: number, one: string, many: string): string {
  return `${amount} ${amount === 1 ? one : many}`;
}

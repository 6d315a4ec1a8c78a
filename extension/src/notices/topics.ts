// The kinds of notifications and their words: what each says of one or of many, and when it comes. It must not know what
// the buttons do.

import * as l10n from "@vscode/l10n";
import { HELP } from "../docs/links";
import type { DocsLink } from "../docs/pages";
import type { Topic } from "./schedule";

export type NoticeKind = "server_failed" | "proxies_down" | "settings" | "stored_data" | "keys_disabled" | "keys_lost";

export type NoticeTopic = Topic<NoticeKind> & {
  readonly level: "warning" | "error";
  /** False where a decision is needed before anything works. */
  readonly mayBeSilenced: boolean;
  readonly help: DocsLink;
};

/** The editor hides a warning after about ten seconds; an error with buttons stays until it is closed. */
const WARNING = { level: "warning", onViewMs: 15_000, mayBeSilenced: true, first: false } as const;
const ERROR = { level: "error", onViewMs: 60_000, mayBeSilenced: true, first: false } as const;
const BURST_MS = 1000;

export const TOPICS: readonly NoticeTopic[] = [
  { ...ERROR, kind: "server_failed", gatherMs: 0, first: true, mayBeSilenced: false, help: HELP.portTaken },
  { ...ERROR, kind: "keys_lost", gatherMs: 0, help: HELP.keysLost },
  { ...ERROR, kind: "proxies_down", gatherMs: 0, help: HELP.proxiesDown },
  { ...WARNING, kind: "settings", gatherMs: 300, help: HELP.settings },
  { ...WARNING, kind: "stored_data", gatherMs: BURST_MS, help: HELP.storedData },
  // Keys of one project are refused one after the other.
  { ...WARNING, kind: "keys_disabled", gatherMs: 3000, help: HELP.keysDisabled },
];

/** How many names or sentences one notification holds. */
const MOST_NAMES = 5;
const MOST_SENTENCES = 2;

export function wordsOf(kind: NoticeKind, items: readonly string[]): string {
  switch (kind) {
    case "keys_disabled":
      return disabled(items);
    case "server_failed":
      // Only the newest failure still holds.
      return items.at(-1) ?? "";
    default:
      return sentences(items);
  }
}

function disabled(names: readonly string[]): string {
  const [only] = names;
  if (names.length === 1 && only !== undefined)
    return l10n.t('The API key "{0}" is disabled: Google refuses it.', only);
  const shown = names.slice(0, MOST_NAMES).join(", ");
  const more = names.length - MOST_NAMES;
  return more > 0
    ? l10n.t("{0} API keys are disabled because Google refuses them: {1} and {2} more.", names.length, shown, more)
    : l10n.t("{0} API keys are disabled because Google refuses them: {1}.", names.length, shown);
}

function sentences(messages: readonly string[]): string {
  const shown = messages.slice(0, MOST_SENTENCES).join(" ");
  const more = messages.length - MOST_SENTENCES;
  if (more <= 0) return shown;
  return more === 1
    ? l10n.t("{0} One more message is in the log.", shown)
    : l10n.t("{0} {1} more messages are in the log.", shown, more);
}

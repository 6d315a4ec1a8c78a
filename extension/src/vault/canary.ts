// Notices when the editor's secret storage has lost the keys: without encryption by the system some editors keep
// secrets in memory only, and a secret that cannot be decrypted is dropped in silence. It remembers, outside the
// secret storage, only how many keys there were.

import * as l10n from "@vscode/l10n";

/** The part of `vscode.Memento` that is needed here. */
export type Memory = { get(name: string): unknown; update(name: string, value: unknown): Thenable<void> };

const REMEMBERED = "keysStored";

export function rememberKeyCount(memory: Memory, count: number): Thenable<void> {
  return memory.get(REMEMBERED) === count ? Promise.resolve() : memory.update(REMEMBERED, count);
}

/** A sentence for the user when keys were stored before and none came back. */
export function lostKeys(memory: Memory, found: number): string | undefined {
  const stored = memory.get(REMEMBERED);
  if (found > 0 || typeof stored !== "number" || stored === 0) return undefined;
  return stored === 1
    ? l10n.t(
        "The editor's secret storage no longer has the API key that you added before. This happens when the system offers no encryption or its key ring was reset. Add the key again, or import a backup.",
      )
    : l10n.t(
        "The editor's secret storage no longer has the {0} API keys that you added before. This happens when the system offers no encryption or its key ring was reset. Add the keys again, or import a backup.",
        stored,
      );
}

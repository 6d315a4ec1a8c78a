// Notices when the editor's secret storage has lost the keys: without encryption by the system some editors keep
// secrets in memory only, and a secret that cannot be decrypted is dropped in silence. It remembers, outside the
// secret storage, only how many keys there were.

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
  const what = stored === 1 ? "the API key" : `the ${stored} API keys`;
  return (
    `The editor's secret storage no longer has ${what} that you added before. ` +
    "This happens when the system offers no encryption or its key ring was reset. Add your API keys again."
  );
}

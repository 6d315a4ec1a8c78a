// Which kinds of notifications the user has asked not to see again. Kept by kind, over restarts; it can be taken back for
// all of them at once.

/** The part of `vscode.Memento` that is needed here. */
type Memory = { get(name: string): unknown; update(name: string, value: unknown): Thenable<void> };

const SILENCED = "noticesSilenced";

export class Silence {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  has(kind: string): boolean {
    return this.#kinds().includes(kind);
  }

  get count(): number {
    return this.#kinds().length;
  }

  async add(kind: string): Promise<void> {
    if (!this.has(kind)) await this.#memory.update(SILENCED, [...this.#kinds(), kind]);
  }

  async clear(): Promise<void> {
    await this.#memory.update(SILENCED, undefined);
  }

  #kinds(): readonly string[] {
    const kept = this.#memory.get(SILENCED);
    return Array.isArray(kept) ? kept.filter((kind) => typeof kind === "string") : [];
  }
}

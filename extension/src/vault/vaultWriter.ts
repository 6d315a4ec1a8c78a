// Carries the core's secret writes into the editor's secret storage, strictly in the order they were given, and
// tells the core how each ticket went. It must not know what a secret means, and it never prints a value.

import type { SecretWrite } from "../../../native/addon/types.gen";

/** The part of `vscode.SecretStorage` that is needed here. */
export type SecretStore = {
  store(name: string, value: string): Thenable<void>;
  delete(name: string): Thenable<void>;
};

export type Written = (ticket: number, error?: string) => void;

export class VaultWriter {
  readonly #secrets: SecretStore;
  readonly #written: Written;
  #last: Promise<void> = Promise.resolve();

  constructor(secrets: SecretStore, written: Written) {
    this.#secrets = secrets;
    this.#written = written;
  }

  /** Invariant: a ticket's first write starts only after the ticket before it has been answered. */
  write(ticket: number, writes: readonly SecretWrite[]): void {
    this.#last = this.#last.then(async () => {
      this.#written(ticket, await this.#carryOut(writes));
    });
  }

  /** Resolves when everything given so far has been answered. */
  settled(): Promise<void> {
    return this.#last;
  }

  /** The first failure ends the ticket: later writes may rest on the one that failed. */
  async #carryOut(writes: readonly SecretWrite[]): Promise<string | undefined> {
    try {
      for (const { name, value } of writes) {
        await (value === null ? this.#secrets.delete(name) : this.#secrets.store(name, value));
      }
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

// Keeps the variables of new integrated terminals in step with the endpoint, the local token and the user's choice. It
// knows the collection only as an interface; which variables there are, `variables.ts` says.

import type { EndpointView } from "../../../native/addon/types.gen";
import { type Client, type Variables, variablesFor } from "./variables";

/** The part of `vscode.EnvironmentVariableCollection` that is needed here. */
export type Collection = { replace(name: string, value: string): void; clear(): void };

export type Source = {
  clients(): readonly Client[];
  endpoint(): EndpointView;
  token(): Promise<string | undefined>;
  fault(error: unknown): void;
};

export class TerminalEnvironment {
  readonly #collection: Collection;
  readonly #source: Source;
  #given: Variables = new Map();
  #running: Promise<void> | undefined;
  #again = false;

  constructor(collection: Collection, source: Source) {
    this.#collection = collection;
    this.#source = source;
    // What an earlier life of the window left is not known to be right.
    collection.clear();
  }

  /** Call with every change of any of them; ends when the terminals' variables are right. */
  update(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#settle().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  dispose(): void {
    this.#give(new Map());
  }

  async #settle(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        this.#give(await this.#wanted());
      } catch (error) {
        this.#source.fault(error);
      }
    }
  }

  async #wanted(): Promise<Variables> {
    const clients = this.#source.clients();
    // Off is the rule: nothing is asked for then.
    if (clients.length === 0) return new Map();
    const token = await this.#source.token();
    return variablesFor(this.#source.clients(), this.#source.endpoint(), token);
  }

  /** Each touch of the collection marks open terminals as out of date: only a difference is worth that. */
  #give(wanted: Variables): void {
    const same =
      wanted.size === this.#given.size && [...wanted].every(([name, value]) => this.#given.get(name) === value);
    if (same) return;
    this.#given = wanted;
    this.#collection.clear();
    for (const [name, value] of wanted) this.#collection.replace(name, value);
  }
}

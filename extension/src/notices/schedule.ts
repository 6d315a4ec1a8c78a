// Decides when which notification is shown: gathers what comes in a burst, shows one at a time, and leaves out what the
// user no longer wants to see. It knows no texts and no editor; time comes in as a timer, showing as a function.

/** Calls back once after so many milliseconds; the result calls it off. */
export type After = (ms: number, done: () => void) => () => void;

export type Topic<Kind extends string> = {
  readonly kind: Kind;
  /** How long more of the same may come before it is shown; 0 shows it at once. */
  readonly gatherMs: number;
  /** Goes before others that wait. */
  readonly first: boolean;
  /** After this long the next is shown, even when nobody closed this one: the editor may have hidden it by itself. */
  readonly onViewMs: number;
};

type Waiting = { readonly items: string[]; ready: boolean; callOff: () => void };

export class Schedule<Kind extends string> {
  readonly #topics: ReadonlyMap<Kind, Topic<Kind>>;
  readonly #after: After;
  readonly #show: (kind: Kind, items: readonly string[]) => Promise<unknown>;
  readonly #silenced: (kind: Kind) => boolean;
  readonly #waiting = new Map<Kind, Waiting>();
  #onView: { readonly kind: Kind } | undefined;

  constructor(
    topics: readonly Topic<Kind>[],
    parts: {
      readonly after: After;
      /** Ends when the notification was answered or closed. */
      show(kind: Kind, items: readonly string[]): Promise<unknown>;
      silenced(kind: Kind): boolean;
    },
  ) {
    this.#topics = new Map(topics.map((topic) => [topic.kind, topic]));
    this.#after = parts.after;
    this.#show = parts.show;
    this.#silenced = parts.silenced;
  }

  /** Each further item starts the gathering anew; an item that waits already is not repeated. */
  add(kind: Kind, item: string): void {
    const waiting = this.#waiting.get(kind) ?? { items: [], ready: false, callOff: () => {} };
    if (!waiting.items.includes(item)) waiting.items.push(item);
    this.#waiting.set(kind, waiting);
    if (waiting.ready) return;
    waiting.callOff();
    waiting.callOff = this.#after(this.#topics.get(kind)?.gatherMs ?? 0, () => {
      waiting.ready = true;
      this.#next();
    });
  }

  /** What is no longer so need not be told; a notification on view stays. */
  withdraw(kind: Kind): void {
    this.#waiting.get(kind)?.callOff();
    this.#waiting.delete(kind);
  }

  dispose(): void {
    for (const kind of [...this.#waiting.keys()]) this.withdraw(kind);
  }

  /** Invariant: at most one notification is on view, as far as the editor tells. */
  #next(): void {
    if (this.#onView !== undefined) return;
    const kind = this.#pick();
    if (kind === undefined) return;
    const items = this.#waiting.get(kind)?.items ?? [];
    this.#waiting.delete(kind);
    // Asked as late as this: the user may have answered "Don't Show Again" meanwhile.
    if (this.#silenced(kind)) this.#next();
    else this.#view(kind, items);
  }

  #view(kind: Kind, items: readonly string[]): void {
    const shown = { kind };
    this.#onView = shown;
    const over = () => {
      callOff();
      if (this.#onView !== shown) return;
      this.#onView = undefined;
      this.#next();
    };
    const callOff = this.#after(this.#topics.get(kind)?.onViewMs ?? 0, over);
    this.#show(kind, items).then(over, over);
  }

  #pick(): Kind | undefined {
    const ready = [...this.#waiting].filter(([, { ready }]) => ready).map(([kind]) => kind);
    return ready.find((kind) => this.#topics.get(kind)?.first) ?? ready[0];
  }
}

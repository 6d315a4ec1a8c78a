// What Gemini said with each call of a tool that VS Code has no place for: its own id of the call and the thought
// signature, which Gemini 3 wants back. Bounded, the oldest go first; it lives as long as the window, because a
// conversation goes on without it, if with less thought.

export type Remembered = { readonly model: string; readonly id?: string; readonly signature?: string };

/** Some kilobytes each at most, as far as was seen. */
const MOST_CALLS = 1_000;

export class CallMemory {
  readonly #calls = new Map<string, Remembered>();

  constructor(private readonly most = MOST_CALLS) {}

  keep(callId: string, remembered: Remembered): void {
    this.#calls.delete(callId);
    this.#calls.set(callId, remembered);
    for (const oldest of this.#calls.keys()) {
      if (this.#calls.size <= this.most) break;
      this.#calls.delete(oldest);
    }
  }

  find(callId: string): Remembered | undefined {
    return this.#calls.get(callId);
  }
}

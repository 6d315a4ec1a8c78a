/**
 * A gate in front of the chunks of one streamed answer: the upstream sends a chunk only when the test asks for it. So a
 * test proves that a chunk reached the client before the next one was sent, without any clock. Knows chunks only by
 * their number and size.
 */
import { withDeadline } from "../lib/wait.mjs";

/**
 * @typedef {{index: number, bytes: number}} Sent `bytes` on the wire, after compression
 * @typedef {{resolve: (sent: Sent) => void, reject: (error: Error) => void}} Permit
 */

export class Gate {
  /** @type {Permit[]} */
  #permits = [];
  /** @type {Permit | null} */
  #current = null;
  /** @type {((passed: boolean) => void) | null} */
  #sender = null;
  #opened = false;

  /**
   * Lets exactly one chunk through. Resolves once it has been handed to the network.
   * @param {{timeoutMs?: number}} [options]
   * @returns {Promise<Sent>}
   */
  next({ timeoutMs = 10_000 } = {}) {
    const sent = new Promise((resolve, reject) => {
      this.#permits.push({ resolve, reject });
      this.#match();
    });
    return withDeadline(/** @type {Promise<Sent>} */ (sent), timeoutMs, "no chunk was waiting at the gate");
  }

  /** Lets everything through from now on. */
  open() {
    this.#opened = true;
    this.#match();
  }

  /**
   * The upstream's side: waits for leave to send the next chunk; false when the client went away meanwhile.
   * @param {AbortSignal} gone
   * @returns {Promise<boolean>}
   */
  pass(gone) {
    return new Promise((resolve) => {
      const leave = () => {
        this.#sender = null;
        resolve(false);
      };
      if (gone.aborted) return leave();
      gone.addEventListener("abort", leave, { once: true });
      this.#sender = (passed) => {
        gone.removeEventListener("abort", leave);
        resolve(passed);
      };
      this.#match();
    });
  }

  /** @param {Sent} sent the upstream's side: the chunk that was let through is out */
  sent(sent) {
    this.#current?.resolve(sent);
    this.#current = null;
  }

  /** The upstream's side: nothing more will come, so nobody may go on waiting for it. */
  ended() {
    const waiting = [...(this.#current ? [this.#current] : []), ...this.#permits];
    this.#current = null;
    this.#permits = [];
    for (const permit of waiting) permit.reject(new Error("The answer ended before the chunk that was asked for."));
  }

  #match() {
    if (!this.#sender) return;
    const permit = this.#permits.shift();
    if (!permit && !this.#opened) return;
    const pass = this.#sender;
    this.#sender = null;
    this.#current = permit ?? null;
    pass(true);
  }
}

export function createGate() {
  return new Gate();
}

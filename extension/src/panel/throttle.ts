// Runs something at most once per interval: at once when it was quiet, and once more at the end for what came in
// between. It must not know what is run.

export class Throttle {
  readonly #intervalMs: number;
  readonly #run: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #again = false;

  constructor(intervalMs: number, run: () => void) {
    this.#intervalMs = intervalMs;
    this.#run = run;
  }

  request(): void {
    if (this.#timer === undefined) this.#now();
    else this.#again = true;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#again = false;
  }

  #now(): void {
    this.#again = false;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#again) this.#now();
    }, this.#intervalMs);
    this.#run();
  }
}

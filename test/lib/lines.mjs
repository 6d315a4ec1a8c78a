/**
 * Lines that arrive over time: a daemon's output, or a log file that another program appends to. Owns the splitting
 * and the waiting for a line; what a line means is its reader's business.
 */
import { closeSync, openSync, readSync, watch, writeFileSync } from "node:fs";
import { withDeadline } from "./wait.mjs";

export class LineLog {
  /** @type {string[]} */
  all = [];
  #rest = "";
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /** @param {string} text */
  feed(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    if (lines.length === 0) return;
    for (const line of lines) this.all.push(line.replace(/\r$/, ""));
    for (const look of [...this.#listeners]) look();
  }

  /**
   * Resolves as soon as `find` returns something truthy for the lines so far.
   * @template T
   * @param {(lines: string[]) => T} find
   * @param {{timeoutMs?: number, what: string}} options
   * @returns {Promise<NonNullable<T>>}
   */
  async waitFor(find, { timeoutMs = 10_000, what }) {
    /** @type {() => void} */
    let look = () => {};
    const found = new Promise((resolve) => {
      look = () => {
        const answer = find(this.all);
        if (answer) resolve(/** @type {NonNullable<T>} */ (answer));
      };
      this.#listeners.add(look);
      look();
    });
    try {
      return await withDeadline(found, timeoutMs, () => `${what}; last lines:\n${this.all.slice(-8).join("\n")}`);
    } finally {
      this.#listeners.delete(look);
    }
  }
}

/**
 * Follows a file that another program appends to.
 * @param {string} path created empty when the following starts
 * @returns {{log: LineLog, stop: () => void}}
 */
export function followFile(path) {
  writeFileSync(path, "", { flag: "a" });
  const log = new LineLog();
  const file = openSync(path, "r");
  const buffer = Buffer.alloc(64 * 1024);
  let stopped = false;
  const read = () => {
    if (stopped) return;
    for (let n = readSync(file, buffer); n > 0; n = readSync(file, buffer)) log.feed(buffer.toString("utf8", 0, n));
  };
  const watcher = watch(path, read);
  read();
  return {
    log,
    stop() {
      if (stopped) return;
      read();
      stopped = true;
      watcher.close();
      closeSync(file);
    },
  };
}

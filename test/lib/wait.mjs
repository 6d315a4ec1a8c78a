/**
 * Waiting with a deadline: for a promise, for a port to answer, for a line to be written. Owns the one place where the
 * test bench may look again after a short pause, so that no test needs a sleep of its own. Knows nothing of what is
 * being waited for beyond the words it is given for the error.
 */
import { createConnection } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {number} timeoutMs
 * @param {string | (() => string)} what words for the error: what did not happen
 * @returns {Promise<T>}
 */
export async function withDeadline(promise, timeoutMs, what) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => {
      const words = typeof what === "function" ? what() : what;
      reject(new Error(`Waited ${timeoutMs} ms in vain: ${words}`));
    }, timeoutMs);
  });
  try {
    return await /** @type {Promise<T>} */ (Promise.race([promise, deadline]));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks again and again until the answer is truthy. Only for states that announce themselves in no other way, such as
 * another program's listening port.
 * @template T
 * @param {() => T | Promise<T>} check
 * @param {{timeoutMs?: number, everyMs?: number, what: string}} options
 * @returns {Promise<T>}
 */
export async function pollUntil(check, { timeoutMs = 10_000, everyMs = 15, what }) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await check();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`);
    await pause(everyMs);
  }
}

/**
 * @param {number} port
 * @param {string} [host]
 * @returns {Promise<boolean>} whether something accepts connections there
 */
export function accepts(port, host = "127.0.0.1") {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host });
    const done = (/** @type {boolean} */ answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });
}

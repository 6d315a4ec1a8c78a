/**
 * Several windows of one profile, each a process of its own, for tests: opens them, asks them, ends them in order or by
 * kill. Knows which folder and which kept secrets they share, and nothing of what they say.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { makeTempDir } from "../../lib/temp.mjs";
import { accepts, pollUntil, withDeadline } from "../../lib/wait.mjs";

/**
 * @typedef {import("./host.mjs").Command} Command
 * @typedef {import("./host.mjs").Snapshot} Snapshot
 */

const program = join(import.meta.dirname, "window-process.mjs");
/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
process.on("exit", endAll);

/** After a test that failed half-way, too: a window left open would keep the runner waiting. */
export function endAll() {
  for (const child of running) child.kill("SIGKILL");
}

export class Profile {
  folder = makeTempDir("profile").path;
  /** @param {number} port @param {object} [settings] */
  constructor(port, settings = {}) {
    this.port = port;
    this.settings = { server: { port, shutdownGraceSeconds: 1 }, ...settings };
  }

  /** Opens a window and waits until it has its part. */
  async window() {
    const own = { folder: this.folder, settings: this.settings, storeFile: join(this.folder, "secrets.json") };
    const child = fork(program, [JSON.stringify(own)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    running.add(child);
    child.once("exit", () => running.delete(child));
    const [{ ready }] = await withDeadline(once(child, "message"), 20_000, "the window never opened");
    return new Window(child, ready);
  }

  /** How long nothing has listened, from now on, in milliseconds. */
  async silence() {
    const from = performance.now();
    await pollUntil(() => accepts(this.port), { everyMs: 5, what: "nothing listens" });
    return performance.now() - from;
  }
}

export class Window {
  #last = 0;
  /** @type {Map<number, {resolve(value: any): void, reject(error: Error): void}>} */
  #waiting = new Map();

  /** @param {import("node:child_process").ChildProcess} child @param {string} role as it opened */
  constructor(child, role) {
    this.child = child;
    this.role = role;
    child.on("message", (/** @type {any} */ { id, value, error }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(new Error(error));
      else waiting?.resolve(value);
    });
    child.once("exit", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("The window is gone."));
    });
  }

  /** @param {string} what @param {unknown} [argument] @returns {Promise<any>} */
  ask(what, argument) {
    const id = ++this.#last;
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.child.send({ id, ask: what, argument });
    return withDeadline(answer, 20_000, `no answer to ${what}`);
  }

  /** @param {Command} command @returns {Promise<string>} */
  async done(command) {
    const reply = await this.ask("command", command);
    if (reply.kind !== "done") throw new Error(JSON.stringify(reply));
    return reply.id ?? "";
  }

  /** @returns {Promise<string[]>} */
  async names() {
    return (await this.ask("snapshot")).keys.map((/** @type {{name: string}} */ { name }) => name);
  }

  /** @param {(snapshot: Snapshot) => boolean} holds @param {string} what */
  async until(holds, what) {
    await pollUntil(async () => holds(await this.ask("snapshot")), { what });
  }

  async kill() {
    const gone = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await gone;
  }

  async close() {
    await this.ask("close");
    const gone = once(this.child, "exit");
    this.child.disconnect();
    await withDeadline(gone, 10_000, "the window's process goes on");
  }
}

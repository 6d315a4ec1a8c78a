// Child processes that always end. Every child started here leads a process
// group of its own, is ended as a group, and is ended too when this process
// exits or is told to stop. It must not know what the children are for.

import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */
/**
 * @typedef {object} SpawnOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env] complete environment of the child
 * @property {(text: string) => void} [onOutput] gets stdout and stderr as they come
 */

const windows = process.platform === "win32";

/** @type {Set<Child>} */
const running = new Set();
let guarded = false;

/** One running process group. */
export class Child {
  /** Everything printed so far, the newest megabyte of it. */
  output = "";
  /** @type {Set<() => void>} */
  #watchers = new Set();

  /** @param {ChildProcess} process @param {string} name @param {SpawnOptions} options */
  constructor(process, name, { onOutput }) {
    this.process = process;
    this.name = name;
    this.exited = new Promise((resolve) => {
      process.once("error", (error) => {
        this.#receive(`${name} could not be started: ${error.message}\n`, onOutput);
        resolve({ code: 127, signal: null });
      });
      process.once("close", (code, signal) => resolve({ code, signal }));
    }).then((end) => {
      running.delete(this);
      /** @type {{code: number | null, signal: string | null} | undefined} */
      this.end = end;
      this.#notify();
      return end;
    });
    for (const stream of [process.stdout, process.stderr]) {
      stream?.setEncoding("utf8");
      stream?.on("data", (text) => this.#receive(text, onOutput));
    }
  }

  /** @param {string} text @param {((text: string) => void) | undefined} onOutput */
  #receive(text, onOutput) {
    this.output = (this.output + text).slice(-1_000_000);
    onOutput?.(text);
    this.#notify();
  }

  #notify() {
    for (const watcher of this.#watchers) watcher();
  }

  /**
   * Resolves with the match once the output has it; rejects when the process
   * ends first or the deadline passes.
   * @param {RegExp} pattern @param {number} timeoutMs
   * @returns {Promise<RegExpExecArray>}
   */
  waitForOutput(pattern, timeoutMs) {
    return new Promise((resolve, reject) => {
      const finish = (/** @type {() => void} */ settle) => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        settle();
      };
      const fail = (/** @type {string} */ why) =>
        finish(() => reject(new Error(`${this.name} ${why}. Its last output:\n${this.output.slice(-4000)}`)));
      const look = () => {
        const match = pattern.exec(this.output);
        if (match) finish(() => resolve(match));
        else if (this.end) fail(`ended (${this.end.code ?? this.end.signal}) before it printed ${pattern}`);
      };
      const timer = setTimeout(() => fail(`did not print ${pattern} within ${timeoutMs} ms`), timeoutMs);
      this.#watchers.add(look);
      look();
    });
  }

  /** Ends the whole group: politely first, then for certain. @param {number} graceMs */
  async stop(graceMs = 5000) {
    if (!this.end) {
      signalGroup(this.process, "SIGTERM");
      await Promise.race([this.exited, delay(graceMs, undefined, { ref: false })]);
    }
    // The leader may be gone while a grandchild still holds a port.
    signalGroup(this.process, "SIGKILL");
    await this.exited;
  }
}

/**
 * Starts a program as the leader of a process group.
 * Invariant: a child started here does not outlive this process, unless this process is killed outright.
 * @param {string} command @param {string[]} args @param {SpawnOptions} [options]
 */
export function start(command, args, options = {}) {
  guard();
  const process_ = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: !windows,
    // npm, npx and code are .cmd files on Windows, which only a shell can start.
    shell: windows && !/\.exe$/i.test(command),
  });
  const child = new Child(process_, command, options);
  running.add(child);
  return child;
}

/**
 * Runs a program to its end. Resolves with its exit code and output; a
 * deadline that passes ends the group and gives code 124.
 * @param {string} command @param {string[]} args
 * @param {SpawnOptions & {timeoutMs?: number}} [options]
 */
export async function run(command, args, { timeoutMs = 600_000, ...options } = {}) {
  const child = start(command, args, options);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    void child.stop();
  }, timeoutMs);
  const end = await child.exited;
  clearTimeout(timer);
  signalGroup(child.process, "SIGKILL");
  const output = timedOut ? `${child.output}\nStopped after ${timeoutMs / 1000} seconds.\n` : child.output;
  return { code: timedOut ? 124 : (end.code ?? 1), output, timedOut };
}

/**
 * Like `run`, but rejects when the program fails.
 * @param {string} command @param {string[]} args
 * @param {SpawnOptions & {timeoutMs?: number}} [options]
 */
export async function must(command, args, options) {
  const { code, output } = await run(command, args, options);
  if (code !== 0) {
    throw new Error(`\`${command} ${args.join(" ")}\` ended with ${code}:\n${output.slice(-4000)}`);
  }
  return output;
}

/**
 * Where PATH finds a program, or undefined when it does not.
 * @param {string} program
 */
export function findOnPath(program) {
  const names = windows ? [`${program}.exe`, `${program}.cmd`] : [program];
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

/** @param {string} program */
export const onPath = (program) => findOnPath(program) !== undefined;

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {ChildProcess} child @param {NodeJS.Signals} signal */
function signalGroup(child, signal) {
  if (child.pid === undefined) return;
  try {
    if (windows) spawn("taskkill", ["/pid", String(child.pid), "/t", "/f"]);
    else process.kill(-child.pid, signal);
  } catch {
    // The whole group is gone already, which is what was wanted.
  }
}

/** Ends what still runs when this process goes, by whichever way. */
function guard() {
  if (guarded) return;
  guarded = true;
  process.once("exit", () => {
    for (const child of running) signalGroup(child.process, "SIGKILL");
  });
  for (const [signal, number] of /** @type {const} */ ([
    ["SIGINT", 2],
    ["SIGTERM", 15],
    ["SIGHUP", 1],
  ])) {
    process.on(signal, () => {
      // A caller that listens itself wants to clean up in its own order.
      if (process.listenerCount(signal) === 1) process.exit(128 + number);
    });
  }
}

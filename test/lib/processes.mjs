/**
 * Starts other programs so that none outlives the test: each leads its own process group, and the kernel ends it when
 * this process dies, however it dies. Daemons run under an account without rights when we are root. Knows no particular
 * program.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { LineLog } from "./lines.mjs";
import { accepts, pollUntil, withDeadline } from "./wait.mjs";

/** Debian's account without rights; the files a daemon must write are given to it. */
const NOBODY = { uid: 65534, gid: 65534 };

/** @returns {import("./temp.mjs").Account | undefined} the account for daemons, none when we are not root */
export function daemonAccount() {
  return process.getuid?.() === 0 ? NOBODY : undefined;
}

/** @type {Set<number>} */
const groups = new Set();
process.on("exit", () => {
  for (const group of groups) signalGroup(group, "SIGKILL");
});

/**
 * @param {number} group
 * @param {NodeJS.Signals} signal
 */
function signalGroup(group, signal) {
  try {
    process.kill(-group, signal);
  } catch {
    // The group is gone already: that is what we want.
  }
}

/**
 * @typedef {object} Started
 * @property {number} pid
 * @property {LineLog} output what it wrote to stdout and stderr, line by line
 * @property {LineLog} stdout
 * @property {Promise<{code: number | null, signal: NodeJS.Signals | null}>} exited
 * @property {() => Promise<void>} stop
 * @property {() => Promise<void>} kill without a chance to end in order
 * @property {(port: number) => Promise<void>} listening resolves when it accepts connections on that loopback port
 */

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{as?: import("./temp.mjs").Account, cwd?: string, env?: NodeJS.ProcessEnv, stopSignal?: NodeJS.Signals}} [options]
 * @returns {Started}
 */
export function startProcess(command, args, { as, cwd, env, stopSignal = "SIGTERM" } = {}) {
  const account = as ? ["--reuid", String(as.uid), "--regid", String(as.gid), "--clear-groups"] : [];
  // Invariant: no daemon outlives the test process, not even one that was killed without a chance to clean up.
  const child = spawn("setpriv", [...account, "--pdeathsig", "KILL", command, ...args], {
    cwd,
    // Debian keeps most daemons where an ordinary account does not look.
    env: { ...(env ?? process.env), PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = new LineLog();
  const stdout = new LineLog();
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout.feed(text);
    output.feed(text);
  });
  child.stderr.setEncoding("utf8").on("data", (text) => output.feed(text));
  /** @type {Started["exited"]} */
  const exited = new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", (error) => {
      output.feed(`${error.message}\n`);
      resolve({ code: 127, signal: null });
    });
  });
  const group = child.pid ?? 0;
  if (group) groups.add(group);
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  const failure = () => `${command} ended before it was ready:\n${output.all.slice(-10).join("\n")}`;
  return {
    pid: group,
    output,
    stdout,
    exited,
    async stop() {
      if (group) signalGroup(group, stopSignal);
      const patience = setTimeout(() => signalGroup(group, "SIGKILL"), 2000);
      await exited;
      clearTimeout(patience);
      // The leader is gone; its helpers may not be.
      if (group) signalGroup(group, "SIGKILL");
      groups.delete(group);
    },
    async kill() {
      if (group) signalGroup(group, "SIGKILL");
      await exited;
      groups.delete(group);
    },
    async listening(port) {
      const ready = () => {
        if (ended) throw new Error(failure());
        return accepts(port);
      };
      await pollUntil(ready, { what: `${command} does not listen on port ${port}` });
    },
  };
}

/**
 * Runs a program to its end and returns what it wrote; throws when it fails, unless told that failure is welcome.
 * @param {string} command
 * @param {string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, input?: string | Buffer, timeoutMs?: number, mayFail?: boolean}} [options]
 * @returns {Promise<{code: number | null, stdout: string, stderr: string}>}
 */
export async function run(command, args, { cwd, env, input, timeoutMs = 60_000, mayFail = false } = {}) {
  const child = spawn(command, args, { cwd, env: env ?? process.env, detached: true });
  if (child.pid) groups.add(child.pid);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  // A program that ends without reading its input breaks the pipe; its exit code tells the story.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  try {
    const [code] = await withDeadline(
      once(child, "close"),
      timeoutMs,
      () => `${command} did not end; it said: ${stderr}`,
    );
    if (code !== 0 && !mayFail) throw new Error(`${command} ended with ${code}: ${stderr}`);
    return { code, stdout, stderr };
  } finally {
    if (child.pid) {
      signalGroup(child.pid, "SIGKILL");
      groups.delete(child.pid);
    }
  }
}

// From a checkout to a VS Code with the extension active and its endpoint
// listening: prerequisites, build, package, editor, health. `npm start` and
// `npm run demo` are this with different settings. It must not know what the
// extension does beyond its settings' names and its health page.

import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { freePort } from "../../test/lib/ports.mjs";
import { accepts } from "../../test/lib/wait.mjs";
import { openBrowserEditor } from "./browser-editor.mjs";
import { canOpenDesktopEditor, hasDisplay, openDesktopEditor } from "./desktop-editor.mjs";
import { ensureNodeModules } from "./ensure.mjs";
import { inRoot } from "./paths.mjs";
import { checkPrerequisites } from "./prerequisites.mjs";
import { ensurePrograms, needs } from "./system-programs.mjs";
import { buildVsix, findVsix } from "./vsix.mjs";

const USUAL_PORT = 3146;

/**
 * @typedef {object} Flags
 * @property {boolean} headless
 * @property {boolean} build
 * @property {string | undefined} profile
 */

/** What the person asked for on the command line. @returns {Flags} */
export function readFlags() {
  const { values } = parseArgs({
    options: {
      headless: { type: "boolean", default: false },
      "no-build": { type: "boolean", default: false },
      profile: { type: "string" },
    },
  });
  return { headless: values.headless, build: !values["no-build"], profile: values.profile };
}

/**
 * Prepares everything up to the package; gives the .vsix.
 * @param {Flags} flags @param {(line: string) => void} log
 */
export async function prepare(flags, log) {
  await checkPrerequisites();
  await ensurePrograms(needs.compiler, "build the native part", log);
  ensureNodeModules();
  if (!flags.build) return findVsix();
  log("Building and packaging the extension; the first time this takes some minutes.");
  return buildVsix((text) => process.stdout.write(text));
}

/**
 * Opens VS Code and waits until the endpoint listens.
 * @param {{flags: Flags, folder: string, extensions: string[], settings: Record<string, unknown>, log: (line: string) => void}} options
 */
export async function openProduct({ flags, folder, extensions, settings, log }) {
  const port = await endpointPort(log);
  const all = { ...settings, "geminiAggregator.port": port };
  const headless = flags.headless || !hasDisplay();
  const editor =
    !headless && canOpenDesktopEditor()
      ? await openDesktopEditor({ folder, extensions, settings: all })
      : await openBrowserEditor({ folder, extensions, settings: all, headless, log });
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    // A person may take any time to sign in; nobody has to when there is no window.
    await untilHealthy(endpoint, headless ? 120_000 : Number.POSITIVE_INFINITY, editor.closed);
  } catch (error) {
    await editor.stop();
    throw error;
  }
  log(`The endpoint listens at ${endpoint}`);
  return { editor, endpoint };
}

/** Resolves when the person presses Ctrl-C, the script is told to end, or the editor's window was closed. @param {Promise<unknown>} closed */
export function untilStopped(closed) {
  return new Promise((resolve) => {
    for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.once(signal, resolve);
    void closed.then(resolve);
  });
}

/** @param {(line: string) => void} log */
async function endpointPort(log) {
  if (!(await accepts(USUAL_PORT))) return USUAL_PORT;
  const port = await freePort();
  log(`Port ${USUAL_PORT} is taken by another program, so this endpoint gets port ${port}.`);
  return port;
}

/** @param {string} endpoint @param {number} timeoutMs @param {Promise<unknown>} closed */
async function untilHealthy(endpoint, timeoutMs, closed) {
  let gone = false;
  void closed.then(() => {
    gone = true;
  });
  const deadline = Date.now() + timeoutMs;
  while (!(await isHealthy(endpoint))) {
    if (gone) throw new Error("VS Code was closed before the endpoint listened.");
    if (Date.now() > deadline) {
      throw new Error(
        `VS Code is open, but nothing answers at ${endpoint}/health after ${timeoutMs / 1000} seconds. Its log is under ${inRoot(".runtime")}.`,
      );
    }
    await delay(250);
  }
}

/** @param {string} endpoint */
async function isHealthy(endpoint) {
  try {
    const answer = await fetch(`${endpoint}/health`, { signal: AbortSignal.timeout(2000) });
    const body = await answer.json();
    return body.service === "gemini-aggregator";
  } catch {
    return false;
  }
}

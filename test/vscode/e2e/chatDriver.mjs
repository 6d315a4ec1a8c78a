// The test's side of the driver extension: packs it, finds its server in the
// editor's window and asks it to use a model. It must not judge: tests say what
// ought to come back.

import { mkdir, mkdtemp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { inRoot, runtimeDir } from "../../../scripts/lib/paths.mjs";
import { packFolder } from "../../../scripts/lib/vsix.mjs";
import { pollUntil } from "../../lib/wait.mjs";

/**
 * @typedef {{text?: string, image?: {mimeType: string, base64: string}, call?: Call, result?: {callId: string, text: string}}} Part
 * @typedef {{callId: string, name: string, input: object}} Call
 * @typedef {{role: "User" | "Assistant", parts: Part[]}} Message
 * @typedef {{text?: string, call?: Call, error?: {name: string, code?: string, message: string}}} Line
 */

/** @param {string} vendor */
export async function prepareDriver(vendor) {
  await mkdir(runtimeDir, { recursive: true });
  const folder = await mkdtemp(join(runtimeDir, "chat-driver-"));
  const vsix = join(folder, "chat-driver.vsix");
  await packFolder(inRoot("test", "vscode", "chat-driver"), vsix);
  /** @type {string[]} */
  const known = [];
  return {
    folder,
    vsix,
    env: { CHAT_DRIVER_FOLDER: folder },
    /** The driver of the window that was opened last. */
    async inNewWindow() {
      const file = await pollUntil(
        async () => (await readdir(folder)).find((name) => name.endsWith(".port") && !known.includes(name)),
        { timeoutMs: 60_000, what: "the driver extension runs" },
      );
      known.push(file);
      const port = await pollUntil(async () => Number(await readFile(join(folder, file), "utf8")), {
        what: "the driver's port",
      });
      return driver(`http://127.0.0.1:${port}`, vendor);
    },
  };
}

/** @param {string} url @param {string} vendor */
function driver(url, vendor) {
  /** @param {object} asked @param {AbortSignal} [signal] */
  const post = (asked, signal) =>
    fetch(url, { method: "POST", body: JSON.stringify({ vendor, ...asked }), ...(signal ? { signal } : {}) });
  return {
    /** @returns {Promise<{id: string, name: string, family: string, version: string, maxInputTokens: number}[]>} */
    async models() {
      return linesOf(await (await post({ what: "models" })).text());
    },
    /** @param {string} model @param {string} text @returns {Promise<number>} */
    async count(model, text) {
      return linesOf(await (await post({ what: "count", model, text })).text())[0].tokens;
    },
    /** The whole answer. @param {string} model @param {Message[]} messages @param {object} [options] @returns {Promise<Line[]>} */
    async send(model, messages, options) {
      return linesOf(await (await post({ what: "send", model, messages, options })).text());
    },
    /** The answer's bytes as they come; aborting cancels the request. @param {string} model @param {Message[]} messages @param {AbortSignal} signal */
    async stream(model, messages, signal) {
      const { body } = await post({ what: "send", model, messages }, signal);
      if (!body) throw new Error("The driver answered nothing.");
      return body.pipeThrough(new TextDecoderStream()).getReader();
    },
  };
}

/** @param {string} text */
function linesOf(text) {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

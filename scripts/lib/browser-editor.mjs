// VS Code in a browser, for people who have no desktop VS Code at hand: a
// code-server below one folder, behind a password, and something that opens its
// page, since only an open page starts the extension host. It must not know
// which extension it carries.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openBrowser, openEditorPage } from "./browser.mjs";
import { EditorServer } from "./editor-server.mjs";
import { findOnPath } from "./processes.mjs";

/**
 * Starts the server with the extensions installed and opens its page.
 * @param {{folder: string, extensions: string[], settings: Record<string, unknown>, headless: boolean, log: (line: string) => void}} options
 */
export async function openBrowserEditor({ folder, extensions, settings, headless, log }) {
  const password = randomBytes(12).toString("base64url");
  const server = await EditorServer.create({ folder, password, log });
  for (const vsix of extensions) await server.installExtension(vsix);
  await server.writeMachineSettings(settings);
  await startOnUsualPort(server);
  log(`VS Code is open at ${server.url}`);
  log(`Its password (new at every start): ${password}`);
  const browser = headless ? await openHeadless(server, password, log) : openSystemBrowser(server.url, log);
  return {
    userData: server.userData,
    /** Nobody can tell when a browser's tab was closed for good. */
    closed: new Promise(() => {}),
    async stop() {
      await browser?.close();
      await server.stop();
    },
  };
}

/**
 * The port of the last run when it is still free: the browser seals stored keys to the address, and would lose them with another.
 * @param {EditorServer} server
 */
async function startOnUsualPort(server) {
  const note = join(server.folder, "port");
  server.port = existsSync(note) ? Number(await readFile(note, "utf8")) : 0;
  try {
    await server.start();
  } catch (error) {
    if (server.port === 0) throw error;
    await server.stop();
    server.port = 0;
    await server.start();
  }
  await writeFile(note, String(server.port));
}

/** @param {EditorServer} server @param {string} password @param {(line: string) => void} log */
async function openHeadless(server, password, log) {
  log(
    "No window is opened here: a browser without one keeps the extension running. Open the address yourself to look.",
  );
  const context = await openBrowser({ profile: join(server.folder, "browser") });
  await openEditorPage(await context.newPage(), server.url, password);
  return context;
}

/** @param {string} url @param {(line: string) => void} log */
function openSystemBrowser(url, log) {
  const opener = { darwin: "open", linux: "xdg-open" }[/** @type {string} */ (process.platform)];
  if (!opener || !findOnPath(opener)) {
    log("Open the address in a browser: the extension starts with the page.");
    return undefined;
  }
  log("Your browser opens now; sign in with the password. The extension starts with the page.");
  // It may become the person's own browser, which must not end with this script.
  spawn(opener, [url], { detached: true, stdio: "ignore" })
    .on("error", (error) => log(`${opener} could not open it: ${error.message}`))
    .unref();
  return undefined;
}

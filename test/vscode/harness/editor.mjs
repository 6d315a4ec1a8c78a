// A whole VS Code for one test file: server and browser below one folder, with
// an extension installed from its package. Opens windows, restarts everything
// with profile and port kept, and leaves nothing running. It must not know the
// product under test; what a window shows is the workbench's matter.

import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { openBrowser, openEditorPage } from "../../../scripts/lib/browser.mjs";
import { EditorServer } from "../../../scripts/lib/editor-server.mjs";
import { runtimeDir } from "../../../scripts/lib/paths.mjs";
import { Workbench } from "./workbench.mjs";

/** @typedef {import('playwright-core').BrowserContext} BrowserContext */
/**
 * @typedef {object} Launch
 * @property {string} name names this editor's folder, for whoever reads its remains
 * @property {string} vsix
 * @property {Record<string, unknown>} [machineSettings]
 * @property {string[]} [extensions] further packages to install beside it
 * @property {Record<string, unknown>} [userSettings] over those that keep the editor quiet
 * @property {NodeJS.ProcessEnv} [env] additions to the extension host's environment
 * @property {number} [scale] pixels per point of a screenshot
 * @property {string} [language] of the editor and its extensions, for example de
 */

export class Editor {
  /** @type {BrowserContext | undefined} */
  #browser;

  /** @param {EditorServer} server @param {Launch} options */
  constructor(server, options) {
    this.server = server;
    this.options = options;
  }

  /**
   * Installs the extension and opens the first window.
   * @param {Launch} options
   */
  static async launch(options) {
    const parent = join(runtimeDir, "vscode");
    await mkdir(parent, { recursive: true });
    const folder = await mkdtemp(join(parent, `${options.name}-`));
    const server = await EditorServer.create({
      folder,
      env: options.env,
      language: options.language,
      log: console.log,
    });
    const editor = new Editor(server, options);
    for (const vsix of [options.vsix, ...(options.extensions ?? [])]) await server.installExtension(vsix);
    // What VS Code itself wants to say or show would cover what a test looks for.
    await server.writeUserSettings({
      "workbench.startupEditor": "none",
      "workbench.tips.enabled": false,
      "chat.disableAIFeatures": true,
      "git.enabled": false,
      // It tells of every program on this machine that opens a port.
      "remote.autoForwardPorts": false,
      "workbench.reduceMotion": "on",
      "workbench.secondarySideBar.defaultVisibility": "hidden",
      ...options.userSettings,
    });
    await server.writeMachineSettings(options.machineSettings ?? {});
    if (options.language) await writeLanguagePack(server.userData, options.language);
    await editor.#up();
    return editor;
  }

  async #up() {
    await this.server.start();
    this.#browser = await openBrowser({ profile: join(this.server.folder, "browser"), scale: this.options.scale });
    await this.#browser.grantPermissions(["clipboard-read", "clipboard-write"]);
  }

  /**
   * Opens a window of this VS Code; each has an extension host of its own.
   * @param {(page: import('playwright-core').Page) => Promise<void>} [prepare] its page, before anything is in it
   */
  async openWindow(prepare) {
    if (!this.#browser) throw new Error("The editor is closed.");
    const page = await this.#browser.newPage();
    await prepare?.(page);
    await openEditorPage(page, this.server.url);
    return new Workbench(page);
  }

  /**
   * Closes windows, browser and server, then starts them again.
   * Invariant: port and profile stay the same; with others the stored secrets could not be read.
   */
  async restart() {
    await this.close();
    await this.#up();
  }

  /** Ends browser and server; the folder stays, for a restart or for reading. */
  async close() {
    await this.#browser?.close();
    this.#browser = undefined;
    await this.server.stop();
  }

  /** Ends everything and removes the folder; on failure keeps logs and a picture for the report. @param {{failed: boolean}} outcome */
  async dispose({ failed }) {
    if (failed) await this.#keepEvidence();
    await this.close();
    await rm(this.server.folder, { recursive: true, force: true });
  }

  async #keepEvidence() {
    const evidence = join(runtimeDir, "failed", basename(this.server.folder));
    const pages = this.#browser?.pages() ?? [];
    await mkdir(evidence, { recursive: true });
    await Promise.all(
      pages.map((page, index) => page.screenshot({ path: join(evidence, `window-${index}.png`) }).catch(() => {})),
    );
    await cp(join(this.server.userData, "logs"), join(evidence, "logs"), { recursive: true }).catch(() => {});
    console.log(`Pictures and logs of the failed run are in ${evidence}`);
  }
}

/**
 * What the editor keeps of an installed language pack. It holds no words of the editor's own, which stay English: only
 * the fact that there is such a language, from which extensions take theirs.
 * @param {string} userData @param {string} language
 */
async function writeLanguagePack(userData, language) {
  const words = join(userData, "language-pack.json");
  await writeFile(words, JSON.stringify({ version: "1.0.0", contents: {} }));
  const extensions = [{ extensionIdentifier: { id: `tests.${language}` }, version: "1.0.0" }];
  const pack = { hash: `test-${language}`, extensions, translations: { vscode: words }, label: language };
  await writeFile(join(userData, "languagepacks.json"), JSON.stringify({ [language]: pack }));
}

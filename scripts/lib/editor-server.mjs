// One VS Code in the browser (code-server), confined to one folder: its home,
// profile, extensions and settings all lie there, so that the person's own
// editor is never touched. Starts and ends the server and installs extensions.
// It must not know which extension it carries, nor what a browser does with it.

import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureCodeServer } from "./code-server.mjs";
import { must, start } from "./processes.mjs";
import { mergeSettings } from "./settings-file.mjs";

/**
 * @typedef {object} EditorOptions
 * @property {string} folder everything this editor keeps goes below it
 * @property {string} [password] asked for in the browser; without one, anybody on this machine may open the page
 * @property {NodeJS.ProcessEnv} [env] additions to the extension host's environment
 * @property {string} [language] the page's, where a language pack for it is in the profile
 * @property {(line: string) => void} [log]
 */

export class EditorServer {
  /** The port of the last start; kept over restarts, because the browser binds stored secrets to it. */
  port = 0;
  /** @type {import('./processes.mjs').Child | undefined} */
  #child;

  /** @param {EditorOptions} options @param {import('./code-server.mjs').CodeServer} program */
  constructor(options, program) {
    this.options = options;
    this.program = program;
    this.folder = options.folder;
    this.workspace = join(options.folder, "workspace");
    this.userData = join(options.folder, "user-data");
  }

  /** @param {EditorOptions} options */
  static async create(options) {
    const server = new EditorServer(options, await ensureCodeServer(options.log ?? (() => {})));
    for (const part of ["home", "workspace", "user-data", "extensions"]) {
      await mkdir(join(options.folder, part), { recursive: true });
    }
    await writeFile(join(options.folder, "config.yaml"), "");
    return server;
  }

  /** The page to open; a workspace folder is named so that no window asks for one. */
  get url() {
    return `http://127.0.0.1:${this.port}/?folder=${encodeURIComponent(this.workspace)}`;
  }

  /** @param {string} vsix */
  async installExtension(vsix) {
    await must(this.program.node, [...this.#arguments(), "--install-extension", vsix, "--force"], {
      env: this.#environment(),
      timeoutMs: 120_000,
    });
  }

  /** Starts the server on the port it had before, or on any free one. */
  async start() {
    const { language, password } = this.options;
    const child = start(
      this.program.node,
      [
        ...this.#arguments(),
        "--bind-addr",
        `127.0.0.1:${this.port}`,
        "--auth",
        password === undefined ? "none" : "password",
        "--disable-telemetry",
        "--disable-update-check",
        "--disable-workspace-trust",
        "--disable-getting-started-override",
        ...(language === undefined ? [] : ["--locale", language]),
      ],
      { env: this.#environment() },
    );
    this.#child = child;
    const [, port] = await child.waitForOutput(/HTTP server listening on http:\/\/127\.0\.0\.1:(\d+)/, 60_000);
    this.port = Number(port);
  }

  async stop() {
    await this.#child?.stop();
    this.#child = undefined;
  }

  /** What the server printed; for the report of a failed test. */
  get output() {
    return this.#child?.output ?? "";
  }

  /**
   * Adds settings of `machine` scope: the server keeps those in a file of its own, which wins over the user's.
   * @param {Record<string, unknown>} settings
   */
  async writeMachineSettings(settings) {
    await mergeSettings(join(this.userData, "Machine"), settings);
  }

  /** @param {Record<string, unknown>} settings */
  async writeUserSettings(settings) {
    await mergeSettings(join(this.userData, "User"), settings);
  }

  /**
   * The text of every log file whose name holds `name` (an output channel's), oldest first.
   * @param {string} name
   */
  async readLogs(name) {
    const logs = join(this.userData, "logs");
    if (!existsSync(logs)) return "";
    const files = (await readdir(logs, { recursive: true })).filter(
      (file) => file.endsWith(".log") && file.includes(name),
    );
    const texts = await Promise.all(files.sort().map((file) => readFile(join(logs, file), "utf8")));
    return texts.join("");
  }

  #arguments() {
    const { folder } = this;
    return [
      this.program.entry,
      "--user-data-dir",
      this.userData,
      "--extensions-dir",
      join(folder, "extensions"),
      "--config",
      join(folder, "config.yaml"),
    ];
  }

  /** @returns {NodeJS.ProcessEnv} */
  #environment() {
    const { password, env } = this.options;
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(VSCODE_|npm_|ELECTRON_|NODE_OPTIONS|PORT$)/.test(name),
    );
    return {
      ...Object.fromEntries(inherited),
      HOME: join(this.folder, "home"),
      XDG_CONFIG_HOME: join(this.folder, "home", ".config"),
      XDG_DATA_HOME: join(this.folder, "home", ".local", "share"),
      // No gallery: nothing is looked up or downloaded behind the user's back.
      EXTENSIONS_GALLERY: '{"serviceUrl":""}',
      ...(password === undefined ? {} : { PASSWORD: password }),
      ...env,
    };
  }
}

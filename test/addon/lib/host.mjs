/**
 * Stands where the extension stands: holds the secrets in a map, answers the core's vault writes, keeps every message.
 * At its end it looks through all that the core ever said for a key, a password or the local token. Decides nothing the
 * extension would leave to the core.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { makeTempDir } from "../../lib/temp.mjs";
import { withDeadline } from "../../lib/wait.mjs";
import { loadAddon } from "./addon.mjs";

/**
 * @typedef {import("../../../native/addon/types.gen").Command} Command
 * @typedef {import("../../../native/addon/types.gen").CoreMessage} CoreMessage
 * @typedef {import("../../../native/addon/types.gen").EndpointView} EndpointView
 * @typedef {import("../../../native/addon/types.gen").OpenReport} OpenReport
 * @typedef {import("../../../native/addon/types.gen").Reply} Reply
 * @typedef {import("../../../native/addon/types.gen").SecretWrite} SecretWrite
 * @typedef {import("../../../native/addon/types.gen").Snapshot} Snapshot
 * @typedef {{ticket: number, writes: SecretWrite[]}} VaultWrite
 *
 * @typedef {object} Options
 * @property {Map<string, string>} [store] secrets that are there already
 * @property {string} [folder] where the token file lies; a fresh one unless said otherwise
 * @property {boolean} [shared] one window of several that share the folder: asked for the secrets when it leads
 * @property {object} [settings] over the test's own: a free port, short grace
 * @property {string[]} [secrets] what must never be seen in a message
 * @property {(write: VaultWrite, answer: (error?: string) => void) => void} [vault] answers the writes; stores them unless said otherwise
 * @property {import("./addon.mjs").AggregatorClass} [Core]
 */

export const SETTINGS = { server: { port: 0, shutdownGraceSeconds: 0 } };

export class Host {
  /** @type {Map<string, string>} */
  store;
  /** @type {VaultWrite[]} every write asked for, in order */
  writes = [];
  /** @type {CoreMessage[][]} what each call of the callback brought */
  calls = [];
  /** @type {number[]} when each call came */
  calledAt = [];
  /** @type {string} */
  tokenFile;
  /** @type {string[]} */
  #secrets;
  /** @type {string[]} everything said but the vault writes, whose purpose is to carry secrets */
  #said = [];
  /** @type {Set<() => void>} */
  #waiting = new Set();
  #settings;
  #vault;
  #windowsFolder;

  /** @param {Options} [options] */
  constructor({ store, folder, shared = false, settings, secrets = [], vault, Core = loadAddon() } = {}) {
    this.store = store ?? new Map();
    const place = folder ?? makeTempDir("addon-host").path;
    this.tokenFile = join(place, "local-token");
    this.#windowsFolder = shared ? place : undefined;
    this.#settings = merged(SETTINGS, settings ?? {});
    this.#secrets = secrets;
    this.#vault = vault ?? ((write, answer) => this.keep(write, answer));
    this.Core = Core;
    this.core = new Core((json) => this.#receive(json));
  }

  /** Opens with the secrets that the core asks for. @returns {Promise<OpenReport>} */
  async open() {
    const given = this.#windowsFolder
      ? { windows_folder: this.#windowsFolder, state_file: join(this.#windowsFolder, "state.sqlite") }
      : { secrets: this.#asked() };
    const options = { settings: this.#settings, ...given, token_file: this.tokenFile };
    return JSON.parse(this.#heard(await this.core.open(JSON.stringify(options))));
  }

  /** What the core asks for, again and again until what it was given names nothing new. */
  #asked() {
    /** @type {Record<string, string>} */
    const known = {};
    for (;;) {
      const names = this.Core.secretNames(known).filter((name) => !(name in known) && this.store.has(name));
      if (names.length === 0) return known;
      for (const name of names) known[name] = this.store.get(name) ?? "";
    }
  }

  /** @returns {Promise<EndpointView>} */
  async start() {
    return JSON.parse(this.#heard(await this.core.startServer()));
  }

  /** Opens, starts, and insists that it listens. @returns {Promise<string>} the endpoint's address */
  async serve() {
    const { warnings } = await this.open();
    assert.deepEqual(warnings, []);
    return listening(await this.start()).url;
  }

  /** @param {Command} command @returns {Promise<Reply>} */
  async command(command) {
    return JSON.parse(this.#heard(await this.core.command(JSON.stringify(command))));
  }

  /** The command must be carried out. @param {Command} command @returns {Promise<string>} the id it made or changed */
  async done(command) {
    const reply = await this.command(command);
    assert.equal(reply.kind, "done", JSON.stringify(reply));
    return reply.kind === "done" ? (reply.id ?? "") : "";
  }

  /** @param {object} change merged into the settings this host opened with */
  async applySettings(change) {
    const settings = /** @type {any} */ (merged(this.#settings, change));
    return this.command({ kind: "apply_settings", settings });
  }

  /** @returns {Snapshot} */
  snapshot() {
    return JSON.parse(this.#heard(this.core.snapshot()));
  }

  /** Carries a write out, as the extension does. @param {VaultWrite} write @param {(error?: string) => void} answer */
  keep({ writes }, answer) {
    for (const { name, value } of writes) {
      if (value === null) this.store.delete(name);
      else this.store.set(name, value);
    }
    answer();
  }

  /** @returns {import("../../../native/addon/types.gen").Event[]} every event so far */
  events() {
    return this.calls.flat().flatMap((message) => (message.kind === "event" ? [message.event] : []));
  }

  /**
   * Resolves once `holds`; looked at whenever the callback was called.
   * @param {() => boolean} holds @param {string} what
   */
  async until(holds, what) {
    /** @type {() => void} */
    let look = () => {};
    const held = new Promise((resolve) => {
      look = () => holds() && resolve(undefined);
      this.#waiting.add(look);
      look();
    });
    await withDeadline(held, 10_000, what).finally(() => this.#waiting.delete(look));
  }

  /** Closes the core; fails the test when a secret was in anything it said. */
  async close() {
    await this.core.close();
    const said = this.#said.join("\n");
    assert.equal(
      this.#secrets.findIndex((secret) => said.includes(secret)),
      -1,
      "a secret was seen in what the core says",
    );
    assert.doesNotMatch(said, /gka-[0-9a-f]/, "the local token was seen in what the core says");
  }

  /** @param {string} json */
  #receive(json) {
    /** @type {CoreMessage[]} */
    const messages = JSON.parse(json);
    this.calledAt.push(performance.now());
    this.calls.push(messages);
    for (const message of messages) {
      if (message.kind === "vault_write") this.#write(message);
      else if (message.kind === "vault_wanted") this.core.vaultRead(message.ticket, this.#asked());
      else this.#heard(JSON.stringify(message));
    }
    for (const look of [...this.#waiting]) look();
  }

  /** @param {VaultWrite} write */
  #write(write) {
    this.writes.push(write);
    this.#vault(write, (error) => this.core.vaultWritten(write.ticket, error));
  }

  /** @param {string} text */
  #heard(text) {
    this.#said.push(text);
    return text;
  }
}

/** @param {EndpointView} view @returns {EndpointView & {kind: "listening"}} */
export function listening(view) {
  if (view.kind !== "listening") throw new Error(`The endpoint does not listen: ${JSON.stringify(view)}`);
  return view;
}

/** @param {object} base @param {object} over @returns {object} */
function merged(base, over) {
  const all = /** @type {Record<string, any>} */ ({ ...base });
  for (const [name, value] of Object.entries(over)) {
    const section = value !== null && typeof value === "object" && !Array.isArray(value);
    all[name] = section ? merged(all[name] ?? {}, value) : value;
  }
  return all;
}

/**
 * What the simulated Google remembers between requests: files, uploads, caches, batches, stores, interactions, tokens.
 * Everything belongs to the project of the key that made it and is denied to keys of every other project, because that
 * is what a pool of keys trips over. Knows nothing of HTTP beyond the error bodies it hands back.
 */
import { randomBytes } from "node:crypto";
import { googleError } from "./behaviour.mjs";

/**
 * @typedef {{status: number, body: object}} Denied
 * @typedef {object} Owned
 * @property {string} owner a project
 * @property {Record<string, unknown>} item
 * @property {Buffer} [content]
 * @property {number} [asked] how often an operation was asked whether it is done
 *
 * @typedef {object} Upload
 * @property {string} owner the key that began it
 * @property {string} version
 * @property {string | null} store the file search store it goes to, or null for a file
 * @property {Record<string, unknown>} about
 * @property {import("./content.mjs").Content} content
 *
 * @typedef {{owner: string, usesLeft: number, until: number}} Token
 */

const NO_PERMISSION = () => "The caller does not have permission";

/** Google's words where they are known; for the others its general ones. */
const DENIALS = {
  files: (/** @type {string} */ name) =>
    `You do not have permission to access the File ${name.split("/")[1]} or it may not exist.`,
  cachedContents: () => "CachedContent not found (or permission denied)",
  batches: NO_PERMISSION,
  interactions: NO_PERMISSION,
  fileSearchStores: NO_PERMISSION,
  tunedModels: NO_PERMISSION,
  operations: NO_PERMISSION,
};

/** @typedef {keyof typeof DENIALS} Collection what a name belongs to for the words of a refusal */

export class World {
  /** @type {Map<string, Owned>} */
  #owned = new Map();
  /** @type {Map<string, string>} */
  #projects = new Map();
  /** @type {Map<string, Token>} */
  #tokens = new Map();
  /** @type {Map<string, Upload>} */
  uploads = new Map();
  #next = 1;

  /** Whether the model gives its function calls ids. */
  callIds = true;

  /** How often an operation that makes a video says that it is not done yet. */
  videoPolls = 1;

  /**
   * Puts a key into a project. A key that nobody put anywhere is a project of its own.
   * @param {string} key @param {string} project
   */
  assign(key, project) {
    this.#projects.set(key, project);
  }

  /** @param {string} key @returns {string} */
  projectOf(key) {
    return this.#projects.get(key) ?? key;
  }

  /** @param {string} prefix @returns {string} a name nobody has yet */
  fresh(prefix) {
    return `${prefix}${String(this.#next++).padStart(4, "0")}`;
  }

  /** @param {string} key @param {string} name @param {Record<string, unknown>} item @param {Buffer} [content] */
  put(key, name, item, content) {
    this.#owned.set(name, { owner: this.projectOf(key), item, ...(content ? { content } : {}) });
    return item;
  }

  /**
   * @param {string} key
   * @param {Collection} collection
   * @param {string} name with its collection, such as `files/abc`
   * @returns {Owned | Denied}
   */
  find(key, collection, name) {
    const found = this.#owned.get(name);
    if (found && found.owner === this.projectOf(key)) return found;
    return { status: 403, body: googleError(403, "PERMISSION_DENIED", DENIALS[collection](name)) };
  }

  /** What lies inside it goes with it. @param {string} name */
  remove(name) {
    for (const other of [...this.#owned.keys()]) {
      if (other === name || other.startsWith(`${name}/`)) this.#owned.delete(other);
    }
  }

  /**
   * Everything of the key's project directly inside `parent`, in the order in which it was made.
   * @param {string} key
   * @param {string} parent such as `files` or `fileSearchStores/s1/documents`
   */
  list(key, parent) {
    const depth = parent.split("/").length + 1;
    const mine = [...this.#owned].filter(
      ([name, { owner }]) =>
        name.startsWith(`${parent}/`) && name.split("/").length === depth && owner === this.projectOf(key),
    );
    return mine.map(([, thing]) => thing.item);
  }

  /**
   * The first thing that a request's body names and that its key may not use.
   * @param {string} key
   * @param {string} body
   * @returns {Denied | null}
   */
  deniedReference(key, body) {
    for (const [name, collection] of body.matchAll(/\b(files|cachedContents|fileSearchStores)\/[a-zA-Z0-9-]+/g)) {
      const found = this.find(key, /** @type {Collection} */ (collection), name);
      if ("status" in found) return found;
    }
    return null;
  }

  /**
   * Issues a token that opens Live sessions in the key's project.
   * @param {string} key
   * @param {{uses: number, until: number}} terms `uses: 0` is without limit, `until` in milliseconds since the epoch
   * @param {string} [name] of a token whose name is known before
   */
  issueToken(key, { uses, until }, name = `auth_tokens/${randomBytes(24).toString("hex")}`) {
    const usesLeft = uses === 0 ? Number.POSITIVE_INFINITY : uses;
    this.#tokens.set(name, { owner: this.projectOf(key), usesLeft, until });
    return name;
  }

  /**
   * Uses a token once. Null when it was never issued, has been used up or is too old at `now`.
   * @param {string} name @param {number} now
   * @returns {Token | null}
   */
  useToken(name, now) {
    const token = this.#tokens.get(name);
    if (!token || token.usesLeft <= 0 || now >= token.until) return null;
    token.usesLeft -= 1;
    return token;
  }
}

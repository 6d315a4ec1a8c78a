/**
 * What the simulated Google remembers between requests: files, uploads, caches, batches, interactions. Everything
 * belongs to the key that made it and is denied to every other key, because that is what a pool of keys trips over.
 * Knows nothing of HTTP beyond the error bodies it hands back.
 */
import { googleError } from "./behaviour.mjs";

/**
 * @typedef {{status: number, body: object}} Denied
 * @typedef {{owner: string, item: Record<string, unknown>, content?: Buffer}} Owned
 * @typedef {{owner: string, version: string, target: string, about: Record<string, unknown>, received: number, parts: Buffer[]}} Upload
 */

/** @param {string} path */
const DENIALS = {
  files: (/** @type {string} */ name) =>
    `You do not have permission to access the File ${name.split("/")[1]} or it may not exist.`,
  cachedContents: () => "CachedContent not found (or permission denied)",
  batches: () => "The caller does not have permission",
  interactions: () => "The caller does not have permission",
};

/** @typedef {keyof typeof DENIALS} Collection */

export class World {
  /** @type {Map<string, Owned>} */
  #owned = new Map();
  /** @type {Map<string, Upload>} */
  uploads = new Map();
  #next = 1;

  /** @param {string} prefix @returns {string} a name nobody has yet */
  fresh(prefix) {
    return `${prefix}${String(this.#next++).padStart(4, "0")}`;
  }

  /** @param {string} owner @param {string} name @param {Record<string, unknown>} item @param {Buffer} [content] */
  put(owner, name, item, content) {
    this.#owned.set(name, { owner, item, content });
    return item;
  }

  /**
   * @param {string | null} owner
   * @param {Collection} collection
   * @param {string} name with its collection, such as `files/abc`
   * @returns {Owned | Denied}
   */
  find(owner, collection, name) {
    const found = this.#owned.get(name);
    if (found && found.owner === owner) return found;
    return { status: 403, body: googleError(403, "PERMISSION_DENIED", DENIALS[collection](name)) };
  }

  /** @param {string} name */
  remove(name) {
    this.#owned.delete(name);
  }

  /** @param {string | null} owner @param {Collection} collection */
  list(owner, collection) {
    const mine = [...this.#owned].filter(([name, thing]) => name.startsWith(`${collection}/`) && thing.owner === owner);
    return mine.map(([, thing]) => thing.item);
  }

  /**
   * The first thing that a request's body names and that its key may not use.
   * @param {string | null} owner
   * @param {string} body
   * @returns {Denied | null}
   */
  deniedReference(owner, body) {
    for (const [name, collection] of body.matchAll(/\b(files|cachedContents)\/[a-zA-Z0-9-]+/g)) {
      const found = this.find(owner, /** @type {Collection} */ (collection), name);
      if ("status" in found) return found;
    }
    return null;
  }
}

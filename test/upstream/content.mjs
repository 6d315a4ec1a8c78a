/**
 * The bytes of an upload as they arrive: counted and hashed to the last one, kept only while they are few. So an upload
 * of any size passes through the bench in little memory. Knows nothing of requests, names or owners.
 */
import { createHash } from "node:crypto";

/** Longer contents cannot be downloaded again, only compared by their hash. */
const KEPT = 16 * 1024 * 1024;

export class Content {
  length = 0;
  #hash = createHash("sha256");
  /** @type {Buffer[] | null} */
  #kept = [];

  /** A copy that grows by itself: a chunk that breaks off leaves the original as it was. */
  fork() {
    const copy = new Content();
    copy.length = this.length;
    copy.#hash = this.#hash.copy();
    copy.#kept = this.#kept && [...this.#kept];
    return copy;
  }

  /** @param {Buffer} bytes */
  add(bytes) {
    this.length += bytes.length;
    this.#hash.update(bytes);
    if (this.length > KEPT) this.#kept = null;
    this.#kept?.push(bytes);
    return this;
  }

  /** @param {import("node:crypto").BinaryToTextEncoding} encoding */
  sha256(encoding) {
    return this.#hash.copy().digest(encoding);
  }

  /** @returns {Buffer | null} null when they were too many to keep */
  bytes() {
    return this.#kept && Buffer.concat(this.#kept);
  }
}

/**
 * Compression as Google does it: gzip whenever the caller allows it, flushed after every chunk so that a compressed
 * stream still streams. Owns the reading of Accept-Encoding; knows nothing of what is compressed.
 */
import { constants, createGzip } from "node:zlib";
import { header } from "./ledger.mjs";

/**
 * @param {import("./ledger.mjs").Received} entry
 * @param {"auto" | "never" | "force"} habit
 * @param {boolean} hasBody
 */
export function wantsGzip(entry, habit, hasBody) {
  if (!hasBody || habit === "never") return false;
  return habit === "force" || allowsGzip(header(entry, "accept-encoding") ?? "");
}

/** @param {string} acceptEncoding */
export function allowsGzip(acceptEncoding) {
  const offers = acceptEncoding.split(",").map((offer) => {
    const [coding = "", ...parameters] = offer.trim().toLowerCase().split(";");
    const quality = parameters.map((p) => p.trim()).find((p) => p.startsWith("q="));
    return { coding: coding.trim(), quality: quality ? Number(quality.slice(2)) : 1 };
  });
  const offer = offers.find((o) => o.coding === "gzip") ?? offers.find((o) => o.coding === "*");
  return offer !== undefined && offer.quality > 0;
}

export class Encoder {
  #gzip;
  /** @type {Buffer[]} */
  #ready = [];
  #finished = false;

  /** @param {boolean} active false hands every chunk through as it is */
  constructor(active) {
    this.active = active;
    this.#gzip = active ? createGzip() : null;
    this.#gzip?.on("data", (chunk) => this.#ready.push(chunk));
  }

  /** @param {string | Buffer} piece @returns {Promise<Buffer>} the piece, decodable without anything that follows */
  async push(piece) {
    const gzip = this.#gzip;
    if (!gzip) return Buffer.from(piece);
    await new Promise((resolve) => {
      gzip.write(piece);
      gzip.flush(constants.Z_SYNC_FLUSH, () => resolve(undefined));
    });
    return this.#taken();
  }

  /** @param {string | Buffer} [piece] @returns {Promise<Buffer>} the last piece with the end mark; empty when already ended */
  async finish(piece) {
    const gzip = this.#gzip;
    if (!gzip || this.#finished) return Buffer.from(piece ?? "");
    this.#finished = true;
    await new Promise((resolve) => {
      gzip.once("end", resolve);
      gzip.end(piece);
    });
    return this.#taken();
  }

  #taken() {
    const bytes = Buffer.concat(this.#ready);
    this.#ready = [];
    return bytes;
  }
}

/**
 * The canary: remembers everything that a client or the log could see during a test and looks for secrets in it at the
 * end, packed answers unpacked. It knows the secrets as texts and nothing of where they come from.
 */
import { constants, gunzipSync } from "node:zlib";

/** A secret of three characters would be found in every log. */
const SHORTEST = 6;

/**
 * What must stay inside: every key, every proxy password in each spelling in which it could slip out.
 * @param {{keys?: {key?: string}[], proxies?: {url?: string}[]}} config
 * @returns {string[]}
 */
export function secretsOf({ keys = [], proxies = [] }) {
  const passwords = proxies.flatMap(({ url = "" }) => {
    const [, user, raw] = /^[a-z0-9]+:\/\/([^:@/]*):([^@]*)@/i.exec(url) ?? [];
    if (!raw) return [];
    const plain = decodeURIComponent(raw);
    const pair = `${decodeURIComponent(user ?? "")}:${plain}`;
    return [raw, plain, encodeURIComponent(plain), Buffer.from(pair).toString("base64")];
  });
  const all = [...keys.map(({ key = "" }) => key), ...passwords];
  return [...new Set(all)].filter((secret) => secret.length >= SHORTEST);
}

export class Canary {
  #secrets;
  /** @type {{where: string, chunks: Buffer[]}[]} */
  #seen = [];

  /** @param {string[]} secrets */
  constructor(secrets) {
    this.#secrets = secrets;
  }

  /** @param {string} secret */
  alsoWatch(secret) {
    this.#secrets = [...this.#secrets, secret];
  }

  /**
   * Opens a place whose bytes are remembered in the order in which they come.
   * @param {string} where
   * @returns {(bytes: Buffer | string) => void}
   */
  place(where) {
    const chunks = /** @type {Buffer[]} */ ([]);
    this.#seen.push({ where, chunks });
    return (bytes) => chunks.push(Buffer.from(bytes));
  }

  /** Throws when a secret was seen anywhere; names the place, never the secret. @param {string} where @param {string} text */
  check(where, text) {
    const place = [{ where, chunks: [Buffer.from(text)] }, ...this.#seen].find(({ chunks }) => this.#sings(chunks));
    if (place) throw new Error(`A secret was visible in ${place.where}.`);
  }

  /** @param {Buffer[]} chunks */
  #sings(chunks) {
    const bytes = Buffer.concat(chunks);
    const texts = [bytes, unpacked(bytes)];
    return this.#secrets.some((secret) => texts.some((text) => text.includes(secret)));
  }
}

/** @param {Buffer} bytes @returns {Buffer} what a gzip body says as far as it goes; nothing for other bodies */
function unpacked(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return Buffer.alloc(0);
  return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
}

/**
 * Finds traces of secrets in texts: any eight characters in a row of one, as they are, percent-encoded, escaped as in
 * JSON or HTML, or in base64 at whichever of its three alignments. It also makes secrets that look like the real
 * thing, at run time, so that nothing in the repository looks like one. It knows nothing of where texts come from.
 * Invariant: what it reports names a secret by its label and never repeats a character of it.
 */
import { randomBytes } from "node:crypto";

/** Shorter traces, such as the last four characters of a masked key, give nothing away. */
export const TRACE = 8;
/** So many base64 digits are wholly determined by eight bytes, wherever they begin. */
const DIGITS = 10;
/** Of what stands around a trace, so much is shown. */
const AROUND = 60;

/** A key in the shape of Google's. */
export function canaryKey() {
  return `AI${"za"}Sy${letters(33)}`;
}

/** A password that must be percent-encoded in a URL. */
export function canaryPassword() {
  return `${letters(10)}@${letters(10)}/${letters(10)}`;
}

/** @param {number} count */
function letters(count) {
  return randomBytes(count * 2)
    .toString("base64")
    .replace(/[^a-zA-Z0-9]/g, "")
    .slice(0, count);
}

/** @typedef {{secret: string, form: string, around: string}} Trace */

export class Canaries {
  /** @type {Map<string, string>} a fragment, and the label of its secret */
  #plain = new Map();
  /** @type {Map<string, string>} the same of base64 digits */
  #digits = new Map();

  /** @param {Record<string, string>} secrets by the label that reports use for them */
  constructor(secrets) {
    for (const [label, secret] of Object.entries(secrets)) this.watch(label, secret);
  }

  /** @param {string} label @param {string} secret */
  watch(label, secret) {
    if (secret.length < TRACE) throw new Error(`The secret "${label}" is too short to be told from other text.`);
    for (let start = 0; start + TRACE <= secret.length; start += 1) {
      const fragment = secret.slice(start, start + TRACE);
      this.#plain.set(fragment, label);
      for (const digits of base64Digits(fragment)) this.#digits.set(digits, label);
    }
  }

  /** The traces in a text; of a secret at most one in base64 and one in the plainest other form. @param {string} text @returns {Trace[]} */
  find(text) {
    const seen = new Map([this.#plain, this.#digits].map((fragments) => [fragments, new Set()]));
    const traces = [];
    for (const [form, view, fragments, length] of this.#views(text)) {
      for (let at = 0; at + length <= view.length; at += 1) {
        const secret = fragments.get(view.slice(at, at + length));
        if (secret === undefined || seen.get(fragments)?.has(secret)) continue;
        seen.get(fragments)?.add(secret);
        traces.push({ secret, form, around: this.#hidden(view.slice(Math.max(0, at - 2 * AROUND), at)) });
      }
    }
    return traces;
  }

  /**
   * Words for a report, one line for each trace; none when every text is clean.
   * @param {Record<string, string>} places texts by where they were seen
   */
  report(places) {
    return Object.entries(places).flatMap(([place, text]) =>
      this.find(text).map(({ secret, form, around }) => `${place} shows ${secret} (${form}), after: …${around}`),
    );
  }

  /** Each way of reading the text that differs from the ones before. @param {string} text */
  #views(text) {
    const decoded = percentDecoded(text);
    const readings = /** @type {[string, string][]} */ ([
      ["as it is", text],
      ["percent-encoded", decoded],
      ["percent-encoded twice", percentDecoded(decoded)],
      ["escaped", unescaped(text)],
    ]);
    const fresh = readings.filter(([, view], index) => !readings.slice(0, index).some(([, other]) => other === view));
    return /** @type {[string, string, Map<string, string>, number][]} */ ([
      ...fresh.map(([form, view]) => [form, view, this.#plain, TRACE]),
      // The URL alphabet, read as the plain one; and `=` or `+` in it percent-encoded.
      ...[...new Set([text, decoded])].map((view) => ["base64", plainAlphabet(view), this.#digits, DIGITS]),
    ]);
  }

  /** What stands before a trace, without any word that holds a part of a secret, whole or cut off. @param {string} text */
  #hidden(text) {
    const words = text.split(/[\s"]+/).slice(1, -1);
    return words
      .filter((word) => !this.#sings(word))
      .join(" ")
      .slice(-AROUND);
  }

  /** @param {string} word */
  #sings(word) {
    return this.#views(word).some(([, view, fragments, length]) =>
      Array.from(view, (_, at) => view.slice(at, at + length)).some((part) => fragments.has(part)),
    );
  }
}

/** The base64 digits that a fragment determines, for each of the three places in a group of three it may begin at. @param {string} fragment */
function base64Digits(fragment) {
  return [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), Buffer.from(fragment)]).toString("base64");
    return whole.slice(Math.ceil((shift * 8) / 6)).slice(0, DIGITS);
  });
}

/** @param {string} text */
function plainAlphabet(text) {
  return text.replaceAll("-", "+").replaceAll("_", "/");
}

/** Byte by byte, so that a broken sequence elsewhere hides nothing. @param {string} text */
function percentDecoded(text) {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Escapes of JSON and of HTML undone. @param {string} text */
function unescaped(text) {
  return text
    .replace(/\\u([0-9a-f]{4})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\\+(["\\/])/g, "$1")
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/&(amp|lt|gt|quot|apos);/g, (_, name) => ENTITIES[/** @type {keyof typeof ENTITIES} */ (name)]);
}

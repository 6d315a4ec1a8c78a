/**
 * Puts one answer on the wire the way a behaviour asks for: late, in spaced or gated chunks, compressed, cut off after
 * a byte. Writes down in the ledger what really went out. Does not know what the answer says.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Encoder, wantsGzip } from "./encoding.mjs";

/**
 * @typedef {import("./behaviour.mjs").Delivery} Delivery
 * @typedef {object} Exchange one request with the means to answer it
 * @property {import("./ledger.mjs").Received} entry
 * @property {import("./ledger.mjs").Ledger} ledger
 * @property {import("node:http").ServerResponse} response
 * @property {AbortSignal} gone aborted when the client has gone away
 * @property {() => void} resetConnection
 * @property {() => void} closeConnection
 * @property {"auto" | "never" | "force"} gzip the upstream's habit, unless a behaviour says otherwise
 *
 * @typedef {{status: number, headers: [string, string][], pieces: (string | Buffer)[], streamed?: boolean}} Reply
 */

/**
 * @param {Exchange} exchange
 * @param {Reply} reply
 * @param {Delivery} [delivery]
 */
export async function deliver(exchange, reply, delivery = {}) {
  const { entry, ledger, response, gone } = exchange;
  try {
    if (!(await holdHeaders(delivery, gone))) return;
    const encoder = new Encoder(wantsGzip(entry, delivery.gzip ?? exchange.gzip, reply.pieces.length > 0));
    writeHead(exchange, reply, encoder, delivery);
    if (delivery.gate && delivery.gateHeaders) delivery.gate.sent({ index: -1, bytes: 0 });
    const sender = new Sender(exchange, delivery.cutAfterBytes);
    for (const [index, piece] of reply.pieces.entries()) {
      if (!(await holdChunk(index, delivery, gone))) return;
      const last = index === reply.pieces.length - 1 && !delivery.gate;
      const bytes = last ? await encoder.finish(piece) : await encoder.push(piece);
      if (!(await sender.write(bytes))) return;
      delivery.gate?.sent({ index, bytes: bytes.length });
    }
    const trailer = await encoder.finish();
    if (trailer.length > 0 && !(await sender.write(trailer))) return;
    if (sender.atCut()) return sender.cut();
    await unlessGone(gone, (done) => response.end(done));
    if (entry.answer.state === "open") entry.answer.state = "finished";
  } finally {
    delivery.gate?.ended();
    ledger.changed();
  }
}

/** @param {Delivery} delivery @param {AbortSignal} gone @returns {Promise<boolean>} false when the client left */
async function holdHeaders({ headerDelayMs, gate, gateHeaders }, gone) {
  if (headerDelayMs && !(await stillThere(headerDelayMs, gone))) return false;
  if (gate && gateHeaders) return gate.pass(gone);
  return !gone.aborted;
}

/** @param {number} index @param {Delivery} delivery @param {AbortSignal} gone */
async function holdChunk(index, { gate, spacingMs }, gone) {
  if (gate) return gate.pass(gone);
  if (spacingMs && index > 0) return stillThere(spacingMs, gone);
  return !gone.aborted;
}

/** @param {number} ms @param {AbortSignal} gone */
async function stillThere(ms, gone) {
  await pause(ms, undefined, { signal: gone }).catch(() => {});
  return !gone.aborted;
}

/**
 * Waits for a write to be done, or for the client to leave: Node never calls back for a response whose socket is gone.
 * @param {AbortSignal} gone
 * @param {(done: (error?: Error | null) => void) => void} start
 * @returns {Promise<boolean>} whether it was done
 */
async function unlessGone(gone, start) {
  if (gone.aborted) return false;
  /** @type {() => void} */
  let leave = () => {};
  const done = await new Promise((resolve) => {
    leave = () => resolve(false);
    gone.addEventListener("abort", leave, { once: true });
    start((error) => resolve(!error));
  });
  gone.removeEventListener("abort", leave);
  return done;
}

/** @param {Exchange} exchange @param {Reply} reply @param {Encoder} encoder @param {Delivery} delivery */
function writeHead({ entry, ledger, response }, { status, headers, pieces, streamed }, encoder, delivery) {
  response.statusCode = status;
  /** @type {Map<string, string[]>} */
  const byName = new Map();
  for (const [name, value] of headers) byName.set(name, [...(byName.get(name) ?? []), value]);
  for (const [name, values] of byName) response.setHeader(name, values.length === 1 ? (values[0] ?? "") : values);
  response.setHeader("Vary", ["Origin", "X-Origin", "Referer"]);
  response.setHeader("Server", "simulated-upstream");
  const bodyless = entry.method === "HEAD" || status === 204 || status === 304;
  if (encoder.active) response.setHeader("Content-Encoding", "gzip");
  else if (!streamed && !bodyless && !response.hasHeader("content-length")) {
    response.setHeader(
      "Content-Length",
      pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0),
    );
  }
  if (streamed || delivery.gate || delivery.spacingMs || delivery.cutAfterBytes !== undefined) response.flushHeaders();
  entry.answer.status = status;
  ledger.changed();
}

class Sender {
  #exchange;
  #left;

  /** @param {Exchange} exchange @param {number | undefined} cutAfterBytes */
  constructor(exchange, cutAfterBytes) {
    this.#exchange = exchange;
    this.#left = cutAfterBytes ?? Number.POSITIVE_INFINITY;
  }

  /** A cut at byte 0, or exactly at the end of the body, is a cut too. */
  atCut() {
    return this.#left === 0;
  }

  cut() {
    const { entry, closeConnection } = this.#exchange;
    entry.answer.state = "cut";
    closeConnection();
  }

  /** @param {Buffer} bytes @returns {Promise<boolean>} false when nothing more can be sent */
  async write(bytes) {
    const { entry, response, gone, ledger } = this.#exchange;
    const part = bytes.subarray(0, this.#left);
    if (part.length > 0) {
      if (!(await unlessGone(gone, (done) => response.write(part, done)))) return false;
      entry.answer.bytes += part.length;
      entry.answer.chunks += 1;
      this.#left -= part.length;
      ledger.changed();
    }
    if (part.length === bytes.length) return true;
    this.cut();
    return false;
  }
}

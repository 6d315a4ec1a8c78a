/**
 * WebSockets on the wire (RFC 6455), as much as the bench needs, on either side: the handshake's answer, frames in both
 * directions, control frames. Written here rather than taken from a library, because the bench must see every frame as
 * it came and must be able to end a connection in every bad way. Knows nothing of what the messages say.
 */
import { createHash, randomBytes } from "node:crypto";

const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const OPCODES = /** @type {const} */ ({ continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 });
const NAMES = new Map(Object.entries(OPCODES).map(([name, code]) => [code, /** @type {Opcode} */ (name)]));

/**
 * @typedef {keyof typeof OPCODES} Opcode
 * @typedef {{opcode: Opcode, final: boolean, masked: boolean, payload: Buffer}} Frame
 */

/** @param {string} key the client's `Sec-WebSocket-Key` */
export function acceptKey(key) {
  return createHash("sha1").update(`${key}${MAGIC}`).digest("base64");
}

/** @returns {string} a `Sec-WebSocket-Key` */
export function freshKey() {
  return randomBytes(16).toString("base64");
}

/**
 * @param {Opcode} opcode
 * @param {string | Buffer} content
 * @param {{masked?: boolean, final?: boolean}} [options] a client masks, a server does not
 * @returns {Buffer}
 */
export function encodeFrame(opcode, content, { masked = false, final = true } = {}) {
  const payload = Buffer.from(content);
  const mask = masked ? 0x80 : 0;
  const first = (final ? 0x80 : 0) | OPCODES[opcode];
  let head = Buffer.from([first, mask | payload.length]);
  if (payload.length > 0xffff) {
    head = Buffer.alloc(10);
    head.writeBigUInt64BE(BigInt(payload.length), 2);
    head.set([first, mask | 127]);
  } else if (payload.length > 125) {
    head = Buffer.from([first, mask | 126, payload.length >> 8, payload.length & 255]);
  }
  if (!masked) return Buffer.concat([head, payload]);
  const key = randomBytes(4);
  return Buffer.concat([head, key, unmask(payload, key)]);
}

/** @param {number} [code] none: a close frame without a body @param {string} [reason] */
export function closePayload(code, reason = "") {
  if (code === undefined) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
}

/** @param {Buffer} payload of a close frame @returns {{code: number, reason: string}} 1005: it had none */
export function readClose(payload) {
  if (payload.length < 2) return { code: 1005, reason: "" };
  return { code: payload.readUInt16BE(0), reason: payload.toString("utf8", 2) };
}

/** @param {Buffer} payload @param {Buffer} key */
function unmask(payload, key) {
  const bytes = Buffer.from(payload);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = (bytes[i] ?? 0) ^ (key[i & 3] ?? 0);
  return bytes;
}

/** Takes bytes as they arrive and gives whole frames. */
export class FrameReader {
  #bytes = Buffer.alloc(0);

  /** @param {Buffer} chunk @returns {Frame[]} */
  push(chunk) {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const frames = [];
    for (let frame = this.#next(); frame; frame = this.#next()) frames.push(frame);
    return frames;
  }

  /** @returns {Frame | null} */
  #next() {
    const bytes = this.#bytes;
    if (bytes.length < 2) return null;
    const [first = 0, second = 0] = bytes;
    const short = second & 127;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    const maskAt = 2 + lengthBytes;
    const from = maskAt + (second & 0x80 ? 4 : 0);
    if (bytes.length < from) return null;
    const long = lengthBytes === 8 ? Number(bytes.readBigUInt64BE(2)) : lengthBytes === 2 ? bytes.readUInt16BE(2) : 0;
    const length = lengthBytes > 0 ? long : short;
    if (bytes.length < from + length) return null;
    const payload = bytes.subarray(from, from + length);
    this.#bytes = bytes.subarray(from + length);
    const masked = (second & 0x80) !== 0;
    return {
      opcode: NAMES.get(first & 15) ?? "continuation",
      final: (first & 0x80) !== 0,
      masked,
      payload: masked ? unmask(payload, bytes.subarray(maskAt, from)) : Buffer.from(payload),
    };
  }
}

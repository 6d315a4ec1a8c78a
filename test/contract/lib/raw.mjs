/**
 * One request as bytes on a socket of its own, for what no HTTP client would send: recorded requests byte for byte and
 * malformed ones. Reads the answer as far as its framing says. Knows HTTP/1.1's framing and nothing else.
 */
import { once } from "node:events";
import { createConnection } from "node:net";
import { withDeadline } from "../../lib/wait.mjs";

/**
 * @typedef {object} RawAnswer
 * @property {string} head status line and headers as they came
 * @property {number} status
 * @property {[string, string][]} headers in order
 * @property {Buffer} body unchunked
 */

/**
 * @param {import("./gateway.mjs").Gateway} gateway
 * @param {(string | Buffer)[]} parts
 * @param {{timeoutMs?: number}} [options]
 * @returns {Promise<RawAnswer>}
 */
export async function rawRequest(gateway, parts, { timeoutMs = 10_000 } = {}) {
  const socket = createConnection({ port: gateway.port, host: "127.0.0.1" });
  await once(socket, "connect");
  // A refusal may come, and the connection end, before all is written.
  socket.on("error", () => {});
  socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))));
  const show = gateway.canary.place("the body of an answer read as bytes");
  try {
    const answer = await withDeadline(readAnswer(socket, show), timeoutMs, "no whole answer came");
    gateway.canary.place("the head of an answer read as bytes")(answer.head);
    return answer;
  } finally {
    socket.destroy();
  }
}

/** @param {import("node:net").Socket} socket @param {(bytes: Buffer) => void} show @returns {Promise<RawAnswer>} */
async function readAnswer(socket, show) {
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk]);
    const answer = wholeAnswer(bytes);
    if (!answer) continue;
    show(answer.body);
    return answer;
  }
  const answer = wholeAnswer(bytes, true);
  if (!answer) throw new Error(`The connection ended in the middle of the answer: ${bytes.toString("latin1", 0, 200)}`);
  show(answer.body);
  return answer;
}

/** @param {Buffer} bytes @param {boolean} [ended] @returns {RawAnswer | null} null while more must come */
function wholeAnswer(bytes, ended = false) {
  const gap = bytes.indexOf("\r\n\r\n");
  if (gap < 0) return null;
  const head = bytes.toString("latin1", 0, gap);
  const [first = "", ...lines] = head.split("\r\n");
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return /** @type {[string, string]} */ ([line.slice(0, colon), line.slice(colon + 1).trim()]);
  });
  const find = (/** @type {string} */ name) => headers.find(([n]) => n.toLowerCase() === name)?.[1];
  const rest = bytes.subarray(gap + 4);
  const length = find("content-length");
  let body = /** @type {Buffer | null} */ (null);
  if (find("transfer-encoding") === "chunked") body = unchunked(rest);
  else if (length !== undefined) body = rest.length >= Number(length) ? rest.subarray(0, Number(length)) : null;
  else if (ended) body = rest;
  return body && { head, status: Number(first.split(" ")[1]), headers, body };
}

/** @param {Buffer} bytes @returns {Buffer | null} null until the last chunk is there */
function unchunked(bytes) {
  const chunks = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf("\r\n", at);
    if (line < 0) return null;
    const size = Number.parseInt(bytes.toString("latin1", at, line), 16);
    const from = line + 2;
    if (bytes.length < from + size + 2) return null;
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(from, from + size));
    at = from + size + 2;
  }
}

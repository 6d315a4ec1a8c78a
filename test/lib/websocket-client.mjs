/**
 * A WebSocket client for looking closely: the handshake byte for byte as it is told, every frame as it came, every way
 * to leave. For tests of the bench and of the endpoint; real clients are used wherever their own behaviour matters.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { connect } from "node:tls";
import { acceptKey, closePayload, encodeFrame, FrameReader, freshKey, readClose } from "../upstream/websocket.mjs";
import { withDeadline } from "./wait.mjs";

/**
 * @typedef {import("../upstream/websocket.mjs").Frame} Frame
 * @typedef {{status: number, headers: Map<string, string>, head: string, body: string}} Handshake the answer to it
 * @typedef {{code: number, reason: string}} Ending 1006: the connection ended without a close frame
 */

export class WebSocketClient {
  #socket;
  #reader = new FrameReader();
  #bytes = Buffer.alloc(0);
  /** @type {Frame[]} */
  #waiting = [];
  /** @type {(() => void) | null} */
  #look = null;
  #over = false;
  /** @type {Handshake | null} */
  handshake = null;

  /** @param {import("node:net").Socket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk) => this.#take(chunk));
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#over = true;
        this.#look?.();
      });
    }
  }

  /** @param {Buffer} chunk */
  #take(chunk) {
    if (this.handshake?.status === 101) {
      this.#waiting.push(...this.#reader.push(chunk));
    } else {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#readHandshake();
    }
    this.#look?.();
  }

  #readHandshake() {
    const gap = this.#bytes.indexOf("\r\n\r\n");
    if (gap < 0) return;
    const head = this.#bytes.toString("latin1", 0, gap);
    const [first = "", ...lines] = head.split("\r\n");
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const rest = this.#bytes.subarray(gap + 4);
    this.handshake = { status: Number(first.split(" ")[1]), headers, head, body: rest.toString("utf8") };
    if (this.handshake.status === 101) this.#waiting.push(...this.#reader.push(rest));
  }

  /**
   * Waits until `find` gives something.
   * @template T
   * @param {() => T | null} find @param {string} what @param {number} timeoutMs
   * @returns {Promise<T>}
   */
  #until(find, what, timeoutMs) {
    const found = new Promise((resolve) => {
      this.#look = () => {
        const value = find();
        if (value === null) return;
        // Whoever has got something must take nothing more of what comes later.
        this.#look = null;
        resolve(value);
      };
      this.#look();
    });
    return withDeadline(/** @type {Promise<T>} */ (found), timeoutMs, what);
  }

  /**
   * The answer to the handshake, a refusal with its whole body; rejects when the connection ended without one.
   * @param {number} [timeoutMs] @returns {Promise<Handshake>}
   */
  async answered(timeoutMs = 10_000) {
    const done = () => this.handshake?.status === 101 || this.#over || null;
    await this.#until(done, "the handshake was not answered", timeoutMs);
    if (!this.handshake) throw new Error("The connection ended before the handshake was answered.");
    return this.handshake;
  }

  /** The next frame; null when the connection is over. @param {number} [timeoutMs] @returns {Promise<Frame | null>} */
  async frame(timeoutMs = 10_000) {
    const found = await this.#until(
      () => (this.#waiting.length > 0 || this.#over ? { frame: this.#waiting.shift() ?? null } : null),
      "no further frame came",
      timeoutMs,
    );
    return found.frame;
  }

  /** The next message as JSON. @returns {Promise<any>} */
  async message() {
    const frame = await this.frame();
    if (!frame || frame.opcode === "close")
      throw new Error(`The session ended: ${JSON.stringify(frame && readClose(frame.payload))}`);
    return JSON.parse(frame.payload.toString("utf8"));
  }

  /** Reads on to the end and tells it. @returns {Promise<Ending>} */
  async ending() {
    for (let frame = await this.frame(); frame; frame = await this.frame()) {
      if (frame.opcode === "close") return readClose(frame.payload);
    }
    return { code: 1006, reason: "" };
  }

  /** Whether the other side ended the connection; for after the close frames. */
  async over() {
    while (await this.frame());
  }

  /** @param {object | string} message */
  send(message) {
    const text = typeof message === "string" ? message : JSON.stringify(message);
    this.#socket.write(encodeFrame("text", text, { masked: true }));
  }

  /** @param {Buffer} bytes frames that were made elsewhere, or what is none */
  sendBytes(bytes) {
    this.#socket.write(bytes);
  }

  /** @param {number} [code] @param {string} [reason] */
  close(code, reason) {
    this.#socket.write(encodeFrame("close", closePayload(code, reason), { masked: true }));
  }

  /** Leaves without a word. */
  cut() {
    this.#socket.destroy();
  }
}

/**
 * @param {string} url http(s) or ws(s); the target goes out exactly as it stands there
 * @param {{headers?: [string, string][], caFile?: string, key?: string}} [options] `headers` replace the usual ones
 * @returns {Promise<WebSocketClient>} before its handshake is answered
 */
export async function openWebSocket(url, { headers, caFile, key = freshKey() } = {}) {
  const [, scheme = "", host = "", target = "/"] = /^(\w+):\/\/([^/]+)(\/.*)$/.exec(url) ?? [];
  const { hostname, port } = new URL(`http://${host}`);
  const secure = scheme === "https" || scheme === "wss";
  const place = { host: hostname, port: Number(port) };
  const socket = secure
    ? connect({ ...place, ...(caFile ? { ca: readFileSync(caFile) } : {}), ALPNProtocols: ["http/1.1"] })
    : createConnection(place);
  await once(socket, secure ? "secureConnect" : "connect");
  const client = new WebSocketClient(socket);
  const lines = [...usual(host, key, headers ?? [])].map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${target} HTTP/1.1\r\n${lines.join("")}\r\n`);
  return client;
}

/**
 * What a handshake needs, where the given headers do not say it.
 * @param {string} host @param {string} key @param {[string, string][]} given
 * @returns {[string, string][]}
 */
function usual(host, key, given) {
  /** @type {[string, string][]} */
  const needed = [
    ["Host", host],
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Key", key],
    ["Sec-WebSocket-Version", "13"],
  ];
  const named = new Set(given.map(([name]) => name.toLowerCase()));
  return [...given, ...needed.filter(([name]) => !named.has(name.toLowerCase()))];
}

/** @param {Handshake} handshake @param {string} key @returns {boolean} whether the other side proved that it understood */
export function isAccepted({ status, headers }, key) {
  return status === 101 && headers.get("sec-websocket-accept") === acceptKey(key);
}

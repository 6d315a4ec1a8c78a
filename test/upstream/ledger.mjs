/**
 * The ledger: what the simulated upstream received and what it answered, request by request and connection by
 * connection. It is the test bench's proof of who sent what through which tunnel. It only records; it decides nothing
 * about the answers, and its texts mask every key.
 */
import { createHash } from "node:crypto";
import { withDeadline } from "../lib/wait.mjs";

/** Bodies up to this size are kept as text; above it only length and hash remain. */
const TEXT_LIMIT = 64 * 1024;

/**
 * @typedef {object} Connection
 * @property {number} id
 * @property {number} peerPort the caller's port: a proxy's outgoing one when the request came through a proxy
 * @property {boolean} tls
 * @property {string | null} alpn
 * @property {boolean} resumed with a TLS session of an earlier connection
 * @property {number} requests
 * @property {boolean} open
 *
 * @typedef {{from: "client" | "server", opcode: import("./websocket.mjs").Opcode, length: number, text?: string, code?: number, reason?: string}} Frame
 *   `code` and `reason` of close frames only
 *
 * @typedef {object} Received
 * @property {number} id
 * @property {number} at milliseconds since the epoch
 * @property {string | null} key the single key seen, or null when there was none or more than one
 * @property {{where: string, value: string}[]} credentials
 * @property {number} connection
 * @property {number} peerPort
 * @property {boolean} tls
 * @property {string | null} alpn
 * @property {string} method
 * @property {string} target path and query exactly as sent
 * @property {string} path
 * @property {[string, string][]} headers in order, as sent (HTTP/2 pseudo headers left out)
 * @property {string | undefined} authority the Host header, or :authority
 * @property {{length: number, sha256: string | null, text: string | null, state: "receiving" | "complete" | "aborted"}} body
 * @property {Frame[]} frames of a WebSocket, both sides' in the order in which they were seen
 * @property {{status: number | null, bytes: number, chunks: number, state: "open" | "finished" | "client gone" | "cut" | "reset"}} answer
 */

/** @param {string} value */
export function mask(value) {
  return `••••${value.slice(-4)}`;
}

/**
 * @param {Received} entry
 * @param {string} name
 * @returns {string | undefined} the header's value, several joined as HTTP allows
 */
export function header(entry, name) {
  const values = entry.headers.filter(([n]) => n.toLowerCase() === name.toLowerCase()).map(([, v]) => v);
  return values.length > 0 ? values.join(", ") : undefined;
}

/** @param {Received} entry */
function describe(entry) {
  const who = entry.credentials.map((c) => `${c.where} ${mask(c.value)}`).join(" + ") || "no credential";
  const { body, answer } = entry;
  return `#${entry.id} ${entry.method} ${entry.path} (${who}; body ${body.state} ${body.length}; answer ${answer.status} ${answer.state})`;
}

export class Ledger {
  /** @type {Received[]} */
  requests = [];
  /** @type {Connection[]} */
  #connections = [];
  #opened = 0;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #nextRequest = 1;

  /**
   * `total` counts those opened since the start or the last `clear()`. `list` and `open` also know those that were still
   * open then: whoever held them may let go of them in its own time.
   */
  get connections() {
    const list = [...this.#connections];
    return { total: this.#opened, open: list.filter((c) => c.open).length, list };
  }

  clear() {
    this.requests = [];
    this.#connections = this.#connections.filter((c) => c.open);
    this.#opened = 0;
  }

  /**
   * The first request that fits, now or as soon as one does.
   * @param {(entry: Received) => boolean} fits
   * @param {{timeoutMs?: number}} [options]
   * @returns {Promise<Received>}
   */
  async waitFor(fits, { timeoutMs = 5000 } = {}) {
    await this.#until(() => this.requests.some(fits), timeoutMs);
    return /** @type {Received} */ (this.requests.find(fits));
  }

  /**
   * Resolves when the whole ledger satisfies `holds`, for instance when every connection has closed.
   * @param {(ledger: Ledger) => boolean} holds
   * @param {{timeoutMs?: number}} [options]
   */
  async settled(holds, { timeoutMs = 5000 } = {}) {
    await this.#until(() => holds(this), timeoutMs);
  }

  /**
   * @param {() => boolean} holds
   * @param {number} timeoutMs
   */
  async #until(holds, timeoutMs) {
    if (holds()) return;
    /** @type {() => void} */
    let look = () => {};
    const held = new Promise((resolve) => {
      look = () => holds() && resolve(undefined);
      this.#listeners.add(look);
    });
    try {
      await withDeadline(held, timeoutMs, () => {
        const seen = this.requests.map(describe).join("\n") || "nothing";
        return `the ledger never showed what was awaited. It holds:\n${seen}`;
      });
    } finally {
      this.#listeners.delete(look);
    }
  }

  /** Tells everyone who waits that something was written down. */
  changed() {
    for (const look of [...this.#listeners]) look();
  }

  /**
   * @param {Omit<Connection, "requests" | "open">} connection
   * @returns {Connection}
   */
  connected(connection) {
    const entry = { ...connection, requests: 0, open: true };
    this.#connections.push(entry);
    this.#opened += 1;
    this.changed();
    return entry;
  }

  /** @param {Connection} connection */
  disconnected(connection) {
    connection.open = false;
    this.changed();
  }

  /**
   * @param {Pick<Received, "key" | "credentials" | "method" | "target" | "path" | "headers" | "authority">} seen
   * @param {Connection} connection
   * @returns {Received}
   */
  received(seen, connection) {
    connection.requests += 1;
    /** @type {Received} */
    const entry = {
      id: this.#nextRequest++,
      at: Date.now(),
      ...seen,
      connection: connection.id,
      peerPort: connection.peerPort,
      tls: connection.tls,
      alpn: connection.alpn,
      body: { length: 0, sha256: null, text: null, state: "receiving" },
      frames: [],
      answer: { status: null, bytes: 0, chunks: 0, state: "open" },
    };
    this.requests.push(entry);
    this.changed();
    return entry;
  }

  /**
   * Watches a request's body pass by. Resolves with its bytes when it is complete, with null when it was aborted.
   * @param {Received} entry
   * @param {import("node:stream").Readable} stream
   * @param {number} keep bytes to hold in memory; a longer body resolves with what fitted
   * @param {(chunk: Buffer) => void} [watch] sees every byte, however many there are
   * @returns {Promise<Buffer | null>}
   */
  body(entry, stream, keep, watch) {
    const hash = createHash("sha256");
    /** @type {Buffer[]} */
    const kept = [];
    let held = 0;
    return new Promise((resolve) => {
      stream.on("data", (/** @type {Buffer} */ chunk) => {
        hash.update(chunk);
        watch?.(chunk);
        entry.body.length += chunk.length;
        if (held < keep) kept.push(chunk);
        held += chunk.length;
        this.changed();
      });
      const settle = (/** @type {"complete" | "aborted"} */ state) => {
        if (entry.body.state !== "receiving") return;
        const bytes = Buffer.concat(kept);
        entry.body.state = state;
        entry.body.sha256 = hash.digest("hex");
        if (entry.body.length <= TEXT_LIMIT) entry.body.text = bytes.toString("utf8");
        this.changed();
        resolve(state === "complete" ? bytes : null);
      };
      stream.on("end", () => settle("complete"));
      stream.on("aborted", () => settle("aborted"));
      stream.on("error", () => settle("aborted"));
      stream.on("close", () => settle("aborted"));
    });
  }
}

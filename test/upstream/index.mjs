/**
 * The simulated upstream: a stand-in for Google's API on loopback, over plain HTTP and over TLS (HTTP/1.1 and HTTP/2)
 * at once. Owns the listeners and their connections; what a request gets is decided in `handle.mjs`. Every key is
 * accepted unless the script says otherwise. It never writes a key anywhere but into the ledger.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import { createAuthority } from "../lib/authority.mjs";
import { handle } from "./handle.mjs";
import { Ledger } from "./ledger.mjs";
import { Script } from "./script.mjs";
import { handleUpgrade } from "./upgrade.mjs";
import { World } from "./world.mjs";

export * as behave from "./behaviour.mjs";
export { createGate } from "./gate.mjs";
export { header } from "./ledger.mjs";

/** Long enough that no test meets it: closing idle connections must be a client's decision. */
const KEEP_ALIVE_MS = 240_000;

/**
 * @typedef {object} Options
 * @property {number} [port] of the plain listener; 0 lets the kernel choose
 * @property {number} [tlsPort]
 * @property {"auto" | "never" | "force"} [gzip]
 * @property {import("../lib/authority.mjs").Authority} [authority] to share one CA with the proxies
 * @property {string[]} [names] further host names for the certificate
 * @property {boolean} [http2] offer HTTP/2 by ALPN; true unless said otherwise
 * @property {boolean} [lenient] takes a Live token that is sent twice, as Google does from its own Python client
 * @property {string} [publicOrigin] the origin named in upload and file URLs, instead of the listener's own
 *
 * @typedef {object} Running
 * @property {string} httpUrl
 * @property {string} httpsUrl
 * @property {number} httpPort
 * @property {number} httpsPort
 * @property {string} caFile
 * @property {Ledger} ledger
 * @property {Script} script
 * @property {World} world
 * @property {Set<import("./live.mjs").Session>} sessions the Live sessions that are open
 * @property {() => void} dropConnections closes every connection at once, as an upstream that restarts does
 * @property {() => Promise<void>} close
 */

/** @param {Options} [options] @returns {Promise<Running>} */
export async function startUpstream(options = {}) {
  const authority = options.authority ?? (await createAuthority());
  const leaf = await authority.issue(["generativelanguage.test", ...(options.names ?? [])]);
  const state = { ledger: new Ledger(), script: new Script(), world: new World(), gzip: options.gzip ?? "auto" };
  /** @type {{http: string, https: string}} */
  const urls = { http: "", https: "" };
  const origin = (/** @type {boolean} */ tls) => options.publicOrigin ?? (tls ? urls.https : urls.http);
  /** @type {Set<import("./live.mjs").Session>} */
  const sessions = new Set();
  const upstream = { ...state, origin, sessions, lenient: options.lenient === true };

  const sockets = new Connections(state.ledger);
  const { plain, secure } = servers(upstream, sockets, { leaf, http2: options.http2 !== false });
  const httpPort = await listen(plain, options.port ?? 0);
  const httpsPort = await listen(secure, options.tlsPort ?? 0);
  urls.http = `http://127.0.0.1:${httpPort}`;
  urls.https = `https://127.0.0.1:${httpsPort}`;
  return {
    httpUrl: urls.http,
    httpsUrl: urls.https,
    httpPort,
    httpsPort,
    caFile: authority.caFile,
    ledger: state.ledger,
    script: state.script,
    world: state.world,
    sessions,
    dropConnections: () => sockets.destroyAll(),
    async close() {
      const closed = [plain, secure].map((server) => new Promise((resolve) => server.close(resolve)));
      sockets.destroyAll();
      await Promise.all(closed);
      if (!options.authority) authority.dispose();
    },
  };
}

/**
 * The two listeners, not listening yet, with everything that comes in on them led to its handler.
 * @param {import("./upgrade.mjs").Upstream} upstream
 * @param {Connections} sockets
 * @param {{leaf: import("../lib/authority.mjs").Leaf, http2: boolean}} tls
 */
function servers(upstream, sockets, { leaf, http2 }) {
  const answer = (/** @type {any} */ request, /** @type {any} */ response) => {
    const known = sockets.of(request.socket.remotePort, response);
    if (known) handle(upstream, { request, response, ...known }).catch((error) => response.destroy(error));
  };
  const upgrade = (/** @type {any} */ request, /** @type {any} */ stream, /** @type {Buffer} */ head) => {
    const known = sockets.of(request.socket.remotePort, stream);
    if (known) handleUpgrade(upstream, { request, stream, head, ...known }).catch((error) => stream.destroy(error));
  };
  const plain = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 }, answer);
  const protocols = http2 ? ["h2", "http/1.1"] : ["http/1.1"];
  const secure = createSecureServer(
    { allowHTTP1: true, cert: leaf.cert, key: leaf.key, ALPNProtocols: protocols },
    answer,
  );
  Object.assign(secure, { keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 });
  for (const server of [plain, secure]) server.on("upgrade", upgrade);
  plain.on("connection", (socket) => sockets.add(socket, false));
  secure.on("connection", (socket) => sockets.add(socket, true));
  secure.on("secureConnection", (socket) => sockets.handshaken(socket));
  // Broken connections are part of the trade here; the ledger tells what became of them.
  secure.on("sessionError", () => {});
  secure.on("tlsClientError", () => {});
  return { plain, secure };
}

/** @param {import("node:net").Server} server @param {number} port @returns {Promise<number>} */
async function listen(server, port) {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address ? address.port : port;
}

/** The TCP sockets below HTTP and TLS, found again by the caller's port. */
class Connections {
  /** @type {Map<number, {socket: import("node:net").Socket, connection: import("./ledger.mjs").Connection}>} */
  #byPort = new Map();
  #ledger;
  #next = 1;

  /** @param {Ledger} ledger */
  constructor(ledger) {
    this.#ledger = ledger;
  }

  /** @param {import("node:net").Socket} socket @param {boolean} tls */
  add(socket, tls) {
    const port = socket.remotePort;
    if (port === undefined) return;
    const connection = this.#ledger.connected({ id: this.#next++, peerPort: port, tls, alpn: null, resumed: false });
    const known = { socket, connection };
    this.#byPort.set(port, known);
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#byPort.get(port) === known) this.#byPort.delete(port);
      this.#ledger.disconnected(connection);
    });
  }

  /** @param {import("node:tls").TLSSocket} socket */
  handshaken(socket) {
    const known = this.#byPort.get(socket.remotePort ?? -1);
    if (known)
      Object.assign(known.connection, { alpn: socket.alpnProtocol || null, resumed: socket.isSessionReused() });
  }

  /** @param {number | undefined} port @param {{destroy: () => void}} response */
  of(port, response) {
    const known = this.#byPort.get(port ?? -1);
    // The caller left between its last byte and this moment; there is nobody to answer.
    if (!known) response.destroy();
    return known;
  }

  destroyAll() {
    for (const { socket } of this.#byPort.values()) socket.destroy();
  }
}

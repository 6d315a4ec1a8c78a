/**
 * One request through the simulated upstream: written into the ledger, judged for its credentials, matched with the
 * script, answered. The order matters and is kept here alone. Listening and connections are the server's business.
 */

import { findCredentials, refusal, singleKey } from "./credentials.mjs";
import { deliver } from "./delivery.mjs";
import { header } from "./ledger.mjs";
import { json } from "./routes/generate.mjs";
import { modelOf, route } from "./routes/route.mjs";

/** Bytes of a request body that are held in memory; longer bodies are counted and hashed but not understood. */
const BODY_LIMIT = 64 * 1024 * 1024;

/** Of a chunk of an upload only the ledger's text is held: its bytes go to the upload. */
const CHUNK_LIMIT = 64 * 1024;

/**
 * @typedef {import("./delivery.mjs").Exchange} Exchange
 * @typedef {object} Upstream
 * @property {import("./ledger.mjs").Ledger} ledger
 * @property {import("./script.mjs").Script} script
 * @property {import("./world.mjs").World} world
 * @property {"auto" | "never" | "force"} gzip
 * @property {(tls: boolean) => string} origin
 *
 * @typedef {object} Incoming
 * @property {import("node:http").IncomingMessage} request
 * @property {import("node:http").ServerResponse} response
 * @property {import("./ledger.mjs").Connection} connection
 * @property {import("node:net").Socket} socket the TCP socket, below TLS
 */

/** @param {string[]} raw @returns {[string, string][]} */
function pairs(raw) {
  /** @type {[string, string][]} */
  const list = [];
  for (let i = 0; i + 1 < raw.length; i += 2) list.push([raw[i] ?? "", raw[i + 1] ?? ""]);
  return list.filter(([name]) => !name.startsWith(":"));
}

/** @param {string} target */
function splitTarget(target) {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  return { path, query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)) };
}

/**
 * Writes a request into the ledger, with the credentials it carries.
 * @param {Upstream} upstream
 * @param {import("node:http").IncomingMessage} request
 * @param {import("./ledger.mjs").Connection} connection
 */
export function noted({ ledger, world }, request, connection) {
  const target = request.url ?? "/";
  const { path, query } = splitTarget(target);
  const headers = pairs(request.rawHeaders);
  const credentials = findCredentials(headers, query);
  // A chunk of an upload may come without any credential: the upload's id stands for the key that began it.
  const upload = world.uploads.get(query.get("upload_id") ?? "");
  const key = credentials.length === 0 && upload ? upload.owner : singleKey(credentials);
  const authority = request.headers.host ?? /** @type {string | undefined} */ (request.headers[":authority"]);
  const seen = { key, credentials, method: request.method ?? "", target, path, headers, authority };
  return { entry: ledger.received(seen, connection), seen, query, upload };
}

/** @param {Upstream} upstream @param {Incoming} incoming */
export async function handle(upstream, { request, response, connection, socket }) {
  const { ledger, script, world } = upstream;
  const { entry, seen, query, upload } = noted(upstream, request, connection);
  const { key, credentials, path } = seen;
  const exchange = prepare(upstream, entry, response, socket);
  const grown = upload?.content.fork() ?? null;
  const arriving = ledger.body(entry, request, grown ? CHUNK_LIMIT : BODY_LIMIT, (chunk) => grown?.add(chunk));

  const behaviour = script.take({ key, method: seen.method, path, entry });
  if (behaviour?.kind === "reset") return exchange.resetConnection();
  if (behaviour?.kind === "silence") return;
  const early = behaviour?.kind === "say" && behaviour.beforeBody;
  const bytes = early ? Buffer.alloc(0) : await arriving;
  if (bytes === null) return;
  if (behaviour?.kind === "hangUp") return exchange.closeConnection();
  if (behaviour?.kind === "say") {
    const { status, headers: fixed, pieces } = behaviour;
    const reply = { status, headers: fixed, pieces: pieces({ key, model: modelOf(path) }), streamed: true };
    return deliver(exchange, { ...reply, streamed: reply.pieces.length > 1 }, behaviour);
  }
  if (key === null) {
    const { status, body } = refusal(credentials);
    return deliver(exchange, json(body, status));
  }
  const find = (/** @type {string} */ name) => header(entry, name);
  const call = {
    world,
    key,
    method: seen.method,
    path,
    query,
    header: find,
    bytes,
    grown,
    origin: upstream.origin(connection.tls),
  };
  const worded = behaviour?.kind === "answer" ? behaviour : {};
  return deliver(exchange, route({ ...call, content: worded }), worded);
}

/**
 * Whether a closed answer was given up by its client. Over HTTP/2 Node calls every closed answer finished.
 * @param {import("node:http").ServerResponse & {stream?: {aborted: boolean}}} response
 */
function leftEarly(response) {
  return response.stream ? response.stream.aborted : !response.writableFinished;
}

/**
 * @param {Upstream} upstream
 * @param {import("./ledger.mjs").Received} entry
 * @param {import("node:http").ServerResponse} response
 * @param {import("node:net").Socket} socket
 * @returns {Exchange}
 */
export function prepare({ ledger, gzip }, entry, response, socket) {
  const left = new AbortController();
  response.on("close", () => {
    if (entry.answer.state === "open" && leftEarly(response)) entry.answer.state = "client gone";
    left.abort();
    ledger.changed();
  });
  response.on("error", () => left.abort());
  return {
    entry,
    ledger,
    response,
    gone: left.signal,
    gzip,
    resetConnection() {
      entry.answer.state = "reset";
      socket.resetAndDestroy();
    },
    closeConnection() {
      if (entry.answer.state === "open") entry.answer.state = "cut";
      socket.destroy();
    },
  };
}

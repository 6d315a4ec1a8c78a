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

/** @param {Upstream} upstream @param {Incoming} incoming */
export async function handle(upstream, { request, response, connection, socket }) {
  const { ledger, script, world } = upstream;
  const target = request.url ?? "/";
  const { path, query } = splitTarget(target);
  const headers = pairs(request.rawHeaders);
  const credentials = findCredentials(headers, query);
  // A chunk of an upload may come without any credential: the upload's id stands for the key that began it.
  const upload = credentials.length === 0 ? world.uploads.get(query.get("upload_id") ?? "") : undefined;
  const key = upload?.owner ?? singleKey(credentials);
  const authority = request.headers.host ?? /** @type {string | undefined} */ (request.headers[":authority"]);
  const seen = { key, credentials, method: request.method ?? "", target, path, headers, authority };
  const entry = ledger.received(seen, connection);
  const exchange = prepare(upstream, entry, response, socket);
  const arriving = ledger.body(entry, request, BODY_LIMIT);

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
    origin: upstream.origin(connection.tls),
  };
  return deliver(exchange, route({ ...call, content: behaviour ?? {} }), behaviour ?? {});
}

/**
 * @param {Upstream} upstream
 * @param {import("./ledger.mjs").Received} entry
 * @param {import("node:http").ServerResponse} response
 * @param {import("node:net").Socket} socket
 * @returns {Exchange}
 */
function prepare({ ledger, gzip }, entry, response, socket) {
  const left = new AbortController();
  response.on("close", () => {
    if (entry.answer.state === "open" && !response.writableFinished) entry.answer.state = "client gone";
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

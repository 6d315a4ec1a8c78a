/**
 * One request for a WebSocket through the simulated upstream: written into the ledger, matched with the script, judged,
 * then refused with an ordinary answer or turned into a Live session. What is said in a session is decided there.
 */
import { ServerResponse } from "node:http";
import { googleError, live } from "./behaviour.mjs";
import { deliver } from "./delivery.mjs";
import { noted, prepare } from "./handle.mjs";
import { header } from "./ledger.mjs";
import { isLivePath, refusedOpening, Session } from "./live.mjs";
import { json } from "./routes/generate.mjs";
import { acceptKey } from "./websocket.mjs";

/**
 * @typedef {import("./handle.mjs").Upstream & {sessions: Set<Session>, lenient: boolean}} Upstream
 * @typedef {object} Incoming
 * @property {import("node:http").IncomingMessage} request
 * @property {import("node:stream").Duplex} stream the socket, or TLS on it
 * @property {Buffer} head bytes that came after the request
 * @property {import("./ledger.mjs").Connection} connection
 * @property {import("node:net").Socket} socket the TCP socket, below TLS
 */

/** @param {Upstream} upstream @param {Incoming} incoming */
export async function handleUpgrade(upstream, { request, stream, head, connection, socket }) {
  const { script, ledger } = upstream;
  const { entry, seen } = noted(upstream, request, connection);
  Object.assign(entry.body, { state: "complete", text: "" });
  const { key, method, path } = seen;
  const behaviour = script.take({ key, method, path, upgrade: true, entry });
  stream.on("error", () => {});
  if (behaviour?.kind === "silence") return leftAlone(stream, entry, ledger);
  const response = /** @type {any} */ (new ServerResponse(request));
  response.assignSocket(stream);
  response.shouldKeepAlive = false;
  response.on("finish", () => stream.end());
  const exchange = prepare(upstream, entry, response, socket);
  if (behaviour?.kind === "reset") return exchange.resetConnection();
  if (behaviour?.kind === "hangUp") return exchange.closeConnection();
  if (behaviour?.kind === "say") {
    const { status, headers, pieces } = behaviour;
    return deliver(exchange, { status, headers, pieces: pieces({ key, model: null }) }, behaviour);
  }
  const refused = refusedHandshake(entry) ?? refusedOpening(path, seen.credentials, { ...upstream, now: Date.now() });
  if (refused) return deliver(exchange, json(refused.body, refused.status));
  response.detachSocket(stream);
  if (head.length > 0) stream.unshift(head);
  stream.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${acceptKey(header(entry, "sec-websocket-key") ?? "")}\r\n\r\n`,
  );
  entry.answer.status = 101;
  const talk = behaviour?.kind === "live" ? behaviour : live();
  // Before the session's own listener, so that whom the ledger wakes sees it gone.
  stream.once("close", () => upstream.sessions.delete(session));
  const session = new Session({ stream, socket, entry, ledger, behaviour: talk });
  upstream.sessions.add(session);
  ledger.changed();
}

/**
 * Never answered; it ends when the client leaves.
 * @param {Incoming["stream"]} stream
 * @param {import("./ledger.mjs").Received} entry
 * @param {import("./ledger.mjs").Ledger} ledger
 */
function leftAlone(stream, entry, ledger) {
  stream.once("close", () => {
    entry.answer.state = "client gone";
    ledger.changed();
  });
  stream.on("end", () => stream.end());
  stream.resume();
}

/** @param {import("./ledger.mjs").Received} entry */
function refusedHandshake(entry) {
  const words = (/** @type {string} */ name) => header(entry, name)?.toLowerCase() ?? "";
  if (!isLivePath(entry.path))
    return { status: 404, body: googleError(404, "NOT_FOUND", "Requested entity was not found.") };
  const asked = words("upgrade") === "websocket" && words("connection").split(/,\s*/).includes("upgrade");
  const proper = asked && entry.method === "GET" && words("sec-websocket-version") === "13";
  if (proper && Buffer.from(header(entry, "sec-websocket-key") ?? "", "base64").length === 16) return null;
  return { status: 400, body: googleError(400, "INVALID_ARGUMENT", "This is no proper request for a WebSocket.") };
}

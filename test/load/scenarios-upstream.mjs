/**
 * The upstream of the scenarios, in a thread of its own so that it takes no time from the load: a small answer, a stream
 * with a piece now and then, uploads of any size read to their end, and under `gemini-mixed` failures. Over plain HTTP
 * and TLS. Keeps nothing.
 */
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { parentPort, workerData } from "node:worker_threads";
import * as behave from "../upstream/behaviour.mjs";

const TEXT = "a".repeat(1300);
const SMALL = `{"candidates":[{"content":{"parts":[{"text":"${TEXT}"}],"role":"model"},"finishReason":"STOP","index":0}]}`;
const FAILURES = [behave.overloaded(), behave.internal(), behave.quotaPerMinute({ retryDelay: "0.2s" })];
/** One in so many of the mixed ones fails. */
const FAILS_ONE_IN = 8;

const { cert, key, pieces, spacingMs } = workerData;
let mixed = 0;

/** @param {import("node:http").IncomingMessage} request @param {import("node:http").ServerResponse} response */
function take(request, response) {
  request.on("error", () => {});
  response.on("error", () => {});
  request.resume().on("end", () => {
    const path = request.url ?? "";
    if (path.includes("gemini-mixed") && mixed++ % FAILS_ONE_IN === 0) return fail(response);
    if (path.includes(":streamGenerateContent")) return void stream(response);
    response.writeHead(200, { "content-type": "application/json", "content-length": SMALL.length }).end(SMALL);
  });
}

/** @param {import("node:http").ServerResponse} response */
function fail(response) {
  const turn = Math.floor(mixed / FAILS_ONE_IN) % (FAILURES.length + 1);
  const said = FAILURES[turn];
  if (!said) return void response.socket?.destroy();
  const body = said.pieces({ key: null, model: null }).join("");
  response.writeHead(said.status, { "content-type": "application/json" }).end(body);
}

/** @param {import("node:http").ServerResponse} response */
async function stream(response) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (let piece = 0; piece < pieces && !response.destroyed; piece += 1) {
    if (piece > 0) await new Promise((resolve) => setTimeout(resolve, spacingMs));
    response.write(`data: ${SMALL}\r\n\r\n`);
  }
  response.end();
}

const servers = [createServer(take), createSecureServer({ cert, key }, take)];
for (const server of servers) {
  Object.assign(server, { keepAliveTimeout: 240_000 });
  server.on("connection", (socket) => socket.on("error", () => {}));
}
await Promise.all(
  servers.map((server) => new Promise((resolve) => server.listen(0, "127.0.0.1", 1024, () => resolve(0)))),
);
parentPort?.postMessage(servers.map((server) => /** @type {import("node:net").AddressInfo} */ (server.address()).port));

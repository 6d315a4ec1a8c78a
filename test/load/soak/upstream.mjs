/**
 * The upstream of the soak, in a thread of its own: it does what the plan says with each arrival, over plain HTTP and
 * TLS, and writes its ledger. It is quick and remembers nothing but the ledger, unlike the one of `test/upstream`, whose
 * errors it speaks. It knows no client.
 */
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { parentPort, workerData } from "node:worker_threads";
import * as behave from "../../upstream/behaviour.mjs";
import { Did, UpstreamLedger } from "./ledgers.mjs";
import {
  answerLength,
  asked,
  chance,
  dailyQuota,
  deed,
  END,
  KEYS,
  nameOf,
  PROGRAMS,
  PROXIES,
  secretOf,
} from "./plan.mjs";

/**
 * @typedef {import("node:http").IncomingMessage} Request
 * @typedef {import("node:http").ServerResponse} Response
 * @typedef {{id: number, arrival: number, model: string, response: Response}} Arrival
 */

/** What was on its way when the daily quota ran out arrives so long after at most, on a machine with much else to do. */
const ON_ITS_WAY_MS = 15_000;
const NAME = /soak (\d{9})/;
const MODEL = /\/models\/([^:/]+):/;
const FILL = "The quick brown fox jumps over the lazy dog. ".repeat(2300);

const { seed, requests, epoch, shared, cert, key } = workerData;
const ledger = new UpstreamLedger(shared);
const proxyOf = new Map(PROXIES.map(({ address }, place) => [address, place + 1]));
const keyOf = new Map(PROGRAMS.flatMap((_, program) => KEYS.map((__, place) => [secretOf(program, place), place])));
/** @type {Map<string, {left: number, refusedMs: number}>} */
const daily = new Map();

/** @type {Map<string, import("node:net").Socket>} the TCP sockets, below TLS, by where they come from */
const sockets = new Map();

/** @type {WeakMap<object, number>} the proxy of each socket, which can not say it any more once it is closed */
const cameFrom = new WeakMap();

const now = () => Date.now() - epoch;

/** @param {import("node:net").Socket | null} socket */
const wayOf = (socket) => `${socket?.remoteAddress} ${socket?.remotePort}`;

/** @param {Request} request @param {Response} response */
function take(request, response) {
  /** @type {Buffer[]} */
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => arrive(request, response, Buffer.concat(chunks).toString("latin1")));
  request.on("close", () => {
    if (!request.complete) ledger.nameless();
  });
  request.on("error", () => {});
  response.on("error", () => {});
}

/** @param {Request} request @param {Response} response @param {string} body */
function arrive(request, response, body) {
  const id = Number(NAME.exec(body)?.[1] ?? Number.NaN);
  if (!(id < requests)) {
    ledger.nameless();
    response.writeHead(404).end();
    return;
  }
  const secret = String(request.headers["x-goog-api-key"]);
  const place = keyOf.get(secret) ?? 254;
  const proxy = cameFrom.get(request.socket) ?? 0;
  const arrival = ledger.arrived(id, { key: place + 1, proxy, atMs: now() });
  const model = MODEL.exec(request.url ?? "")?.[1] ?? "";
  act({ id, arrival, model, response }, secret, place);
}

/** @param {Arrival} arrived @param {string} secret @param {number} place of the key */
function act(arrived, secret, place) {
  const { id, arrival, model, response } = arrived;
  const spent =
    model.startsWith("gemini-daily-") && quotaSpent(`${secret.slice(0, 16)} ${KEYS[place]?.project} ${model}`);
  const what = spent ? "day" : deed(seed, id, arrival);
  if (what === "day") return refuse(arrived, behave.quotaPerDay());
  if (what === "429") return refuse(arrived, behave.quotaPerMinute({ retryDelay: "0.6s" }));
  ledger.made[id] = (ledger.made[id] ?? 0) + 1;
  if (what === "500") return refuse(arrived, behave.internal());
  if (what === "503") return refuse(arrived, behave.overloaded());
  if (what === "reset") {
    ledger.does(arrived.id, arrived.arrival, Did.reset, 0);
    sockets.get(wayOf(response.socket))?.resetAndDestroy();
    return;
  }
  if (what === "slow") setTimeout(() => answer(arrived, what), 50 + chance(seed, id, 60) * 350);
  else answer(arrived, what);
}

/** @param {string} of whose quota and which model @returns {boolean} */
function quotaSpent(of) {
  const quota = daily.get(of) ?? { left: dailyQuota(requests), refusedMs: 0 };
  daily.set(of, quota);
  quota.left -= 1;
  if (quota.left >= 0) return false;
  if (quota.refusedMs > 0 && now() - quota.refusedMs > ON_ITS_WAY_MS) ledger.afterDaily();
  quota.refusedMs ||= now();
  return true;
}

/** An error of Google's, with the arrival's name in its words. @param {Arrival} arrived @param {import("../../upstream/behaviour.mjs").Say} said */
function refuse(arrived, said) {
  const { id, arrival, model, response } = arrived;
  ledger.does(arrived.id, arrived.arrival, Did.refused, said.status);
  const body = said.pieces({ key: null, model }).join("");
  const named = body.replace('"message": "', `"message": "${nameOf(id)}/${arrival}.0 `);
  response.writeHead(said.status, { "content-type": "application/json", "content-length": Buffer.byteLength(named) });
  response.end(named);
}

/** @param {Arrival} arrived @param {import("./plan.mjs").Deed} how */
function answer(arrived, how) {
  const { kind } = asked(seed, arrived.id);
  ledger.does(arrived.id, arrived.arrival, how === "cut" ? Did.cut : Did.answered, 200);
  if (kind === "stream") void stream(arrived, how);
  else whole(arrived, how);
}

/** @param {string} text @param {boolean} last */
function chunkOf(text, last) {
  const usage = '"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":11,"totalTokenCount":18}';
  const finish = last ? '"finishReason":"STOP",' : "";
  return `{"candidates":[{"content":{"parts":[{"text":"${text}"}],"role":"model"},${finish}"index":0}],${usage},"modelVersion":"soak"}`;
}

/** @param {Arrival} arrived @param {import("./plan.mjs").Deed} how */
function whole({ id, arrival, response }, how) {
  const body = chunkOf(`${nameOf(id)}/${arrival}.0 ${FILL.slice(0, answerLength(seed, id))} ${END}`, true);
  response.writeHead(200, { "content-type": "application/json; charset=UTF-8", "content-length": body.length });
  if (how !== "cut") {
    response.end(body);
    return;
  }
  const cut = Math.floor(body.length * chance(seed, id, 61));
  response.write(body.slice(0, cut), () => response.socket?.destroy());
}

/** @param {Arrival} arrived @param {import("./plan.mjs").Deed} how */
async function stream({ id, arrival, response }, how) {
  const pieces = 2 + Math.floor(chance(seed, id, 62) * 4);
  const cut = how === "cut" ? Math.floor(chance(seed, id, 63) * pieces) : pieces;
  const length = Math.floor(answerLength(seed, id) / pieces);
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  for (let piece = 0; piece < cut; piece += 1) {
    if (how === "trickle" && piece > 0) await new Promise((resolve) => setTimeout(resolve, 40));
    const last = piece === pieces - 1;
    const text = `${nameOf(id)}/${arrival}.${piece} ${FILL.slice(0, length)}${last ? ` ${END}` : ""}`;
    response.write(`data: ${chunkOf(text, last)}\r\n\r\n`);
  }
  if (how !== "cut") response.end();
  // In the middle of a chunk, or between two.
  else if (chance(seed, id, 64) < 0.5) response.socket?.write("fff\r\ndata: {", () => response.socket?.destroy());
  else response.socket?.write("", () => response.socket?.destroy());
}

const servers = [createServer(take), createSecureServer({ cert, key }, take)];
for (const server of servers) {
  Object.assign(server, { keepAliveTimeout: 240_000, requestTimeout: 0 });
  server.on("connection", (socket) => {
    const proxy = proxyOf.get(socket.remoteAddress ?? "") ?? 0;
    ledger.connected(proxy);
    cameFrom.set(socket, proxy);
    const way = wayOf(socket);
    sockets.set(way, socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      if (sockets.get(way) === socket) sockets.delete(way);
      if (socket.bytesRead === 0) ledger.silent(proxy, now());
    });
  });
  server.on("secureConnection", (socket) => cameFrom.set(socket, proxyOf.get(socket.remoteAddress ?? "") ?? 0));
  server.on("tlsClientError", () => {});
  server.on("clientError", (_, socket) => socket.destroy());
}
await Promise.all(servers.map((server) => new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(0)))));
parentPort?.postMessage(servers.map((server) => /** @type {import("node:net").AddressInfo} */ (server.address()).port));
parentPort?.on("message", (word) => {
  for (const server of servers) server.closeAllConnections();
  if (word === "end") process.exit(0);
});

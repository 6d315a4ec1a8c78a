/**
 * A plain HTTP/1.1 client for looking closely at answers: every chunk as it arrives, the raw bytes, how the connection
 * ended. For tests of the bench and of the endpoint; real clients are used wherever their own behaviour matters.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { gunzipSync } from "node:zlib";
import { withDeadline } from "./wait.mjs";

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {import("node:http").IncomingHttpHeaders} headers
 * @property {() => Promise<Buffer | null>} nextChunk the next bytes as they arrive; null at the end
 * @property {() => Promise<Buffer>} bytes all that is still to come, as on the wire; rejects when the answer breaks off
 * @property {() => Promise<string>} text all that is still to come, decompressed
 * @property {() => Promise<any>} json
 * @property {() => void} leave hangs up
 */

/**
 * @param {string} url
 * Without an agent each request has a connection of its own.
 * @param {{method?: string, headers?: Record<string, string | string[]>, body?: string | Buffer | object | AsyncIterable<Buffer>, caFile?: string, agent?: import("node:http").Agent, timeoutMs?: number}} [options]
 * @returns {Promise<Answer>}
 */
export async function fetchRaw(url, { method, headers = {}, body, caFile, agent, timeoutMs = 10_000 } = {}) {
  const send = url.startsWith("https:") ? secureRequest : plainRequest;
  const plainObject = body && typeof body === "object" && !Buffer.isBuffer(body) && !(Symbol.asyncIterator in body);
  const payload = plainObject ? JSON.stringify(body) : body;
  const type = plainObject && !("content-type" in headers) ? { "content-type": "application/json" } : {};
  const request = send(url, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: { ...type, ...headers },
    agent: agent ?? false,
    ...(caFile ? { ca: readFileSync(caFile), ALPNProtocols: ["http/1.1"] } : {}),
  });
  const responding = new Promise((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
  // Not awaited: an answer may come while the body is still on its way.
  write(request, payload).catch((error) => request.destroy(error));
  /** @type {import("node:http").IncomingMessage} */
  const response = await withDeadline(responding, timeoutMs, `no answer came from ${new URL(url).pathname}`);
  return reader(request, response, timeoutMs);
}

/** @param {import("node:http").ClientRequest} request @param {any} payload */
async function write(request, payload) {
  if (payload && typeof payload === "object" && Symbol.asyncIterator in payload) {
    for await (const chunk of payload) {
      if (request.destroyed) return;
      if (!request.write(chunk)) await room(request);
    }
    request.end();
  } else {
    request.end(payload);
  }
}

/** Waits until more may be written or nothing can be. @param {import("node:http").ClientRequest} request */
async function room(request) {
  const settled = new AbortController();
  const options = { signal: settled.signal };
  const events = ["drain", "close"].map((event) => once(request, event, options).catch(() => {}));
  await Promise.race(events);
  settled.abort();
}

/**
 * @param {import("node:http").ClientRequest} request
 * @param {import("node:http").IncomingMessage} response
 * @param {number} timeoutMs
 * @returns {Answer}
 */
function reader(request, response, timeoutMs) {
  const chunks = response[Symbol.asyncIterator]();
  const nextChunk = async () => {
    const next = await withDeadline(chunks.next(), timeoutMs, "no further chunk came");
    return next.done ? null : next.value;
  };
  const bytes = async () => {
    /** @type {Buffer[]} */
    const all = [];
    for (let chunk = await nextChunk(); chunk; chunk = await nextChunk()) all.push(chunk);
    return Buffer.concat(all);
  };
  const text = async () => {
    const raw = await bytes();
    return (response.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw).toString("utf8");
  };
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    nextChunk,
    bytes,
    text,
    json: async () => JSON.parse(await text()),
    leave: () => request.destroy(),
  };
}

/**
 * Live sessions through a running program: its paths and messages, and a session opened as a client opens it, with all
 * that comes back shown to the canary. Knows nothing of keys or proxies.
 */
import assert from "node:assert/strict";
import { openWebSocket } from "../../lib/websocket-client.mjs";
import { TOKEN } from "./gateway.mjs";

const METHOD = "GenerativeService.BidiGenerateContent";
export const LIVE = `/ws/google.ai.generativelanguage.v1beta.${METHOD}`;
export const CONSTRAINED = `/ws/google.ai.generativelanguage.v1alpha.${METHOD}Constrained`;
export const SETUP = { setup: { model: "models/gemini-3.8-flash" } };

/** @param {string} text */
export function saying(text) {
  return { clientContent: { turns: [{ role: "user", parts: [{ text }] }], turnComplete: true } };
}

/**
 * @typedef {import("./gateway.mjs").Gateway} Gateway
 * @typedef {{client: import("../../lib/websocket-client.mjs").WebSocketClient, handshake: import("../../lib/websocket-client.mjs").Handshake, id: string}} Opened
 */

/**
 * The answer to a handshake, whichever it is.
 * @param {Gateway} gateway
 * @param {string} [target]
 * @param {{headers?: Record<string, string>, url?: string, caFile?: string, key?: string}} [options] `headers` beside the
 *   handshake's own; `url` in place of the plain one
 * @returns {Promise<Opened>}
 */
export async function open(gateway, target = LIVE, { headers = { "x-goog-api-key": TOKEN }, url, ...options } = {}) {
  const client = await openWebSocket(`${url ?? gateway.url}${target}`, {
    headers: Object.entries(headers),
    ...options,
  });
  const handshake = await client.answered();
  gateway.canary.place("the answer to a handshake")(`${handshake.head}${handshake.body}`);
  return { client, handshake, id: handshake.headers.get("x-aggregator-request-id") ?? "" };
}

/** A session that has been opened and set up. @type {typeof open} */
export async function session(gateway, target, options) {
  const opened = await open(gateway, target, options);
  assert.equal(opened.handshake.status, 101, opened.handshake.body);
  opened.client.send(SETUP);
  assert.deepEqual(await opened.client.message(), { setupComplete: {} });
  return opened;
}

/** One turn of the conversation. @param {Opened["client"]} client @param {string} text @returns {Promise<string>} */
export async function ask(client, text) {
  client.send(saying(text));
  const answer = await client.message();
  for (let last = answer; !last.serverContent.turnComplete; ) last = await client.message();
  return answer.serverContent.modelTurn.parts[0].text;
}

/** Ends a session in good order. @param {Opened["client"]} client @param {number} [code] @param {string} [reason] */
export async function goodbye(client, code, reason) {
  client.close(code, reason);
  const ending = await client.ending();
  await client.over();
  return ending;
}

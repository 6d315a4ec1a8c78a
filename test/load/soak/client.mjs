/**
 * The clients of the soak: each place sends one request after the other as the plan says, over connections that stay
 * open, reads the answer as a client would and writes down how it ended. It must not know what the upstream does, nor
 * try anything twice.
 */
import { Agent, request as send } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { TOKEN } from "../../contract/lib/gateway.mjs";
import { End } from "./ledgers.mjs";
import { asked, END, KEYS, nameOf, PROXIES } from "./plan.mjs";

/** Longer than every time-out on the way; whoever waits this long waits for nothing. */
const HUNG_MS = 90_000;
const NAMES = /soak (\d{9})\/(\d+)\.(\d+)/g;
const keyPlaces = new Map(KEYS.map((_, place) => [`key-${place}`, place + 1]));
const proxyPlaces = new Map(PROXIES.map(({ name }, place) => [name, place + 1]));

/**
 * @typedef {object} Load
 * @property {number} seed
 * @property {number} requests
 * @property {number} perSecond at most
 * @property {number} places requests under way at once, at most
 * @property {number} epoch
 * @property {string[]} urls of the programs
 * @property {import("./ledgers.mjs").ClientLedger} ledger
 */

/** Sends all and resolves when each has ended. @param {Load} load @param {{sent: number}} progress */
export async function sendAll(load, progress) {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const begun = performance.now();
  const place = async () => {
    while (progress.sent < load.requests) {
      const id = progress.sent++;
      const early = begun + (id / load.perSecond) * 1000 - performance.now();
      if (early > 1) await pause(early);
      await one(load, agent, id);
    }
  };
  await Promise.all(Array.from({ length: load.places }, place));
  agent.destroy();
}

/** @param {import("./plan.mjs").Asked} ask @param {number} id */
function written({ dialect, kind, model }, id) {
  const text = `Please answer ${nameOf(id)} as well as you can.`;
  if (dialect === "openai") {
    const body = { model, stream: kind === "stream", messages: [{ role: "user", content: text }] };
    return { path: "/v1/chat/completions", body: JSON.stringify(body) };
  }
  const method = { whole: "generateContent", stream: "streamGenerateContent?alt=sse", create: "predict" }[kind];
  const body =
    kind === "create" ? { instances: [{ prompt: text }] } : { contents: [{ role: "user", parts: [{ text }] }] };
  return { path: `/v1beta/models/${model}:${method}`, body: JSON.stringify(body) };
}

/** @param {Load} load @param {Agent} agent @param {number} id @returns {Promise<void>} */
function one({ seed, urls, epoch, ledger }, agent, id) {
  const ask = asked(seed, id);
  const { path, body } = written(ask, id);
  const credential = ask.dialect === "openai" ? { authorization: `Bearer ${TOKEN}` } : { "x-goog-api-key": TOKEN };
  const headers = { ...credential, "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve) => {
    let open = true;
    const request = send(`${urls[ask.program]}${path}`, { method: "POST", agent, headers });
    const end = (/** @type {number} */ how) => {
      if (!open) return;
      open = false;
      clearTimeout(hung);
      clearTimeout(leaving);
      ledger.ends(id, how, Date.now() - epoch);
      resolve();
    };
    const leave = (/** @type {number} */ how) => {
      end(how);
      request.destroy();
    };
    const hung = setTimeout(() => leave(End.hung), HUNG_MS);
    const leaving =
      ask.patience === "leaves early" ? setTimeout(() => leave(End.leftEarly), ask.leavesAfterMs) : undefined;
    request.on("error", () => end(End.lost));
    request.on("response", (response) => {
      clearTimeout(leaving);
      read(response, { id, ask, ledger, end, leave: () => leave(End.leftLate) });
    });
    ledger.begins(id, Date.now() - epoch);
    request.end(body);
  });
}

/**
 * @param {import("node:http").IncomingMessage} response
 * @param {{id: number, ask: import("./plan.mjs").Asked, ledger: Load["ledger"], end: (how: number) => void, leave: () => void}} how
 */
function read(response, { id, ask, ledger, end, leave }) {
  const header = (/** @type {string} */ name) => String(response.headers[`x-aggregator-${name}`] ?? "");
  ledger.status[id] = response.statusCode ?? 0;
  ledger.attempts[id] = Number(header("attempts"));
  ledger.key[id] = keyPlaces.get(header("key")) ?? 0;
  ledger.proxy[id] = proxyPlaces.get(header("proxy")) ?? 0;
  /** @type {string[]} */
  const texts = [];
  response.setEncoding("latin1");
  response.on("data", (text) => {
    texts.push(text);
    if (ask.patience !== "leaves late") return;
    ledger.seen[id] = understood(texts.join(""), id)?.arrival ?? 0;
    leave();
  });
  response.on("error", () => {});
  response.on("close", () => {
    const text = texts.join("");
    const heard = understood(text, id);
    if (!heard || text.includes("test-key-soak")) return end(End.wrong);
    ledger.seen[id] = heard.arrival;
    if (response.statusCode === 200) return end(response.complete && isWhole(text, ask) ? End.whole : End.broken);
    if (!response.complete) return end(End.wrong);
    return end(heard.arrival > 0 ? End.refusedThere : End.refusedHere);
  });
}

/** A whole answer says its end, and in OpenAI's dialect a stream's own last word, too. @param {string} text @param {import("./plan.mjs").Asked} ask */
function isWhole(text, { dialect, kind }) {
  return text.includes(END) && (dialect === "gemini" || kind !== "stream" || text.includes("data: [DONE]"));
}

/** Which arrival the answer speaks of, 0 for none; null when it is another request's or its pieces are not in order. @param {string} text @param {number} id */
function understood(text, id) {
  let arrival = 0;
  let pieces = 0;
  for (const [, whose, which, piece] of text.matchAll(NAMES)) {
    if (Number(whose) !== id || Number(piece) !== pieces || (arrival > 0 && Number(which) !== arrival)) return null;
    arrival = Number(which);
    pieces += 1;
  }
  return { arrival };
}

/**
 * Live sessions: who may open one, and what is said in it. A session answers what it is told with an echo, as a model
 * would answer in turns, or follows the script: other answers, an end with a code, an end without a word, silence. Every
 * frame of both sides goes into the ledger. The handshake itself is `upgrade.mjs`'s business.
 */
import { googleError } from "./behaviour.mjs";
import { closePayload, encodeFrame, FrameReader, readClose } from "./websocket.mjs";

/**
 * @typedef {import("./credentials.mjs").Credential} Credential
 * @typedef {import("./behaviour.mjs").Live} Live
 * @typedef {{status: number, body: object}} Refusal
 */

const PATH =
  /^\/{1,2}ws\/google\.ai\.generativelanguage\.(v1|v1beta|v1alpha)\.GenerativeService\.(BidiGenerateContent(Constrained)?)$/;

const KEYED = ["header x-goog-api-key", "query key"];
const TOKENED = ["header authorization", "query access_token"];

/** @param {string} path */
export function isLivePath(path) {
  return PATH.test(path);
}

/** @param {Credential} credential @returns {string} the token, without the scheme in front of it */
function tokenOf({ value }) {
  return value.replace(/^Token /, "");
}

/**
 * Whether these credentials open a session: one key in a header or the query, or for the constrained path one token
 * that was issued here. `lenient` takes a token that is sent twice, as Google does from its Python client.
 * @param {string} path
 * @param {Credential[]} all
 * @param {{world: import("./world.mjs").World, now: number, lenient: boolean}} context
 * @returns {Refusal | null}
 */
export function refusedOpening(path, all, { world, now, lenient }) {
  const constrained = PATH.exec(path)?.[3] !== undefined;
  const credentials = lenient ? all.filter((one, i) => all.findIndex((o) => tokenOf(o) === tokenOf(one)) === i) : all;
  const [only, ...more] = credentials;
  if (!only) return refusal(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.");
  if (more.length > 0) {
    const words = "Multiple authentication credentials received. Please pass only one.";
    return refusal(400, "INVALID_ARGUMENT", words);
  }
  if (!constrained) {
    return KEYED.includes(only.where) ? null : refusal(401, "UNAUTHENTICATED", "Expected an API key.");
  }
  const tokened = TOKENED.includes(only.where) || (lenient && only.where === "header x-goog-api-key");
  if (tokened && world.useToken(tokenOf(only), now)) return null;
  return refusal(401, "UNAUTHENTICATED", "Token is not valid, was used up or has expired.");
}

/** @param {number} code @param {string} status @param {string} words @returns {Refusal} */
function refusal(code, status, words) {
  return { status: code, body: googleError(code, status, words) };
}

const USAGE = { promptTokenCount: 7, responseTokenCount: 5, totalTokenCount: 12 };

/** @param {string} text @returns {object[]} */
function turn(text) {
  return [
    { serverContent: { modelTurn: { parts: [{ text }] } } },
    { serverContent: { generationComplete: true } },
    { serverContent: { turnComplete: true }, usageMetadata: USAGE },
  ];
}

/** What a model answers to one message, whichever way its fields are spelled. @param {any} message @returns {object[]} */
function echo(message) {
  if (message.setup) return [{ setupComplete: {} }];
  const content = message.clientContent ?? message.client_content;
  if (content) {
    const parts = content.turns?.at(-1)?.parts ?? [];
    const said = parts.map((/** @type {{text?: string}} */ part) => part.text ?? "").join("");
    return content.turnComplete || content.turn_complete ? turn(`echo: ${said}`) : [];
  }
  const input = message.realtimeInput ?? message.realtime_input;
  return input?.text ? turn(`echo: ${input.text}`) : [];
}

export class Session {
  #stream;
  #socket;
  #entry;
  #ledger;
  #behaviour;
  #reader = new FrameReader();
  /** @type {Buffer[]} */
  #fragments = [];
  #messages = 0;
  #silent = false;
  #closing = false;

  /**
   * @param {object} parts
   * @param {import("node:stream").Duplex} parts.stream what the handshake came on
   * @param {import("node:net").Socket} parts.socket the TCP socket, below TLS
   * @param {import("./ledger.mjs").Received} parts.entry
   * @param {import("./ledger.mjs").Ledger} parts.ledger
   * @param {Live} parts.behaviour
   */
  constructor({ stream, socket, entry, ledger, behaviour }) {
    this.#stream = stream;
    this.#socket = socket;
    this.#entry = entry;
    this.#ledger = ledger;
    this.#behaviour = behaviour;
    stream.on("data", (chunk) => this.#take(chunk));
    stream.on("end", () => stream.end());
    stream.on("error", () => {});
    stream.on("close", () => this.#ended("client gone"));
    this.#afterMessage();
  }

  get entry() {
    return this.#entry;
  }

  /** @param {object} message */
  send(message) {
    this.#write("binary", JSON.stringify(message));
  }

  /** Begins to close in good order. @param {number} code @param {string} [reason] */
  close(code, reason = "") {
    this.#closing = true;
    this.#write("close", closePayload(code, reason));
  }

  /** Ends the connection without a word. */
  cut() {
    this.#ended("cut");
    this.#socket.destroy();
  }

  /** @param {import("./websocket.mjs").Opcode} opcode @param {string | Buffer} content */
  #write(opcode, content) {
    this.#note("server", opcode, Buffer.from(content));
    this.#stream.write(encodeFrame(opcode, content));
  }

  /** @param {Buffer} chunk */
  #take(chunk) {
    for (const frame of this.#reader.push(chunk)) {
      this.#note("client", frame.opcode, frame.payload);
      if (!frame.masked) this.close(1002, "A client must mask its frames.");
      else if (frame.opcode === "close") this.#closed(frame.payload);
      else if (this.#silent) continue;
      else if (frame.opcode === "ping") this.#write("pong", frame.payload);
      else if (frame.opcode !== "pong") this.#part(frame);
    }
  }

  /** @param {import("./websocket.mjs").Frame} frame */
  #part({ final, payload }) {
    this.#fragments.push(payload);
    if (!final) return;
    const text = Buffer.concat(this.#fragments).toString("utf8");
    this.#fragments = [];
    this.#answer(text);
  }

  /** @param {string} text */
  #answer(text) {
    const { turns } = this.#behaviour;
    const number = this.#messages;
    this.#messages += 1;
    let message = null;
    try {
      message = JSON.parse(text);
    } catch {
      return this.close(1007, "Request contains an invalid argument.");
    }
    if (!turns && number === 0 && !message.setup) return this.close(1007, "The first message must be a setup.");
    for (const answer of turns ? (turns[number] ?? []) : echo(message)) this.send(answer);
    this.#afterMessage();
  }

  #afterMessage() {
    const { after, end } = this.#behaviour;
    if (end === null || this.#messages !== after) return;
    if (end === "cut") this.cut();
    else if (end === "silence") this.#silent = true;
    else this.close(end.code, end.reason);
  }

  /** @param {Buffer} payload of the client's close frame */
  #closed(payload) {
    if (this.#silent) return;
    const { code, reason } = readClose(payload);
    if (!this.#closing) this.#write("close", closePayload(code === 1005 ? undefined : code, reason));
    this.#ended("finished");
    this.#stream.end();
  }

  /** @param {import("./ledger.mjs").Received["answer"]["state"]} state */
  #ended(state) {
    if (this.#entry.answer.state === "open") this.#entry.answer.state = state;
    this.#ledger.changed();
  }

  /** @param {"client" | "server"} from @param {import("./websocket.mjs").Opcode} opcode @param {Buffer} payload */
  #note(from, opcode, payload) {
    const said = opcode === "close" ? readClose(payload) : { text: payload.toString("utf8") };
    this.#entry.frames.push({ from, opcode, length: payload.length, ...said });
    if (from === "server") this.#entry.answer.bytes += payload.length;
    this.#ledger.changed();
  }
}

/**
 * The calls that make a model speak: generateContent and its stream, countTokens, embeddings. What is said stands in
 * `said.mjs`; here it gets Google's shapes, whole or in pieces. How an answer is delivered is not decided here.
 */
import { googleError } from "../behaviour.mjs";
import { refusedTurns } from "./functions.mjs";
import { predict } from "./pictures.mjs";
import { promptOf, said, textOf, tokens } from "./said.mjs";
import { refusedFields } from "./strict.mjs";

/**
 * @typedef {import("../behaviour.mjs").Content} Content
 * @typedef {object} Call
 * @property {string} method
 * @property {string} model
 * @property {URLSearchParams} query
 * @property {Record<string, any>} body
 * @property {Content} content
 * @property {import("../world.mjs").World} world
 *
 * @typedef {import("../delivery.mjs").Reply} Reply
 * @typedef {import("./said.mjs").Said} Said
 * @typedef {import("./functions.mjs").Part} Part
 */

const JSON_TYPE = "application/json; charset=UTF-8";

/** @param {Part[]} parts */
function tokensOf(parts) {
  const written = parts.map((part) => part.text ?? JSON.stringify(part.functionCall ?? {})).join("");
  return parts.length > 0 ? tokens(written) : 0;
}

/** @param {string} prompt @param {Part[]} soFar */
function usage(prompt, soFar) {
  const promptTokenCount = tokens(prompt);
  const candidatesTokenCount = tokensOf(soFar.filter((part) => !part.thought));
  const thoughtsTokenCount = tokensOf(soFar.filter((part) => part.thought));
  return {
    promptTokenCount,
    candidatesTokenCount,
    totalTokenCount: promptTokenCount + candidatesTokenCount + thoughtsTokenCount,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: promptTokenCount }],
    ...(thoughtsTokenCount > 0 ? { thoughtsTokenCount } : {}),
  };
}

/** @typedef {{parts: Part[], finishReason?: string, index: number}} Piece a part of one candidate */

/** @param {Call} call @param {Piece[]} pieces @param {Part[]} soFar */
function chunk(call, pieces, soFar) {
  const candidates = pieces.map(({ parts, finishReason, index }) => ({
    content: { parts, role: "model" },
    ...(finishReason ? { finishReason } : {}),
    index,
  }));
  return {
    candidates,
    usageMetadata: usage(promptOf(call.body), soFar),
    modelVersion: call.model,
    responseId: "simulated-response",
  };
}

/** @param {string} text @param {number} pieces @returns {string[]} */
function split(text, pieces) {
  const size = Math.max(1, Math.ceil(text.length / pieces));
  return Array.from({ length: pieces }, (_, i) => text.slice(i * size, (i + 1) * size));
}

/** @param {Call} call @returns {Reply} */
function whole(call) {
  const candidates = said(call);
  const all = candidates.flatMap(({ parts }) => parts);
  return json(
    chunk(
      call,
      candidates.map((one, index) => ({ ...one, index })),
      all,
    ),
  );
}

/**
 * One candidate in pieces: a text in several, anything else as it is. After calls and pictures an empty text says that
 * it is over; a text's last piece says so itself and has the signature.
 * @param {Said} candidate @param {number} index @param {Content} content @returns {Piece[]}
 */
function inPieces({ parts, finishReason }, index, { pieces = 3, endingError }) {
  const end = endingError ? {} : { finishReason };
  const cut = parts.flatMap((part) => {
    if (part.text === undefined || part.thought) return [{ parts: [part], index }];
    const texts = split(part.text, pieces).map((text) => ({ parts: [/** @type {Part} */ ({ text })], index }));
    const last = texts.at(-1);
    return last && !endingError ? [...texts.slice(0, -1), { parts: [{ ...part, ...last.parts[0] }], index }] : texts;
  });
  const last = cut.at(-1);
  if (last && last.parts[0]?.text !== undefined) return [...cut.slice(0, -1), { ...last, ...end }];
  return [...cut, { parts: [{ text: "" }], index, ...end }];
}

/** @param {Call} call @returns {Reply} */
function stream(call) {
  const { endingError } = call.content;
  const pieces = said(call).flatMap((candidate, index) => inPieces(candidate, index, call.content));
  /** @type {Part[]} */
  const soFar = [];
  const chunks = pieces.map((piece) => {
    soFar.push(...piece.parts);
    return chunk(call, [piece], soFar);
  });
  return call.query.get("alt") === "sse" ? asEvents(chunks, endingError) : asArray(chunks, endingError);
}

/** @param {Content["endingError"]} ending */
function errorOf(ending) {
  return googleError(
    ending?.code ?? 503,
    "UNAVAILABLE",
    ending?.message ?? "The model is overloaded. Please try again later.",
  );
}

/** @param {object[]} chunks @param {Content["endingError"]} ending @returns {Reply} */
function asEvents(chunks, ending) {
  const pieces = chunks.map((c) => `data: ${JSON.stringify(c)}\r\n\r\n`);
  if (ending?.as === "data") pieces.push(`data: ${JSON.stringify(errorOf(ending))}\r\n\r\n`);
  if (ending?.as === "bare") pieces.push(`${JSON.stringify(errorOf(ending), null, 2)}\n`);
  return { status: 200, headers: [["Content-Type", "text/event-stream"]], pieces, streamed: true };
}

/**
 * One JSON array, each element written on its own; no newline after the closing bracket.
 * @param {object[]} chunks
 * @param {Content["endingError"]} ending
 * @returns {Reply}
 */
function asArray(chunks, ending) {
  const elements = ending ? [...chunks, errorOf(ending)] : chunks;
  const pieces = elements.map((element, i) => {
    const open = i === 0 ? "[" : ",\r\n";
    const close = i === elements.length - 1 ? "\n]" : "\n";
    return `${open}${JSON.stringify(element, null, 2)}${close}`;
  });
  return { status: 200, headers: [["Content-Type", JSON_TYPE]], pieces, streamed: true };
}

/** @param {object} body @param {number} [status] @returns {Reply} */
export function json(body, status = 200) {
  return { status, headers: [["Content-Type", JSON_TYPE]], pieces: [`${JSON.stringify(body, null, 2)}\n`] };
}

/** @param {string} text @param {number} dimensions */
function vector(text, dimensions) {
  const seed = [...text].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 1000, 7);
  return { values: Array.from({ length: dimensions }, (_, i) => ((seed + i) % 100) / 100) };
}

/** @param {Record<string, unknown>} request */
function embed(request) {
  const dimensions = Number(request.outputDimensionality ?? request.output_dimensionality ?? 4);
  return vector(textOf(request.content), dimensions);
}

/**
 * @param {Call} call
 * @returns {Reply | null} null when the method is none of these
 */
export function generate(call) {
  switch (call.method) {
    case "generateContent":
    case "streamGenerateContent": {
      const refused = refusedFields(call.body) ?? refusedTurns(call.model, call.body);
      if (refused) return json(refused, 400);
      return call.method === "generateContent" ? whole(call) : stream(call);
    }
    case "predict":
      return call.model.startsWith("imagen-") ? predict(call.body) : null;
    case "countTokens": {
      const totalTokens = tokens(promptOf(call.body));
      return json({ totalTokens, promptTokensDetails: [{ modality: "TEXT", tokenCount: totalTokens }] });
    }
    case "embedContent":
      return json({ embedding: embed(call.body) });
    case "batchEmbedContents": {
      /** @type {Record<string, unknown>[]} */
      const requests = call.body.requests ?? [];
      const promptTokenCount = requests.reduce((sum, request) => sum + tokens(textOf(request.content)), 0);
      return json({ embeddings: requests.map(embed), usageMetadata: { promptTokenCount } });
    }
    default:
      return null;
  }
}

/**
 * The calls that make a model speak: generateContent and its stream, countTokens, embeddings. Answers echo the last
 * prompt, so that a test recognises whose answer it got. How an answer is delivered is not decided here.
 */
import { googleError } from "../behaviour.mjs";

/**
 * @typedef {import("../behaviour.mjs").Content} Content
 * @typedef {{method: string, model: string, query: URLSearchParams, body: Record<string, unknown>, content: Content}} Call
 * @typedef {import("../delivery.mjs").Reply} Reply
 */

const SIGNATURE = Buffer.from("a thought of the simulated upstream").toString("base64");
const JSON_TYPE = "application/json; charset=UTF-8";

/** @param {unknown} content @returns {string} every text of one content object, joined */
function textOf(content) {
  const { parts = [] } = /** @type {{parts?: {text?: string}[]}} */ (content ?? {});
  return parts.map((part) => part.text ?? "").join("");
}

/** @param {Record<string, unknown>} body @returns {string} the last thing that was said */
export function promptOf(body) {
  const contents = Array.isArray(body.contents) ? body.contents : [body.contents];
  return textOf(contents.at(-1));
}

/** @param {string} text */
function tokens(text) {
  return Math.max(1, Math.ceil(text.length / 4));
}

/** @param {string} prompt @param {string} said */
function usage(prompt, said) {
  const promptTokenCount = tokens(prompt);
  const candidatesTokenCount = tokens(said);
  return {
    promptTokenCount,
    candidatesTokenCount,
    totalTokenCount: promptTokenCount + candidatesTokenCount,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: promptTokenCount }],
  };
}

/** @param {Call} call @param {string} text @param {boolean} last @param {string} soFar */
function chunk(call, text, last, soFar) {
  const part = last ? { text, thoughtSignature: SIGNATURE } : { text };
  return {
    candidates: [{ content: { parts: [part], role: "model" }, ...(last ? { finishReason: "STOP" } : {}), index: 0 }],
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

/** @param {Call} call */
function spoken(call) {
  return call.content.text ?? `echo: ${promptOf(call.body)}`;
}

/** @param {Call} call @returns {Reply} */
function whole(call) {
  return json(chunk(call, spoken(call), true, spoken(call)));
}

/** @param {Call} call @returns {Reply} */
function stream(call) {
  const { pieces = 3, endingError } = call.content;
  const texts = split(spoken(call), pieces);
  const chunks = texts.map((text, i) => {
    const last = i === texts.length - 1 && !endingError;
    return chunk(call, text, last, texts.slice(0, i + 1).join(""));
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
      return whole(call);
    case "streamGenerateContent":
      return stream(call);
    case "countTokens": {
      const totalTokens = tokens(promptOf(call.body));
      return json({ totalTokens, promptTokensDetails: [{ modality: "TEXT", tokenCount: totalTokens }] });
    }
    case "embedContent":
      return json({ embedding: embed(call.body) });
    case "batchEmbedContents": {
      const requests = /** @type {Record<string, unknown>[]} */ (call.body.requests ?? []);
      return json({ embeddings: requests.map(embed) });
    }
    default:
      return null;
  }
}

/**
 * What the simulated model says to one request: an echo of the last prompt, unless functions are to be called, JSON or
 * a picture is asked for, or the test words it. Media are echoed by type, size and hash, thoughts come when they are
 * asked for. Gives whole parts; how they are cut and delivered is not known here.
 */
import { createHash } from "node:crypto";
import { asParts, callsNow, responsesOf } from "./functions.mjs";
import { draws, picture } from "./pictures.mjs";
import { sample } from "./sample.mjs";

/**
 * @typedef {import("./functions.mjs").Part} Part
 * @typedef {import("./generate.mjs").Call} Call
 * @typedef {{parts: Part[], finishReason: string}} Said one candidate
 */

const SIGNATURE = Buffer.from("a thought of the simulated upstream").toString("base64");

/** @param {Part} part */
function heard(part) {
  const data = part.inlineData ?? part.inline_data;
  if (!data) return part.text ?? "";
  const bytes = Buffer.from(data.data, "base64");
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8);
  return ` [${data.mimeType ?? data.mime_type}, ${bytes.length} bytes, ${hash}]`;
}

/** @param {unknown} content @returns {string} all that one content object says, joined */
export function textOf(content) {
  const { parts = [] } = /** @type {{parts?: Part[]}} */ (content ?? {});
  return parts.map(heard).join("");
}

/** @param {Record<string, unknown>} body @returns {string} the last thing that was said */
export function promptOf(body) {
  const contents = Array.isArray(body.contents) ? body.contents : [body.contents];
  return textOf(contents.at(-1));
}

/** @param {string} text */
export function tokens(text) {
  return Math.max(1, Math.ceil(text.length / 4));
}

/** @param {Call} call @returns {any} */
function settingsOf({ body }) {
  return body.generationConfig ?? body.generation_config ?? {};
}

/** @param {Call} call @returns {string} */
function words({ body, content }) {
  if (content.text !== undefined) return content.text;
  const contents = Array.isArray(body.contents) ? body.contents : [body.contents];
  const responses = responsesOf(contents.at(-1));
  if (responses.length > 0) return `results: ${JSON.stringify(responses.map((one) => one.response))}`;
  return `echo: ${promptOf(body)}`;
}

/** @param {Call} call @returns {string | null} */
function asJson(call) {
  const settings = settingsOf(call);
  const schema = settings.responseJsonSchema ?? settings.responseSchema;
  if (schema) return JSON.stringify(sample(schema));
  return settings.responseMimeType === "application/json" ? JSON.stringify({ echo: promptOf(call.body) }) : null;
}

/** @param {Call} call @param {string} text @param {number} index @returns {Said} */
function spoken(call, text, index) {
  const most = settingsOf(call).maxOutputTokens ?? Number.POSITIVE_INFINITY;
  const cut = tokens(text) > most;
  const marked = index > 0 ? `${text} (${index + 1})` : text;
  const kept = cut ? marked.slice(0, most * 4) : marked;
  const finishReason = call.content.finishReason ?? (cut ? "MAX_TOKENS" : "STOP");
  return { parts: [{ text: kept, thoughtSignature: SIGNATURE }], finishReason };
}

/** @param {Call} call @returns {Part[]} */
function thoughts(call) {
  const { includeThoughts = false } = settingsOf(call).thinkingConfig ?? {};
  return includeThoughts ? [{ text: `thinking about: ${promptOf(call.body)}`, thought: true }] : [];
}

/** @param {Call} call @returns {Said[]} one for each candidate that is asked for */
export function said(call) {
  const { body, model, world, content } = call;
  const ahead = thoughts(call);
  const calls = content.text === undefined ? callsNow(body, sample) : [];
  if (calls.length > 0) {
    const by = { model, fresh: (/** @type {string} */ prefix) => world.fresh(prefix), ids: world.callIds };
    return [{ parts: [...ahead, ...asParts(calls, by)], finishReason: "STOP" }];
  }
  if (content.text === undefined && draws(model, settingsOf(call))) {
    const data = picture(promptOf(body));
    return [{ parts: [...ahead, { inlineData: { mimeType: "image/png", data } }], finishReason: "STOP" }];
  }
  const text = asJson(call) ?? words(call);
  const count = Number(settingsOf(call).candidateCount ?? 1);
  return Array.from({ length: count }, (_, index) => {
    const { parts, finishReason } = spoken(call, text, index);
    return { parts: [...(index === 0 ? ahead : []), ...parts], finishReason };
  });
}

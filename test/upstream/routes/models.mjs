/**
 * The list of models and single models, paged as Google pages them. Which models exist is decided here; the generating
 * calls only ask.
 */
import { modelNotFoundBody } from "../behaviour.mjs";

/** @param {string} name @param {string} displayName @param {string[]} methods */
function entry(name, displayName, methods) {
  return {
    name: `models/${name}`,
    version: "001",
    displayName,
    description: "An entry of the simulated upstream",
    inputTokenLimit: 1048576,
    outputTokenLimit: 65536,
    supportedGenerationMethods: methods,
  };
}

const CHAT = ["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"];
const MODELS = [
  entry("gemini-3.8-flash", "Gemini 3.8 Flash", CHAT),
  entry("gemini-3.8-pro", "Gemini 3.8 Pro", CHAT),
  entry("gemini-2.5-flash", "Gemini 2.5 Flash", CHAT),
  entry("gemini-embedding-001", "Gemini Embedding 001", ["embedContent", "countTokens", "asyncBatchEmbedContent"]),
];

/** Any Gemini model may be asked, listed or not: only a name from another family is unknown. @param {string} model */
export function isKnownModel(model) {
  return /^(gemini|gemma|text-embedding|embedding)-/.test(model);
}

/** @param {URLSearchParams} query */
export function listModels(query) {
  const size = Number(query.get("pageSize") ?? 50);
  const token = query.get("pageToken");
  const start = token ? Number(Buffer.from(token, "base64").toString().replace("page-", "")) : 0;
  const next = start + size < MODELS.length ? Buffer.from(`page-${start + size}`).toString("base64") : undefined;
  return { status: 200, body: { models: MODELS.slice(start, start + size), ...(next ? { nextPageToken: next } : {}) } };
}

/** @param {string} model @param {string} version */
export function getModel(model, version) {
  const found = MODELS.find((m) => m.name === `models/${model}`);
  if (found) return { status: 200, body: found };
  if (isKnownModel(model)) return { status: 200, body: entry(model, model, CHAT) };
  return { status: 404, body: modelNotFoundBody(model, version) };
}

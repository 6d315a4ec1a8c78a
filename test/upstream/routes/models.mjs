/**
 * The list of models and single models, paged as Google pages them. Which models exist is decided here; the generating
 * calls only ask.
 */
import { modelNotFoundBody } from "../behaviour.mjs";
import { json } from "./generate.mjs";
import { paged } from "./paging.mjs";

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
  return /^(gemini|gemma|text-embedding|embedding|veo|imagen)-/.test(model);
}

/** @param {URLSearchParams} query */
export function listModels(query) {
  return paged(MODELS, "models", query, "every project");
}

/** @param {string} model @param {string} version */
export function getModel(model, version) {
  const found = MODELS.find((m) => m.name === `models/${model}`);
  if (found) return json(found);
  if (isKnownModel(model)) return json(entry(model, model, CHAT));
  return json(modelNotFoundBody(model, version), 404);
}

/**
 * The refusal of fields that Gemini does not have, as Google refuses them: so a request that still carries another
 * dialect's fields is caught by every test. Only generateContent and its settings are looked at.
 */
import { googleError } from "../behaviour.mjs";

const REQUEST = [
  ...["model", "contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "generationConfig"],
  ...["cachedContent", "labels", "serviceTier", "store"],
];
const SETTINGS = [
  ...["temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "seed"],
  ...["presencePenalty", "frequencyPenalty", "responseLogprobs", "logprobs", "responseMimeType", "responseSchema"],
  ...["responseJsonSchema", "responseModalities", "thinkingConfig", "mediaResolution", "speechConfig", "imageConfig"],
  ...["audioTimestamp", "enableEnhancedCivicAnswers", "routingConfig", "modelSelectionConfig", "responseFormat"],
];

/** @param {string} name */
function camel(name) {
  return name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
}

/** @param {any} object @param {string[]} known @param {string} where @returns {string | null} */
function unknown(object, known, where) {
  const name = Object.keys(object ?? {}).find((one) => !known.includes(camel(one)));
  return name === undefined
    ? null
    : `Invalid JSON payload received. Unknown name "${name}"${where}: Cannot find field.`;
}

/** @param {any} body @returns {object | null} the error's body */
export function refusedFields(body) {
  const settings = body.generationConfig ?? body.generation_config;
  const words = unknown(body, REQUEST, "") ?? unknown(settings, SETTINGS, " at 'generation_config'");
  return words === null ? null : googleError(400, "INVALID_ARGUMENT", words);
}

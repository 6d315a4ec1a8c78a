/**
 * Pictures of the simulated upstream: Imagen's predictions and what Gemini's image models draw. All are the same pixel,
 * each marked with a number of its own, so that a test recognises them. No picture is drawn here.
 */
import { googleError } from "../behaviour.mjs";
import { json } from "./generate.mjs";

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** A readable PNG: bytes behind its end are no part of it. @param {string} about */
export function picture(about) {
  return Buffer.concat([Buffer.from(PIXEL, "base64"), Buffer.from(about)]).toString("base64");
}

/** Whether a model answers with pictures instead of words. @param {string} model @param {any} config */
export function draws(model, config) {
  const modalities = config.responseModalities ?? config.response_modalities;
  return modalities ? modalities.includes("IMAGE") : /-image(-|$)/.test(model);
}

/**
 * Imagen's `:predict`.
 * @param {any} body
 * @returns {import("../delivery.mjs").Reply}
 */
export function predict(body) {
  const prompt = body.instances?.[0]?.prompt;
  const count = body.parameters?.sampleCount ?? 1;
  if (typeof prompt !== "string" || !(count >= 1 && count <= 4)) {
    return json(googleError(400, "INVALID_ARGUMENT", "Request contains an invalid argument."), 400);
  }
  const mimeType = body.parameters?.outputOptions?.mimeType ?? "image/png";
  const predictions = Array.from({ length: count }, (_, index) => ({
    mimeType,
    bytesBase64Encoded: picture(`${prompt} ${index + 1}`),
  }));
  return json({ predictions });
}

/**
 * From a path to the call that answers it, for every API version alike. Unknown paths get the 404 that Google sends.
 * Knows the shape of Gemini's URLs and nothing of sockets, scripts or ledgers.
 */
import { googleError, modelNotFoundBody } from "../behaviour.mjs";
import { continueUpload, files, startUpload } from "./files.mjs";
import { generate, json } from "./generate.mjs";
import { getModel, isKnownModel, listModels } from "./models.mjs";
import { batches, cachedContents, createBatch, interactions } from "./resources.mjs";

/**
 * @typedef {import("../delivery.mjs").Reply} Reply
 * @typedef {object} Call
 * @property {import("../world.mjs").World} world
 * @property {string} key
 * @property {string} method
 * @property {string} path
 * @property {URLSearchParams} query
 * @property {(name: string) => string | undefined} header
 * @property {Buffer} bytes
 * @property {string} origin
 * @property {import("../behaviour.mjs").Content} content
 */

const RESOURCE = /^\/(v1|v1beta|v1alpha)\/([a-zA-Z]+)(?:\/([^:/]+))?(?:[:/]([a-zA-Z]+))?$/;
const UPLOAD = /^\/upload\/(v1|v1beta|v1alpha)\/files$/;

/** @param {string} path @returns {string | null} the model a path names */
export function modelOf(path) {
  const [, , collection, name] = RESOURCE.exec(path) ?? [];
  return collection === "models" && name ? name : null;
}

/** @param {Buffer} bytes @returns {Record<string, unknown> | null} null when it is no JSON object */
function parseObject(bytes) {
  if (bytes.length === 0) return {};
  try {
    const value = JSON.parse(bytes.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** @param {Call} call @returns {Reply} */
export function route(call) {
  const upload = UPLOAD.exec(call.path);
  if (upload?.[1] && call.method === "POST") {
    const fileCall = { ...call, version: upload[1] };
    return call.query.has("upload_id") ? continueUpload(fileCall) : startUpload(fileCall);
  }
  const [, version, collection, name, action] = RESOURCE.exec(call.path) ?? [];
  const body = parseObject(call.bytes);
  if (body === null) return json(googleError(400, "INVALID_ARGUMENT", "Invalid JSON payload received."), 400);
  const answered = version && collection ? resource(call, version, collection, name, action, body) : null;
  return answered ?? json(googleError(404, "NOT_FOUND", "Requested entity was not found."), 404);
}

/**
 * @param {Call} call
 * @param {string} version
 * @param {string} collection
 * @param {string | undefined} id
 * @param {string | undefined} action
 * @param {Record<string, unknown>} body
 * @returns {Reply | null}
 */
function resource(call, version, collection, id, action, body) {
  const name = id ? `${collection}/${id}` : "";
  const common = { world: call.world, key: call.key, method: call.method, name, action, query: call.query, body };
  switch (collection) {
    case "models":
      return models(call, version, id, action, body);
    case "files":
      return files({ ...call, version }, call.method, name, action);
    case "cachedContents":
      return cachedContents(common);
    case "batches":
      return batches(common);
    case "interactions":
      return interactions(common);
    default:
      return null;
  }
}

/**
 * @param {Call} call
 * @param {string} version
 * @param {string | undefined} model
 * @param {string | undefined} action
 * @param {Record<string, unknown>} body
 * @returns {Reply | null}
 */
function models(call, version, model, action, body) {
  if (call.method === "GET" && !action) {
    const { status, body: answer } = model ? getModel(model, version) : listModels(call.query);
    return json(answer, status);
  }
  if (call.method !== "POST" || !model || !action) return null;
  if (!isKnownModel(model)) return json(modelNotFoundBody(model, version), 404);
  const denied = call.world.deniedReference(call.key, call.bytes.toString("utf8"));
  if (denied) return json(denied.body, denied.status);
  if (action === "batchGenerateContent") return createBatch(call.world, call.key, model, body);
  return generate({ method: action, model, query: call.query, body, content: call.content });
}

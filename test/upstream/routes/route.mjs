/**
 * From a path to the call that answers it, for every API version alike. Unknown paths get the 404 that Google sends.
 * Knows the shape of Gemini's URLs and nothing of sockets, scripts or ledgers.
 */
import { googleError, modelNotFoundBody } from "../behaviour.mjs";
import { fileSearchStores } from "./file-search-stores.mjs";
import { continueUpload, files, startUpload } from "./files.mjs";
import { generate, json } from "./generate.mjs";
import { interactions } from "./interactions.mjs";
import { getModel, isKnownModel, listModels } from "./models.mjs";
import { authTokens, batches, cachedContents, createBatch, tunedModels } from "./resources.mjs";
import { startVideo, videoOperation } from "./videos.mjs";

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
 * @property {import("../content.mjs").Content | null} grown what an upload holds when this request's body is added
 * @property {string} origin
 * @property {import("../behaviour.mjs").Content} content
 *
 * @typedef {{version: string, segments: string[], action: string | undefined}} Place a path taken apart
 * @typedef {Call & Place & {name: string, body: Record<string, unknown>}} ResourceCall `name` as in `files/abc`, or empty
 */

const RESOURCE = /^\/(v1|v1beta|v1alpha)\/([a-zA-Z][^:]*?)(?::([a-zA-Z]+))?$/;
const UPLOAD = /^\/upload\/(v1|v1beta|v1alpha)\/(?:files|(fileSearchStores\/[^/:]+):uploadToFileSearchStore)$/;

/** @param {string} path @returns {Place | null} */
function placeOf(path) {
  const [, version, rest, action] = RESOURCE.exec(path) ?? [];
  const segments = rest?.split("/") ?? [];
  return version && segments.every(Boolean) ? { version, segments, action } : null;
}

/** @param {string} path @returns {string | null} the model a path names */
export function modelOf(path) {
  const [collection, name] = placeOf(path)?.segments ?? [];
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
  const [, uploadVersion, store = null] = UPLOAD.exec(call.path) ?? [];
  if (uploadVersion && call.method === "POST") {
    const upload = { ...call, version: uploadVersion, store };
    return call.query.has("upload_id") ? continueUpload(upload) : startUpload(upload);
  }
  const place = placeOf(call.path);
  const body = parseObject(call.bytes);
  if (body === null) return json(googleError(400, "INVALID_ARGUMENT", "Invalid JSON payload received."), 400);
  const name = place?.segments.slice(0, 2).join("/") ?? "";
  const named = name.includes("/") ? name : "";
  const answered = place ? resource({ ...call, ...place, name: named, body }) : null;
  return answered ?? json(googleError(404, "NOT_FOUND", "Requested entity was not found."), 404);
}

/** @param {ResourceCall} call @returns {Reply | null} */
function resource(call) {
  const { segments, method, name, action } = call;
  // Only these have names within names.
  const nested = ["models", "fileSearchStores", "tunedModels", "interactions"];
  if (segments.length > 2 && !nested.includes(segments[0] ?? "")) return null;
  switch (segments[0]) {
    case "models":
      return models(call);
    case "files":
      return files({ ...call, store: null }, method, name, action);
    case "cachedContents":
      return cachedContents(call);
    case "batches":
      return batches(call);
    case "interactions":
      return interactions(call);
    case "fileSearchStores":
      return fileSearchStores(call);
    case "tunedModels":
      return action ? tunedModelSays(call) : tunedModels(call);
    case "auth_tokens":
      return authTokens(call);
    default:
      return null;
  }
}

/** @param {ResourceCall} call @returns {Reply | null} */
function models(call) {
  const { world, key, method, segments, action, version, body, query } = call;
  const [, model, inner] = segments;
  if (inner) return inner === "operations" ? videoOperation(call) : null;
  if (method === "GET" && !action) return model ? getModel(model, version) : listModels(query);
  if (method !== "POST" || !model || !action) return null;
  if (!isKnownModel(model)) return json(modelNotFoundBody(model, version), 404);
  const refused = refusedReference(call);
  if (refused) return refused;
  if (action === "batchGenerateContent" || action === "asyncBatchEmbedContent") {
    return createBatch(world, key, model, body);
  }
  if (action === "predictLongRunning") return startVideo(call, model);
  return generate({ method: action, model, query, body, content: call.content, world });
}

/** @param {ResourceCall} call @returns {Reply | null} */
function tunedModelSays(call) {
  const { world, key, method, name, action, query, body, content } = call;
  const found = world.find(key, "tunedModels", name);
  if ("status" in found) return json(found.body, found.status);
  if (method !== "POST" || !action) return null;
  return refusedReference(call) ?? generate({ method: action, model: name, query, body, content, world });
}

/**
 * The refusal of a body that names what its key may not use, or a file by an address that is not this upstream's.
 * @param {ResourceCall} call
 * @returns {Reply | null}
 */
function refusedReference({ world, key, bytes, origin }) {
  const text = bytes.toString("utf8");
  const denied = world.deniedReference(key, text);
  if (denied) return json(denied.body, denied.status);
  const hosts = [origin, "https://generativelanguage.googleapis.com"].map((host) => `${host}/`);
  for (const [, uri = ""] of text.matchAll(/"file_?[uU]ri"\s*:\s*"(https?:\/\/[^"]*)"/g)) {
    if (uri.includes("/files/") && !hosts.some((host) => uri.startsWith(host))) {
      return json(googleError(400, "INVALID_ARGUMENT", `Unsupported file uri: ${uri}`), 400);
    }
  }
  return null;
}

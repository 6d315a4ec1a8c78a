/**
 * File search stores: the stores themselves, their documents, what puts documents into them, and the operations that
 * tell of it. Nothing is searched here; what matters is that all of it belongs to one project.
 */
import { googleError } from "../behaviour.mjs";
import { json } from "./generate.mjs";
import { listed } from "./paging.mjs";

/**
 * @typedef {import("../world.mjs").World} World
 * @typedef {import("../delivery.mjs").Reply} Reply
 * @typedef {import("./route.mjs").ResourceCall} ResourceCall
 * @typedef {{displayName?: string | undefined, mimeType?: string, sizeBytes?: string}} About
 */

const TIME = "2026-11-20T00:00:00Z";
const PACKAGE = "type.googleapis.com/google.ai.generativelanguage.v1main.";

/** @param {ResourceCall} call @returns {Reply | null} */
export function fileSearchStores(call) {
  const [, id, inner] = call.segments;
  if (!id) return collection(call);
  const store = `fileSearchStores/${id}`;
  const found = call.world.find(call.key, "fileSearchStores", store);
  if ("status" in found) return json(found.body, found.status);
  if (call.action === "importFile" && call.method === "POST") return importFile(call, store);
  if (inner === "documents" && call.segments.length === 3) {
    return call.method === "GET" ? listed(call, `${store}/documents`, "documents") : null;
  }
  return one(call, call.segments.join("/"));
}

/** @param {ResourceCall} call @returns {Reply | null} */
function collection(call) {
  const { world, key, method, body } = call;
  if (method === "GET") return listed(call, "fileSearchStores", "fileSearchStores");
  if (method !== "POST") return null;
  const name = `fileSearchStores/${world.fresh("store")}`;
  const displayName = body.displayName ?? body.display_name ?? "";
  return json(world.put(key, name, { name, displayName, createTime: TIME, updateTime: TIME }));
}

/** A store, a document or an operation by its name. @param {ResourceCall} call @param {string} name @returns {Reply | null} */
function one({ world, key, method, query }, name) {
  const found = world.find(key, "fileSearchStores", name);
  if ("status" in found) return json(found.body, found.status);
  if (method === "GET") return json(found.item);
  if (method !== "DELETE") return null;
  const documents = world.list(key, `${name}/documents`);
  if (documents.length > 0 && !/^true$/i.test(query.get("force") ?? "")) {
    return json(googleError(400, "FAILED_PRECONDITION", "Cannot delete non-empty FileSearchStore."), 400);
  }
  world.remove(name);
  return json({});
}

/** @param {ResourceCall} call @param {string} store @returns {Reply} */
function importFile({ world, key, body }, store) {
  const name = String(body.fileName ?? body.file_name ?? "");
  const found = world.find(key, "files", name);
  if ("status" in found) return json(found.body, found.status);
  const { displayName, mimeType, sizeBytes } = /** @type {About} */ (found.item);
  return json(addDocument({ world, key, store }, { displayName, mimeType, sizeBytes }, ""));
}

/**
 * Puts a document into a store and gives the operation that did it.
 * @param {{world: World, key: string, store: string}} into
 * @param {About} about
 * @param {"upload/" | ""} origin the operation's name tells how the document came
 */
export function addDocument({ world, key, store }, { displayName, mimeType, sizeBytes }, origin) {
  const documentName = `${store}/documents/${world.fresh("document")}`;
  const about = { ...(displayName ? { displayName } : {}), mimeType, sizeBytes };
  const times = { createTime: TIME, updateTime: TIME };
  world.put(key, documentName, { name: documentName, ...about, ...times, state: "STATE_ACTIVE" });
  const name = `${store}/${origin}operations/${world.fresh("operation")}`;
  const type = `${PACKAGE}${origin ? "UploadToFileSearchStoreResponse" : "ImportFileResponse"}`;
  return world.put(key, name, { name, done: true, response: { "@type": type, parent: store, documentName } });
}

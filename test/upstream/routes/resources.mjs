/**
 * The other things that live in one key's project: cached contents, batches, tuned models, tokens for Live sessions.
 * Each as small as the real clients need to be content; what matters is that they belong to a project.
 */
import { json } from "./generate.mjs";
import { listed } from "./paging.mjs";

/**
 * @typedef {import("../world.mjs").World} World
 * @typedef {import("../delivery.mjs").Reply} Reply
 * @typedef {import("./route.mjs").ResourceCall} ResourceCall
 */

const TIME = "2026-11-20T00:00:00Z";

/** How long a token opens sessions when its maker does not say. */
const TOKEN_LIFE_MS = 30 * 60 * 1000;

/** @param {ResourceCall} call @returns {Reply | null} */
export function cachedContents(call) {
  const { world, key, method, name, body, bytes } = call;
  if (!name && method === "GET") return listed(call, "cachedContents", "cachedContents");
  if (name || method !== "POST") return existing(call, "cachedContents");
  const denied = world.deniedReference(key, bytes.toString("utf8"));
  if (denied) return json(denied.body, denied.status);
  const fresh = `cachedContents/${world.fresh("cache")}`;
  const { model, displayName = "" } = body;
  const times = { createTime: TIME, updateTime: TIME, expireTime: "2026-11-20T00:05:00Z" };
  const item = { name: fresh, model, displayName, ...times, usageMetadata: { totalTokenCount: 1030 } };
  return json(world.put(key, fresh, item));
}

/** @param {ResourceCall} call @returns {Reply | null} */
export function batches(call) {
  const { method, name, action } = call;
  if (!name && method === "GET") return listed(call, "batches", "operations");
  if (!name) return null;
  if (action !== "cancel") return existing(call, "batches");
  return method === "POST" ? existing({ ...call, method: "CANCEL" }, "batches") : null;
}

/** @param {World} world @param {string} key @param {string} model @param {Record<string, unknown>} body @returns {Reply} */
export function createBatch(world, key, model, body) {
  const name = `batches/${world.fresh("batch")}`;
  const { displayName, display_name } = /** @type {Record<string, unknown>} */ (body.batch ?? {});
  const metadata = {
    "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
    model: `models/${model}`,
    displayName: displayName ?? display_name ?? "",
    createTime: TIME,
    updateTime: TIME,
    batchStats: { requestCount: "1", pendingRequestCount: "1" },
    state: "BATCH_STATE_PENDING",
    name,
  };
  return json(world.put(key, name, { name, metadata }));
}

/** @param {ResourceCall} call @returns {Reply | null} null too for what a tuned model is asked to say */
export function tunedModels(call) {
  const { world, key, method, name, segments, body } = call;
  if (!name && method === "GET") return listed(call, "tunedModels", "tunedModels");
  if (name) return existing({ ...call, name: segments.join("/") }, "tunedModels");
  if (method !== "POST") return null;
  const tunedModel = `tunedModels/${call.query.get("tunedModelId") ?? world.fresh("tuned")}`;
  const { displayName = "", baseModel = "models/gemini-3.8-flash" } = body;
  const times = { createTime: TIME, updateTime: TIME };
  world.put(key, tunedModel, { name: tunedModel, displayName, baseModel, state: "ACTIVE", ...times });
  const operation = `${tunedModel}/operations/${world.fresh("operation")}`;
  const type = "type.googleapis.com/google.ai.generativelanguage.v1beta.CreateTunedModelMetadata";
  return json(world.put(key, operation, { name: operation, metadata: { "@type": type, tunedModel }, done: true }));
}

/** @param {ResourceCall} call @returns {Reply | null} */
export function authTokens({ world, key, method, name, version, body }) {
  if (method !== "POST" || name || version !== "v1alpha") return null;
  const until = body.expireTime ?? body.expire_time;
  const terms = {
    uses: Number(body.uses ?? 1),
    until: typeof until === "string" ? Date.parse(until) : Date.now() + TOKEN_LIFE_MS,
  };
  return json({ name: world.issueToken(key, terms) });
}

/**
 * @param {Pick<ResourceCall, "world" | "key" | "method" | "name">} call
 * @param {import("../world.mjs").Collection} collection
 * @returns {Reply | null}
 */
export function existing({ world, key, method, name }, collection) {
  const found = world.find(key, collection, name);
  if ("status" in found) return json(found.body, found.status);
  if (method === "GET" || method === "PATCH") return json(found.item);
  if (method === "CANCEL") return json({});
  if (method !== "DELETE") return null;
  world.remove(name);
  return json({});
}

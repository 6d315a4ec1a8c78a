/**
 * The other things that live in one key's project: cached contents, batches, interactions. Each as small as the real
 * clients need to be content; what matters is that they belong to a key.
 */
import { json } from "./generate.mjs";

/**
 * @typedef {import("../world.mjs").World} World
 * @typedef {import("../delivery.mjs").Reply} Reply
 * @typedef {{world: World, key: string, method: string, name: string, action: string | undefined, query: URLSearchParams, body: Record<string, unknown>}} Call
 */

const TIME = "2026-11-20T00:00:00Z";

/** @param {Call} call @returns {Reply | null} */
export function cachedContents({ world, key, method, name, body }) {
  if (!name && method === "GET") return json({ cachedContents: world.list(key, "cachedContents") });
  if (!name && method === "POST") {
    const fresh = `cachedContents/${world.fresh("cache")}`;
    const { model, displayName = "" } = body;
    const item = {
      name: fresh,
      model,
      displayName,
      createTime: TIME,
      updateTime: TIME,
      expireTime: "2026-11-20T00:05:00Z",
    };
    return json(world.put(key, fresh, { ...item, usageMetadata: { totalTokenCount: 1030 } }));
  }
  return existing({ world, key, method, name }, "cachedContents");
}

/** @param {Call} call @returns {Reply | null} */
export function batches({ world, key, method, name, action }) {
  if (!name && method === "GET") return json({ operations: world.list(key, "batches") });
  if (action === "cancel" && method === "POST") return existing({ world, key, method: "CANCEL", name }, "batches");
  return existing({ world, key, method, name }, "batches");
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

/** @param {Call} call @returns {Reply | null} */
export function interactions({ world, key, method, name, action, query, body }) {
  if (!name && method === "POST") return createInteraction(world, key, body);
  if (action === "cancel" && method === "POST") return existing({ world, key, method: "GET", name }, "interactions");
  if (method === "GET" && query.get("stream") === "true") {
    const found = world.find(key, "interactions", name);
    return "status" in found ? json(found.body, found.status) : interactionEvents(found.item);
  }
  return existing({ world, key, method, name }, "interactions");
}

/** @param {World} world @param {string} key @param {Record<string, unknown>} body @returns {Reply} */
function createInteraction(world, key, body) {
  const id = world.fresh("v1_simulated-interaction-");
  const text = `echo: ${typeof body.input === "string" ? body.input : JSON.stringify(body.input)}`;
  const content = [{ type: "text", text }];
  const item = world.put(key, `interactions/${id}`, {
    id,
    object: "interaction",
    model: body.model,
    status: "completed",
    role: "model",
    created: TIME,
    updated: TIME,
    steps: [{ type: "model_output", content }],
    outputs: content,
    usage: { total_input_tokens: 7, total_output_tokens: 5, total_tokens: 12 },
  });
  return body.stream === true ? interactionEvents(item) : json(item);
}

/** @param {Record<string, unknown>} interaction @returns {Reply} */
function interactionEvents(interaction) {
  const outputs = /** @type {{text: string}[]} */ (interaction.outputs);
  const events = [
    {
      event_type: "interaction.created",
      interaction: { ...interaction, status: "in_progress", steps: [], outputs: [] },
    },
    { event_type: "step.start", index: 0, step: { type: "model_output" } },
    { event_type: "step.delta", index: 0, delta: { type: "text", text: outputs[0]?.text ?? "" } },
    { event_type: "step.stop", index: 0 },
    { event_type: "interaction.completed", interaction },
  ];
  const pieces = events.map((event) => `event: ${event.event_type}\ndata: ${JSON.stringify(event)}\n\n`);
  return {
    status: 200,
    headers: [["Content-Type", "text/event-stream"]],
    pieces: [...pieces, "event: done\ndata: [DONE]\n\n"],
    streamed: true,
  };
}

/**
 * @param {Pick<Call, "world" | "key" | "method" | "name">} call
 * @param {import("../world.mjs").Collection} collection
 * @returns {Reply | null}
 */
function existing({ world, key, method, name }, collection) {
  const found = world.find(key, collection, name);
  if ("status" in found) return json(found.body, found.status);
  if (method === "GET" || method === "PATCH") return json(found.item);
  if (method === "CANCEL") return json({});
  if (method !== "DELETE") return null;
  world.remove(name);
  return json({});
}

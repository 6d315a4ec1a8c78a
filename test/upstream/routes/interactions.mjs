/**
 * Interactions: a conversation that Google keeps, so each may go on from an earlier one of the same project only.
 * Answered whole or as events, read again, cancelled, deleted. What the model says is an echo.
 */
import { json } from "./generate.mjs";
import { existing } from "./resources.mjs";

/**
 * @typedef {import("../delivery.mjs").Reply} Reply
 * @typedef {import("./route.mjs").ResourceCall} ResourceCall
 */

const TIME = "2026-11-20T00:00:00Z";

/** @param {ResourceCall} call @returns {Reply | null} */
export function interactions(call) {
  const { world, key, method, segments, name, query } = call;
  if (!name) return method === "POST" ? create(call) : null;
  const found = world.find(key, "interactions", name);
  if ("status" in found) return json(found.body, found.status);
  if ((segments[2] ?? call.action) === "cancel") {
    return method === "POST" ? json(Object.assign(found.item, { status: "cancelled" })) : null;
  }
  if (segments.length > 2) return null;
  if (method === "GET" && query.get("stream") === "true") return events(found.item);
  return existing(call, "interactions");
}

/** @param {ResourceCall} call @returns {Reply} */
function create({ world, key, body, bytes }) {
  const previous = body.previous_interaction_id ?? body.previousInteractionId;
  const before = typeof previous === "string" ? world.find(key, "interactions", `interactions/${previous}`) : null;
  if (before && "status" in before) return json(before.body, before.status);
  const denied = world.deniedReference(key, bytes.toString("utf8"));
  if (denied) return json(denied.body, denied.status);
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
    ...(previous ? { previous_interaction_id: previous } : {}),
    steps: [{ type: "model_output", content }],
    outputs: content,
    usage: { total_input_tokens: 7, total_output_tokens: 5, total_tokens: 12 },
  });
  return body.stream === true ? events(item) : json(item);
}

/** @param {Record<string, unknown>} interaction @returns {Reply} */
function events(interaction) {
  const outputs = /** @type {{text: string}[]} */ (interaction.outputs);
  const list = [
    {
      event_type: "interaction.created",
      interaction: { ...interaction, status: "in_progress", steps: [], outputs: [] },
    },
    { event_type: "step.start", index: 0, step: { type: "model_output" } },
    { event_type: "step.delta", index: 0, delta: { type: "text", text: outputs[0]?.text ?? "" } },
    { event_type: "step.stop", index: 0 },
    { event_type: "interaction.completed", interaction },
  ];
  const pieces = list.map((event) => `event: ${event.event_type}\ndata: ${JSON.stringify(event)}\n\n`);
  return {
    status: 200,
    headers: [["Content-Type", "text/event-stream"]],
    pieces: [...pieces, "event: done\ndata: [DONE]\n\n"],
    streamed: true,
  };
}

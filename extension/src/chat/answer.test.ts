// Answers from the bytes of a stream to the pieces the editor gets, and every way in which one may end badly.

import { expect, it } from "vitest";
import { Answer } from "./answer";
import { CallMemory } from "./callMemory";
import { ChatFailure, refusal } from "./failure";
import type { Piece } from "./message";
import { eventsOf } from "./stream";

const MODEL = "gemini-3.8-flash";

async function* bytesOf(text: string, size = Number.POSITIVE_INFINITY) {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function heard(text: string, { size, memory = new CallMemory() }: { size?: number; memory?: CallMemory } = {}) {
  const answer = new Answer(MODEL, memory, () => "fresh");
  const pieces: Piece[] = [];
  for await (const event of eventsOf(bytesOf(text, size))) pieces.push(...answer.take(event));
  try {
    answer.end();
  } catch (error) {
    if (!(error instanceof ChatFailure)) throw error;
    return { pieces, failure: [error.kind, error.message] };
  }
  return { pieces };
}

const event = (chunk: object) => `data: ${JSON.stringify(chunk)}\r\n\r\n`;
const parts = (some: object[], finishReason?: string) =>
  event({ candidates: [{ content: { parts: some }, ...(finishReason ? { finishReason } : {}) }] });

it.each([1, 2, 3, 7, undefined])("text comes whole, in bytes of %s at a time; thoughts do not", async (size) => {
  const stream = parts([{ text: "Grüße, " }, { text: "hm", thought: true }]) + parts([{ text: "🌍" }], "STOP");
  expect(await heard(stream, size === undefined ? {} : { size })).toEqual({
    pieces: [
      { kind: "text", text: "Grüße, " },
      { kind: "text", text: "🌍" },
    ],
  });
});

it("calls have Google's id or a fresh one, and what belongs to them is remembered", async () => {
  const memory = new CallMemory();
  const first = { functionCall: { id: "g1", name: "look", args: { at: 1 } }, thoughtSignature: "thought" };
  const stream = parts([first, { functionCall: { name: "hear" } }]) + parts([{ text: "" }], "STOP");
  expect((await heard(stream, { memory })).pieces).toEqual([
    { kind: "call", callId: "g1", name: "look", input: { at: 1 } },
    { kind: "call", callId: "fresh", name: "hear", input: {} },
  ]);
  expect(memory.find("g1")).toEqual({ model: MODEL, id: "g1", signature: "thought" });
  expect(memory.find("fresh")).toEqual({ model: MODEL });
});

const overloaded = { error: { code: 503, message: "Overloaded.", status: "UNAVAILABLE" } };

it.each([
  ["an error as an event", event(overloaded), "other", "Overloaded."],
  ["an error as bare JSON", `${JSON.stringify(overloaded, null, 2)}\n`, "other", "Overloaded."],
  ["an error of quota", event({ error: { code: 429, message: "No more." } }), "blocked", "No more."],
  ["no end", "", "other", "The answer broke off before its end."],
  ["half a chunk", 'data: {"candid', "other", "The answer broke off before its end."],
  ["withheld", parts([], "SAFETY"), "blocked", "Gemini withheld its answer (SAFETY)."],
  [
    "spoilt",
    parts([], "MALFORMED_FUNCTION_CALL"),
    "other",
    "Gemini could not finish its answer (MALFORMED_FUNCTION_CALL).",
  ],
])("%s: what came before is passed on, then it is said", async (_name, end, kind, message) => {
  expect(await heard(parts([{ text: "so far" }]) + end)).toEqual({
    pieces: [{ kind: "text", text: "so far" }],
    failure: [kind, message],
  });
});

it("a refused prompt and an answer without a word say so", async () => {
  const refused = await heard(event({ promptFeedback: { blockReason: "PROHIBITED_CONTENT" } }));
  expect(refused.failure?.[1]).toMatch(/refused the prompt \(PROHIBITED_CONTENT\)/);
  expect((await heard(parts([], "MAX_TOKENS"))).failure?.[1]).toMatch(/token limit/);
  expect((await heard(parts([{ text: "a" }], "MAX_TOKENS"))).failure).toBeUndefined();
});

it.each([
  [401, '{"error":{"message":"Wrong token."}}', "no_permissions", "Wrong token."],
  [404, '[{"error":{"message":"No such model."}}]', "not_found", "No such model."],
  [429, '{"error":{"message":"Resting."}}', "blocked", "Resting."],
  [502, "<html>", "other", "The Gemini endpoint answered with status 502."],
])("status %s is told as it is meant", (status, body, kind, message) => {
  const { kind: found, message: words } = refusal(status, body);
  expect([found, words]).toEqual([kind, message]);
});

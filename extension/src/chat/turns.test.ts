// How conversations become Gemini's turns, tools and results above all: Gemini refuses what is out of order.

import { expect, it } from "vitest";
import { CallMemory } from "./callMemory";
import type { Message, Said } from "./message";
import { turnsOf } from "./turns";

const MODEL = "gemini-3.8-flash";
const text = (words: string): Said => ({ kind: "text", text: words });
const user = (...said: Said[]): Message => ({ role: "user", said });
const assistant = (...said: Said[]): Message => ({ role: "assistant", said });
const call = (callId: string, name = "look"): Said => ({ kind: "call", callId, name, input: { at: callId } });
const result = (callId: string, ...said: Said[]): Said => ({ kind: "result", callId, said });
const image: Said = { kind: "media", mimeType: "image/png", data: new Uint8Array([1, 2, 3]) };

function contents(messages: Message[], model = MODEL, memory = new CallMemory()) {
  return turnsOf(messages, model, memory).contents;
}

it("neighbours of one role are one turn, empty texts none", () => {
  expect(contents([user(text("a")), user(text("")), user(text("b"), image), assistant(text("c"))])).toEqual([
    {
      role: "user",
      parts: [{ text: "a" }, { text: "b" }, { inlineData: { mimeType: "image/png", data: "AQID" } }],
    },
    { role: "model", parts: [{ text: "c" }] },
  ]);
});

it("files of text are text", () => {
  const file: Said = { kind: "media", mimeType: "application/json", data: new TextEncoder().encode("{}") };
  expect(contents([user(file)])).toEqual([{ role: "user", parts: [{ text: "{}" }] }]);
});

it("instructions stand apart, but for models that know none, and where nothing else is said", () => {
  const system: Message = { role: "system", said: [text("Be brief.")] };
  expect(turnsOf([system, user(text("a"))], MODEL, new CallMemory())).toEqual({
    system: [{ text: "Be brief." }],
    contents: [{ role: "user", parts: [{ text: "a" }] }],
  });
  expect(turnsOf([system, user(text("a"))], "gemma-4-27b", new CallMemory()).contents).toEqual([
    { role: "user", parts: [{ text: "Be brief." }] },
    { role: "user", parts: [{ text: "a" }] },
  ]);
  expect(turnsOf([system], MODEL, new CallMemory()).contents).toEqual([
    { role: "user", parts: [{ text: "Be brief." }] },
  ]);
});

it("results come in the order of their calls, words after them, and a call without a result has an answer", () => {
  const turns = contents([
    user(text("go")),
    assistant(text("I look."), call("1"), call("2", "hear")),
    assistant(call("3")),
    user(text("hurry"), result("2", text("two"))),
    user(result("1", text("one"), image)),
    assistant(text("done")),
  ]);
  expect(turns.map(({ role }) => role)).toEqual(["user", "model", "user", "user", "model"]);
  expect(turns[1]?.parts.map((part) => part.functionCall?.args)).toEqual([
    undefined,
    { at: "1" },
    { at: "2" },
    { at: "3" },
  ]);
  expect(turns[2]?.parts).toEqual([
    { functionResponse: { name: "look", response: { output: "one" } } },
    { functionResponse: { name: "hear", response: { output: "two" } } },
    { functionResponse: { name: "look", response: { error: "The tool was not run." } } },
  ]);
  expect(turns[3]?.parts).toEqual([{ inlineData: { mimeType: "image/png", data: "AQID" } }, { text: "hurry" }]);
});

it("a conversation whose beginning was cut off stays in order", () => {
  const turns = contents([user(result("gone", text("left over"))), assistant(text("yes"))]);
  expect(turns[0]).toEqual({ role: "user", parts: [{ text: "left over" }] });
  expect(contents([assistant(call("1")), user(result("1", text("one")))])[0]?.role).toBe("user");
});

it("the first call of a turn carries its signature and Google's id, or the word for none", () => {
  const memory = new CallMemory();
  memory.keep("g1", { model: MODEL, id: "g1", signature: "thought" });
  memory.keep("g2", { model: MODEL, id: "g2" });
  const steps = [
    user(text("go")),
    assistant(call("g1"), call("g2")),
    user(result("g1"), result("g2")),
    assistant(call("other")),
    user(result("other")),
  ];
  const signatures = (model: string) =>
    contents(steps, model, memory).flatMap(({ parts }) =>
      parts.flatMap((part) => (part.functionCall ? [part.thoughtSignature] : [])),
    );
  expect(signatures(MODEL)).toEqual(["thought", undefined, "skip_thought_signature_validator"]);
  expect(signatures("gemini-flash-latest")).toEqual([
    "skip_thought_signature_validator",
    undefined,
    "skip_thought_signature_validator",
  ]);
  expect(signatures("gemini-2.5-flash")).toEqual([undefined, undefined, undefined]);
  const parts = contents(steps, MODEL, memory).flatMap((turn) => turn.parts);
  expect(parts.flatMap((part) => part.functionCall?.id ?? [])).toEqual(["g1", "g2"]);
  expect(parts.flatMap((part) => part.functionResponse?.id ?? [])).toEqual(["g1", "g2"]);
});

it("the memory of calls is bounded, and what was used last stays", () => {
  const memory = new CallMemory(2);
  for (const id of ["1", "2", "1", "3"]) memory.keep(id, { model: MODEL });
  expect(["1", "2", "3"].filter((id) => memory.find(id))).toEqual(["1", "3"]);
});

// What of a request's tools and options reaches Gemini.

import { expect, it } from "vitest";
import { CallMemory } from "./callMemory";
import { type Ask, requestBody } from "./request";
import { tokensOf } from "./tokens";

const hello: Ask = {
  model: "gemini-3.8-flash",
  messages: [{ role: "user", said: [{ kind: "text", text: "Hello" }] }],
  tools: [],
  toolRequired: false,
  options: {},
};
const body = (change: Partial<Ask>) => requestBody({ ...hello, ...change }, new CallMemory());
const tool = { name: "look", description: "Looks.", schema: { type: "object" } };

it("nothing asked for, nothing said", () => {
  expect(body({ toolRequired: true })).toEqual({ contents: [{ role: "user", parts: [{ text: "Hello" }] }] });
});

it("tools are declared with their schema as it is, and required ones must be called", () => {
  const { tools, toolConfig } = body({ tools: [tool, { ...tool, schema: undefined }], toolRequired: true });
  expect(tools).toEqual([
    {
      functionDeclarations: [
        { name: "look", description: "Looks.", parametersJsonSchema: { type: "object" } },
        { name: "look", description: "Looks." },
      ],
    },
  ]);
  expect(toolConfig).toEqual({ functionCallingConfig: { mode: "ANY" } });
  expect(body({ tools: [tool] }).toolConfig).toBeUndefined();
});

it("options go by Gemini's names or OpenAI's, others are left out", () => {
  const options = {
    temperature: 0,
    max_tokens: 5,
    stop: "end",
    top_p: null,
    n: 3,
    thinkingConfig: { thinkingBudget: 0 },
  };
  expect(body({ options }).generationConfig).toEqual({
    temperature: 0,
    maxOutputTokens: 5,
    stopSequences: ["end"],
    thinkingConfig: { thinkingBudget: 0 },
  });
});

it("tokens are counted by four characters, all parts of a message together", () => {
  expect(tokensOf("12345")).toBe(2);
  const said = [
    { kind: "text", text: "1234" },
    { kind: "call", callId: "1", name: "look", input: {} },
    { kind: "result", callId: "1", said: [{ kind: "text", text: "12345678" }] },
  ] as const;
  expect(tokensOf({ role: "user", said })).toBe(1 + 1 + 1 + 2);
});

// The body of one `streamGenerateContent`: the conversation's turns with tools and options. Options that Gemini has no
// word for are left out, because what they mean to another model nobody here knows.

import type { CallMemory } from "./callMemory";
import type { FunctionDeclaration, GenerateRequest } from "./gemini";
import type { Message, Tool } from "./message";
import { turnsOf } from "./turns";

export type Ask = {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly tools: readonly Tool[];
  /** One of the tools must be called. */
  readonly toolRequired: boolean;
  readonly options: Readonly<Record<string, unknown>>;
};

/** Gemini's names, and those that extensions use which were written for OpenAI's models. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  temperature: ["temperature"],
  topP: ["topP", "top_p"],
  topK: ["topK", "top_k"],
  maxOutputTokens: ["maxOutputTokens", "max_output_tokens", "max_completion_tokens", "max_tokens"],
  seed: ["seed"],
  presencePenalty: ["presencePenalty", "presence_penalty"],
  frequencyPenalty: ["frequencyPenalty", "frequency_penalty"],
  stopSequences: ["stopSequences", "stop"],
  thinkingConfig: ["thinkingConfig", "thinking_config"],
  responseMimeType: ["responseMimeType"],
  responseJsonSchema: ["responseJsonSchema"],
};

export function requestBody(ask: Ask, memory: CallMemory): GenerateRequest {
  const { system, contents } = turnsOf(ask.messages, ask.model, memory);
  const config = configOf(ask.options);
  return {
    ...(system.length > 0 ? { systemInstruction: { parts: system } } : {}),
    contents,
    ...(ask.tools.length > 0 ? { tools: [{ functionDeclarations: ask.tools.map(declaration) }] } : {}),
    ...(ask.tools.length > 0 && ask.toolRequired ? { toolConfig: { functionCallingConfig: { mode: "ANY" } } } : {}),
    ...(Object.keys(config).length > 0 ? { generationConfig: config } : {}),
  };
}

function declaration({ name, description, schema }: Tool): FunctionDeclaration {
  return { name, description, ...(schema === undefined ? {} : { parametersJsonSchema: schema }) };
}

function configOf(options: Ask["options"]): Record<string, unknown> {
  const config: Record<string, unknown> = {};
  for (const [name, words] of Object.entries(OPTIONS)) {
    const value = words.map((word) => options[word]).find((given) => given !== undefined && given !== null);
    if (value !== undefined) config[name] = name === "stopSequences" ? [value].flat() : value;
  }
  return config;
}

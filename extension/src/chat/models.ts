// Which of the models that Google lists can hold a conversation, and how the editor's picker shows them. It must not know
// where the list comes from.

import type { LanguageModelChatInformation } from "vscode";
import { type ApiModel, isGemini } from "./gemini";

/** Families that answer `generateContent` in words. */
const FAMILIES = /^(gemini|gemma)-/;
/** They answer it with sound, pictures or clicks, or only in a Live session. Google's list does not say so; unverified. */
const NO_CHAT = /-(tts|image|audio|live|embedding|computer-use)(-|$)/;
/** For a model that does not say: small enough for each that there is. */
const FEWEST_TOKENS = { input: 32_768, output: 8_192 };

export function chatModels(listed: readonly ApiModel[]): LanguageModelChatInformation[] {
  return listed.flatMap((model) => {
    const id = model.name.replace(/^models\//, "");
    const speaks = model.supportedGenerationMethods?.includes("generateContent") ?? false;
    return speaks && FAMILIES.test(id) && !NO_CHAT.test(id) ? [shown(id, model)] : [];
  });
}

function shown(id: string, model: ApiModel): LanguageModelChatInformation {
  return {
    id,
    name: model.displayName ?? id,
    family: id,
    version: model.version ?? "1",
    maxInputTokens: model.inputTokenLimit ?? FEWEST_TOKENS.input,
    maxOutputTokens: model.outputTokenLimit ?? FEWEST_TOKENS.output,
    detail: "Gemini Aggregator",
    ...(model.description ? { tooltip: model.description } : {}),
    capabilities: { imageInput: isGemini(id), toolCalling: isGemini(id) },
  };
}

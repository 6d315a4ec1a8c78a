// Reads VS Code's messages and their parts into plain data. Parts that are only meant for the model that made them
// (cache marks, thoughts) are passed over: they would be noise to Gemini.

import * as vscode from "vscode";
import type { Message, Said } from "./message";

/** Not in the stable enum, but sent: instructions, which other providers get as a message of this role. */
const SYSTEM = 3;
const READABLE = /^(image|audio|video|text)\/|^application\/(json|pdf)$/;

export function readMessage(message: vscode.LanguageModelChatRequestMessage): Message {
  return { role: roleOf(message.role), said: message.content.flatMap(read) };
}

function roleOf(role: number): Message["role"] {
  if (role === SYSTEM) return "system";
  return role === vscode.LanguageModelChatMessageRole.Assistant ? "assistant" : "user";
}

function read(part: unknown): Said[] {
  if (part instanceof vscode.LanguageModelTextPart) return [{ kind: "text", text: part.value }];
  if (part instanceof vscode.LanguageModelToolCallPart) {
    return [{ kind: "call", callId: part.callId, name: part.name, input: part.input }];
  }
  if (part instanceof vscode.LanguageModelToolResultPart) {
    return [{ kind: "result", callId: part.callId, said: part.content.flatMap(read) }];
  }
  if (part instanceof vscode.LanguageModelPromptTsxPart) return [{ kind: "text", text: JSON.stringify(part.value) }];
  return isData(part) && READABLE.test(part.mimeType)
    ? [{ kind: "media", mimeType: part.mimeType, data: part.data }]
    : [];
}

/** By its shape: the class of data parts is younger than the oldest editor supported. */
function isData(part: unknown): part is { mimeType: string; data: Uint8Array } {
  if (typeof part !== "object" || part === null || !("mimeType" in part) || !("data" in part)) return false;
  return typeof part.mimeType === "string" && part.data instanceof Uint8Array;
}

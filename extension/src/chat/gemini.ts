// The few shapes of Gemini's `generateContent` that the chat writes and reads, and what its models are known by. It must
// not know the editor.

export type Part = {
  text?: string;
  thought?: boolean;
  thoughtSignature?: string;
  inlineData?: { mimeType: string; data: string };
  functionCall?: { id?: string; name: string; args: object };
  functionResponse?: { id?: string; name: string; response: object };
};

export type Content = { role: "user" | "model"; parts: Part[] };

export type FunctionDeclaration = { name: string; description: string; parametersJsonSchema?: object };

export type GenerateRequest = {
  systemInstruction?: { parts: Part[] };
  contents: Content[];
  tools?: { functionDeclarations: FunctionDeclaration[] }[];
  toolConfig?: { functionCallingConfig: { mode: "ANY" } };
  generationConfig?: Record<string, unknown>;
};

export type Chunk = {
  candidates?: { content?: { parts?: Part[] }; finishReason?: string; finishMessage?: string }[];
  promptFeedback?: { blockReason?: string; blockReasonMessage?: string };
  error?: { code?: number; message?: string; status?: string };
};

export type ApiModel = {
  name: string;
  version?: string;
  displayName?: string;
  description?: string;
  inputTokenLimit?: number;
  outputTokenLimit?: number;
  supportedGenerationMethods?: string[];
};

/** Gemma takes no instructions apart from the conversation and, on Google's servers, no tools; unverified. */
export function isGemini(model: string): boolean {
  return model.startsWith("gemini-");
}

/** From Gemini 3 on a call without its signature is refused. A name without a generation means the newest. */
export function wantsSignatures(model: string): boolean {
  const generation = /^gemini-(\d+)/.exec(model)?.[1];
  return isGemini(model) && (generation === undefined || Number(generation) >= 3);
}

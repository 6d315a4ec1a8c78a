// One streamed answer: turns Gemini's chunks into pieces as they come, remembers what belongs to each call, and says at
// the end whether the answer was whole. It must not know how chunks travel.

import * as l10n from "@vscode/l10n";
import type { CallMemory } from "./callMemory";
import { ChatFailure, kindOf } from "./failure";
import type { Chunk, Part } from "./gemini";
import type { Piece } from "./message";

const WITHHELD = /^(SAFETY|RECITATION|BLOCKLIST|PROHIBITED_CONTENT|SPII|LANGUAGE|IMAGE_.*)$/;
const SPOILT = /^(MALFORMED_FUNCTION_CALL|UNEXPECTED_TOOL_CALL|TOO_MANY_TOOL_CALLS|MISSING_THOUGHT_SIGNATURE)$/;
const brokenOff = () => l10n.t("The answer broke off before its end.");

export class Answer {
  #failure: ChatFailure | undefined;
  #ended = false;
  #spoke = false;

  constructor(
    private readonly model: string,
    private readonly memory: CallMemory,
    private readonly freshId: () => string,
  ) {}

  /** The pieces of one chunk. Never throws, so that what came before a failure is still passed on. */
  take(json: string): Piece[] {
    const chunk = parsed(json);
    if (chunk === undefined) {
      this.#failure ??= new ChatFailure("other", brokenOff());
      return [];
    }
    const candidate = chunk.candidates?.[0];
    const pieces = (candidate?.content?.parts ?? []).flatMap((part) => this.#piece(part));
    this.#spoke ||= pieces.length > 0;
    this.#ended ||= candidate?.finishReason !== undefined;
    this.#failure ??= this.#failureIn(chunk);
    return pieces;
  }

  /** After the last chunk. Throws when the answer is not whole. */
  end(): void {
    if (this.#failure) throw this.#failure;
    if (!this.#ended) throw new ChatFailure("other", brokenOff());
  }

  #piece(part: Part): Piece[] {
    if (part.functionCall) {
      const { id, name, args } = part.functionCall;
      const callId = id ? id : this.freshId();
      this.memory.keep(callId, {
        model: this.model,
        ...(id ? { id } : {}),
        ...(part.thoughtSignature ? { signature: part.thoughtSignature } : {}),
      });
      return [{ kind: "call", callId, name, input: args ?? {} }];
    }
    // The editor's stable API has no place for thoughts.
    return part.text && !part.thought ? [{ kind: "text", text: part.text }] : [];
  }

  #failureIn({ candidates, promptFeedback, error }: Chunk): ChatFailure | undefined {
    if (error) return new ChatFailure(kindOf(error.code ?? 0), error.message ?? brokenOff());
    if (promptFeedback?.blockReason) {
      const words = promptFeedback.blockReasonMessage ?? l10n.t("Its filters found something in it.");
      return new ChatFailure(
        "blocked",
        l10n.t("Gemini refused the prompt ({0}). {1}", promptFeedback.blockReason, words),
      );
    }
    const { finishReason = "", finishMessage } = candidates?.[0] ?? {};
    if (WITHHELD.test(finishReason)) {
      const words = l10n.t("Gemini withheld its answer ({0}).", finishReason);
      return new ChatFailure("blocked", finishMessage ? `${words} ${finishMessage}` : words);
    }
    if (SPOILT.test(finishReason)) {
      const words = l10n.t("Gemini could not finish its answer ({0}).", finishReason);
      return new ChatFailure("other", finishMessage ? `${words} ${finishMessage}` : words);
    }
    if (finishReason === "MAX_TOKENS" && !this.#spoke) {
      return new ChatFailure("other", l10n.t("Gemini used up the answer's token limit before its first word."));
    }
    return undefined;
  }
}

function parsed(json: string): Chunk | undefined {
  try {
    const chunk: unknown = JSON.parse(json);
    return typeof chunk === "object" && chunk !== null ? chunk : undefined;
  } catch {
    return undefined;
  }
}

// Gemini among the models of the editor's own chat: lists what the keys can use, carries requests to the local endpoint
// and passes answers on as they come. It decides nothing about keys or proxies: it is a client like any other.

import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { Snapshot } from "../../../native/addon/types.gen";
import { Answer } from "./answer";
import { CallMemory } from "./callMemory";
import { ChatFailure } from "./failure";
import type { Piece } from "./message";
import { ModelList, type Source, servedBy } from "./modelList";
import { chatModels } from "./models";
import { readMessage } from "./readMessages";
import { requestBody } from "./request";
import { eventsOf, send } from "./stream";
import { tokensOf } from "./tokens";

/** Between two tries at a list of models that failed. */
const RETRY_MS = 60_000;

export class ChatProvider implements vscode.LanguageModelChatProvider, vscode.Disposable {
  readonly #source: Source;
  readonly #models: ModelList;
  readonly #memory = new CallMemory();
  readonly #changed = new vscode.EventEmitter<void>();
  #served: string | undefined;
  #retry: NodeJS.Timeout | undefined;
  #registration: vscode.Disposable | undefined;

  constructor(source: Source) {
    this.#source = source;
    this.#models = new ModelList(source);
    this.#served = servedBy(source.snapshot());
  }

  /** Takes charge of its place in the editor. */
  registered(registration: vscode.Disposable): void {
    this.#registration = registration;
  }

  get onDidChangeLanguageModelChatInformation(): vscode.Event<void> {
    return this.#changed.event;
  }

  /** Tells the editor when there may be other models than before. */
  update(snapshot: Snapshot): void {
    const served = servedBy(snapshot);
    if (served === this.#served) return;
    this.#served = served;
    this.#changed.fire();
  }

  async provideLanguageModelChatInformation({
    silent,
  }: vscode.PrepareLanguageModelChatModelOptions): Promise<vscode.LanguageModelChatInformation[]> {
    clearTimeout(this.#retry);
    try {
      return chatModels(await this.#models.get());
    } catch (error) {
      // The editor asks again only when told to.
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#changed.fire(), RETRY_MS);
      if (silent) return [];
      throw error;
    }
  }

  async provideLanguageModelChatResponse(
    model: vscode.LanguageModelChatInformation,
    messages: readonly vscode.LanguageModelChatRequestMessage[],
    options: vscode.ProvideLanguageModelChatResponseOptions,
    progress: vscode.Progress<vscode.LanguageModelResponsePart>,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const abort = new AbortController();
    const cancelled = token.onCancellationRequested(() => abort.abort());
    if (token.isCancellationRequested) abort.abort();
    const body = requestBody(
      {
        model: model.id,
        messages: messages.map(readMessage),
        tools: (options.tools ?? []).map(({ name, description, inputSchema }) => ({
          name,
          description,
          schema: inputSchema,
        })),
        toolRequired: options.toolMode === vscode.LanguageModelChatToolMode.Required,
        options: options.modelOptions ?? {},
      },
      this.#memory,
    );
    try {
      const report = (piece: Piece) => progress.report(partOf(piece));
      await this.#converse(model.id, JSON.stringify(body), abort.signal, report);
    } catch (error) {
      // Whoever cancelled expects no more words.
      if (!abort.signal.aborted) throw inEditorsWords(error);
    } finally {
      cancelled.dispose();
    }
  }

  async provideTokenCount(
    _model: vscode.LanguageModelChatInformation,
    text: string | vscode.LanguageModelChatRequestMessage,
  ): Promise<number> {
    return tokensOf(typeof text === "string" ? text : readMessage(text));
  }

  dispose(): void {
    clearTimeout(this.#retry);
    this.#registration?.dispose();
    this.#changed.dispose();
  }

  async #converse(model: string, body: string, signal: AbortSignal, report: (piece: Piece) => void): Promise<void> {
    const answer = new Answer(model, this.#memory, () => `call_${randomUUID()}`);
    const path = `/v1beta/models/${encodeURIComponent(model)}:streamGenerateContent?alt=sse`;
    const response = await send(await this.#source.endpoint(), path, { method: "POST", body, signal });
    for await (const event of eventsOf(response.body ?? new ReadableStream())) {
      for (const piece of answer.take(event)) report(piece);
    }
    answer.end();
  }
}

function partOf(piece: Piece): vscode.LanguageModelResponsePart {
  return piece.kind === "text"
    ? new vscode.LanguageModelTextPart(piece.text)
    : new vscode.LanguageModelToolCallPart(piece.callId, piece.name, piece.input);
}

function inEditorsWords(error: unknown): unknown {
  if (!(error instanceof ChatFailure)) return error;
  switch (error.kind) {
    case "no_permissions":
      return vscode.LanguageModelError.NoPermissions(error.message);
    case "blocked":
      return vscode.LanguageModelError.Blocked(error.message);
    case "not_found":
      return vscode.LanguageModelError.NotFound(error.message);
    case "other":
      return new Error(error.message);
  }
}

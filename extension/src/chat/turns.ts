// Messages as Gemini's turns: neighbours of one role become one turn, and the results of a turn's calls one turn of
// their own, in the order of the calls, each with an answer. It must not know tools or options.

import type { CallMemory } from "./callMemory";
import { type Content, isGemini, type Part, wantsSignatures } from "./gemini";
import type { Message, Said } from "./message";

/** Takes the place of a signature that nobody has any more: Gemini then does not ask for it. */
const NO_SIGNATURE = "skip_thought_signature_validator";
/** Gemini refuses a call that answers nobody. Stands where a conversation's beginning was cut off; inferred. */
const OPENING = "(The conversation's beginning was left out.)";
/** An answer is owed for each call, and a call that was cancelled has none. */
const NOT_DONE = { error: "The tool was not run." };

type Call = Extract<Said, { kind: "call" }>;
type Result = Extract<Said, { kind: "result" }>;
/** A call of the last turn, with its result when that has come. */
type Waiting = { readonly call: Call; result?: Result };

export type Turns = { system: Part[]; contents: Content[] };

export function turnsOf(messages: readonly Message[], model: string, memory: CallMemory): Turns {
  const conversation = new Conversation(model, memory);
  for (const message of messages) conversation.add(message);
  return conversation.finish();
}

class Conversation {
  readonly #contents: Content[] = [];
  #system: Part[] = [];
  #waiting: Waiting[] = [];
  /** What the user said while calls wait for their results: it comes after those. */
  #words: Part[] = [];

  constructor(
    private readonly model: string,
    private readonly memory: CallMemory,
  ) {}

  add({ role, said }: Message): void {
    if (role === "system") this.#system.push(...said.flatMap(plain));
    else if (role === "assistant") this.#assistant(said);
    else this.#user(said);
  }

  finish(): Turns {
    this.#settle();
    const contents = this.#contents;
    if (contents[0]?.role === "model" && contents[0].parts.some((part) => part.functionCall)) {
      contents.unshift({ role: "user", parts: [{ text: OPENING }] });
    }
    // Instructions alone are what is asked; Gemma knows no others.
    if (this.#system.length > 0 && (contents.length === 0 || !isGemini(this.model))) {
      contents.unshift({ role: "user", parts: this.#system });
      this.#system = [];
    }
    return { system: this.#system, contents };
  }

  #assistant(said: readonly Said[]): void {
    // Several messages of one step follow each other without a word between them.
    const sameStep = this.#words.length === 0 && this.#waiting.every(({ result }) => result === undefined);
    if (!sameStep) this.#settle();
    const parts = said.flatMap((one) => (one.kind === "call" ? [this.#call(one)] : plain(one)));
    this.#say("model", parts);
  }

  #call(call: Call): Part {
    const first = this.#waiting.length === 0;
    this.#waiting.push({ call });
    const known = this.memory.find(call.callId);
    // What another model thought, this one cannot read.
    const kept = known?.model === this.model ? known.signature : undefined;
    const signature = kept ?? (first && wantsSignatures(this.model) ? NO_SIGNATURE : undefined);
    return {
      functionCall: { ...this.#id(call), name: call.name, args: call.input },
      ...(signature === undefined ? {} : { thoughtSignature: signature }),
    };
  }

  /** Gemini's own id goes back to it; it knows no other. */
  #id({ callId }: Call): { id?: string } {
    const id = this.memory.find(callId)?.id;
    return id === undefined ? {} : { id };
  }

  #user(said: readonly Said[]): void {
    for (const one of said) {
      const asked = one.kind === "result" && this.#waiting.find(({ call }) => call.callId === one.callId);
      if (asked) asked.result = one;
      else this.#words.push(...plain(one));
    }
    if (this.#waiting.length === 0) this.#settle();
  }

  /** Invariant: a user's words never share a turn with results of calls; Gemini would take them for one of those. */
  #settle(): void {
    const waiting = this.#waiting.splice(0);
    const results = waiting.map(({ call, result }) => ({
      functionResponse: { ...this.#id(call), name: call.name, response: result ? responseOf(result) : NOT_DONE },
    }));
    if (results.length > 0) this.#contents.push({ role: "user", parts: results });
    const media = waiting.flatMap(({ result }) => (result?.said ?? []).flatMap(inline));
    this.#say("user", [...media, ...this.#words.splice(0)]);
  }

  #say(role: Content["role"], parts: Part[]): void {
    if (parts.length === 0) return;
    const last = this.#contents.at(-1);
    if (last?.role === role && !last.parts.some((part) => part.functionResponse)) last.parts.push(...parts);
    else this.#contents.push({ role, parts });
  }
}

function plain(said: Said): Part[] {
  switch (said.kind) {
    case "text":
      return said.text === "" ? [] : [{ text: said.text }];
    case "media":
      return isText(said.mimeType) ? [{ text: decoded(said.data) }] : inline(said);
    case "result":
      // Of a call that was cut off the conversation.
      return said.said.flatMap(plain);
    case "call":
      return [];
  }
}

/** What no text can carry. */
function inline(said: Said): Part[] {
  if (said.kind !== "media" || isText(said.mimeType)) return [];
  return [{ inlineData: { mimeType: said.mimeType, data: Buffer.from(said.data).toString("base64") } }];
}

function responseOf({ said }: Result): object {
  const texts = said.flatMap(plain).flatMap(({ text }) => (text === undefined ? [] : [text]));
  return { output: texts.join("\n") };
}

function isText(mimeType: string): boolean {
  return mimeType.startsWith("text/") || mimeType === "application/json";
}

function decoded(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}

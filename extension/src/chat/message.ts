// A conversation as the editor's chat tells it, in plain data: who said what. Everything that translates works on these,
// so that it runs and is tested without an editor; `readMessages.ts` makes them of VS Code's own classes.

export type Said =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "media"; readonly mimeType: string; readonly data: Uint8Array }
  | { readonly kind: "call"; readonly callId: string; readonly name: string; readonly input: object }
  | { readonly kind: "result"; readonly callId: string; readonly said: readonly Said[] };

export type Message = { readonly role: "system" | "user" | "assistant"; readonly said: readonly Said[] };

export type Tool = { readonly name: string; readonly description: string; readonly schema: object | undefined };

/** What an answer consists of, in the order in which it comes. */
export type Piece = Extract<Said, { kind: "text" | "call" }>;

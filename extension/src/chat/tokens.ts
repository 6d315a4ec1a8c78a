// How many tokens a text or a message is thought to have. An estimate: VS Code asks for many small pieces at a time, and
// a request to Google for each would cost more than an exact answer is worth.

import type { Message, Said } from "./message";

/** Google's own rule of thumb. */
const CHARACTERS_A_TOKEN = 4;
/** What Gemini 3 spends on a picture unless told otherwise; earlier models spend less. Unverified. */
const TOKENS_A_MEDIUM = 1_120;

export function tokensOf(counted: string | Message): number {
  return typeof counted === "string" ? ofText(counted) : counted.said.reduce((sum, said) => sum + ofSaid(said), 0);
}

function ofText(text: string): number {
  return Math.ceil(text.length / CHARACTERS_A_TOKEN);
}

function ofSaid(said: Said): number {
  switch (said.kind) {
    case "text":
      return ofText(said.text);
    case "media":
      return TOKENS_A_MEDIUM;
    case "call":
      return ofText(said.name) + ofText(JSON.stringify(said.input));
    case "result":
      return said.said.reduce((sum, one) => sum + ofSaid(one), 0);
  }
}

// The way to the local endpoint and back: sends one request and reads the events of its answer as they come. It must not
// know what is in them.

import * as l10n from "@vscode/l10n";
import { createParser } from "eventsource-parser";
import type { Endpoint } from "../api/publicApi";
import { ChatFailure, refusal } from "./failure";

/** Sends the request; rejects with the endpoint's own words when it is refused. */
export async function send(endpoint: Endpoint, path: string, init: RequestInit): Promise<Response> {
  const response = await reach(endpoint, path, init);
  if (!response.ok) throw refusal(response.status, await response.text());
  return response;
}

async function reach({ geminiBaseUrl, token }: Endpoint, path: string, init: RequestInit): Promise<Response> {
  const headers = { "content-type": "application/json", "x-goog-api-key": token };
  try {
    return await fetch(`${geminiBaseUrl}${path}`, { ...init, headers });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ChatFailure("other", l10n.t("The Gemini endpoint at {0} cannot be reached.", geminiBaseUrl));
  }
}

/** The data of each event. Lines that are no events come last, together: an error may end a stream as bare JSON. */
export async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const ready: string[] = [];
  const stray: string[] = [];
  const parser = createParser({
    onEvent: ({ data }) => ready.push(data),
    onError: ({ type, line }) => void (type === "unknown-field" && stray.push(line ?? "")),
  });
  for await (const bytes of body) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    yield* ready.splice(0);
  }
  // Completes a last line and event that nothing ended.
  parser.feed("\n\n");
  yield* ready;
  if (stray.length > 0) yield stray.join("\n");
}

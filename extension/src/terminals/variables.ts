// Which variables new terminals get, for a choice of the user's and the state of the endpoint. Pure. The local token is
// among the values: they go into the editor's collection for terminals and nowhere else.

import type { EndpointView } from "../../../native/addon/types.gen";
import { BASES } from "../connect/tools";
import type { ReadSetting } from "../settings/settings";

export const TERMINAL_SETTING = "terminalEnvironment";

/** Clients of which API find the endpoint by themselves. */
export const CLIENTS = ["gemini", "openai"] as const;
export type Client = (typeof CLIENTS)[number];

export type Variables = ReadonlyMap<string, string>;

/** `true` is all of them; what is not known is nothing, so that a slip in the settings never hands the token out. */
export function chosenClients(read: ReadSetting): readonly Client[] {
  const value: unknown = read(TERMINAL_SETTING);
  if (value === true) return CLIENTS;
  return Array.isArray(value) ? CLIENTS.filter((client) => value.includes(client)) : [];
}

/** Invariant: none while nothing listens, so that no terminal sends prompts to whoever takes the port next. */
export function variablesFor(clients: readonly Client[], endpoint: EndpointView, token: string | undefined): Variables {
  if (token === undefined || !("url" in endpoint)) return new Map();
  const { url } = endpoint;
  const gemini: [string, string][] = [
    ["GOOGLE_GEMINI_BASE_URL", url + BASES.root],
    ["GEMINI_API_KEY", token],
  ];
  const openai: [string, string][] = [
    ["OPENAI_BASE_URL", url + BASES.v1],
    ["OPENAI_API_KEY", token],
  ];
  return new Map([...(clients.includes("gemini") ? gemini : []), ...(clients.includes("openai") ? openai : [])]);
}

// Tells apart what the session warns of, which comes as sentences: a setting, lost keys, or stored data. It must not know
// what is shown.

import { SECTION } from "../settings/settings";
import { lostKeys, type Memory } from "../vault/canary";
import type { NoticeKind } from "./topics";

/** `memory`: where the number of keys that there were is kept. */
export function kindOfWarning(
  message: string,
  memory: Memory,
): Extract<NoticeKind, "settings" | "stored_data" | "keys_lost"> {
  if (message === lostKeys(memory, 0)) return "keys_lost";
  return message.includes(`${SECTION}.`) ? "settings" : "stored_data";
}

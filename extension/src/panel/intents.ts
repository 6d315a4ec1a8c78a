// Reads what the webview sent. A webview is untrusted: whatever is not exactly one of the protocol's intents is
// refused here, before anything is done with it.

import type { RequestFilter } from "../../../native/addon/types.gen";
import {
  type Intent,
  KEYS_ACTIONS,
  type KeysActionName,
  PAGES,
  PANEL_COMMANDS,
  type Page,
  type PanelCommand,
  ROW_COMMANDS,
  type RowCommand,
} from "../../../webview/src/protocol";
import { type Fields, fieldsOf, InvalidInput } from "../input/fields";

const FIELDS = [
  ...["kind", "command", "id", "ids", "action", "proxyId", "undo"],
  ...["asked", "offset", "filter", "text", "page", "section"],
];
/** More than anyone selects; each is looked up. */
const MOST_IDS = 100_000;
/** Larger than all that a request's row can tell. */
const MOST_COPIED = 64 * 1024;

export function parseIntent(message: unknown): Intent {
  const fields = fieldsOf(message, FIELDS);
  const kind = fields.text("kind");
  switch (kind) {
    case "ready":
    case "plan":
    case "rebalance":
      return { kind };
    case "run":
      return { kind, command: oneOf<PanelCommand>(PANEL_COMMANDS, fields.text("command")) };
    case "run_on":
      return { kind, command: oneOf<RowCommand>(ROW_COMMANDS, fields.text("command")), id: fields.text("id") };
    case "keys":
      return { kind, action: oneOf<KeysActionName>(KEYS_ACTIONS, fields.text("action")), ids: idsIn(fields) };
    case "assign":
      return { kind, ids: idsIn(fields), proxyId: proxyId(fields.raw("proxyId")) };
    case "remove_proxies":
      return { kind, ids: idsIn(fields) };
    case "undo":
      return { kind, undo: fields.text("undo") };
    case "requests": {
      const [asked, offset] = [whole(fields, "asked"), whole(fields, "offset")];
      return { kind, asked, offset, filter: filterOf(fields.raw("filter")) };
    }
    case "copy_request":
      return { kind, text: shortText(fields.text("text")) };
    case "learn":
      return { kind, page: oneOf<Page>(PAGES, fields.text("page")), section: fields.text("section") };
    default:
      throw new InvalidInput(`The panel sent the unknown intent "${kind}".`, "kind");
  }
}

function oneOf<T extends string>(allowed: readonly T[], value: string): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new InvalidInput(`The panel may not ask for "${value}".`, "command");
  return found;
}

function proxyId(value: unknown): string | null {
  if (value === null || typeof value === "string") return value;
  throw new InvalidInput("The panel sent no proxy to assign.", "proxyId");
}

function idsIn(fields: Fields): readonly string[] {
  const ids = fields.raw("ids");
  const wrong = new InvalidInput("The panel sent no list of ids.", "ids");
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > MOST_IDS) throw wrong;
  return ids.map((id: unknown) => {
    if (typeof id !== "string") throw wrong;
    return id;
  });
}

function whole(fields: Fields, name: string): number {
  const value = fields.raw(name);
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidInput(`The panel sent no whole number as "${name}".`, name);
}

const OUTCOMES = ["all", "failed", "retried", "direct"] as const;

function filterOf(value: unknown): RequestFilter {
  const fields = fieldsOf(value, ["text", "outcome", "key_id", "proxy_id"]);
  const [text, outcome] = [fields.optionalText("text"), fields.optionalText("outcome")];
  const [key, proxy] = [fields.optionalText("key_id"), fields.optionalText("proxy_id")];
  return {
    ...(text === undefined ? {} : { text }),
    ...(outcome === undefined ? {} : { outcome: oneOf(OUTCOMES, outcome) }),
    ...(key === undefined ? {} : { key_id: key }),
    ...(proxy === undefined ? {} : { proxy_id: proxy }),
  };
}

function shortText(text: string): string {
  if (text.length > MOST_COPIED) throw new InvalidInput("The panel sent too much to copy.", "text");
  return text;
}

// Reads what the webview sent. A webview is untrusted: whatever is not exactly one of the protocol's intents is
// refused here, before anything is done with it. What an intent leads to, it must not know.

import * as l10n from "@vscode/l10n";
import type { RequestFilter } from "../../../native/addon/types.gen";
import { type Intent, KEYS_ACTIONS, PAGES, PANEL_COMMANDS, ROW_COMMANDS } from "../../../webview/src/protocol";
import { type Fields, fieldsOf, given, InvalidInput } from "../input/fields";

/** As many as the pool may hold, and no more. */
const MOST_IDS = 10_000;
/** Longer than any request's details are. */
const MOST_TEXT = 20_000;

/** The fields of each intent besides `kind`. Invariant: a field that is not its intent's own is refused. */
const FIELDS = {
  ready: [],
  run: ["command"],
  run_on: ["command", "id"],
  keys: ["action", "ids"],
  assign: ["ids", "proxyId"],
  remove_proxies: ["ids"],
  undo: ["undo"],
  plan: [],
  rebalance: [],
  requests: ["asked", "offset", "filter"],
  copy_request: ["text"],
  learn: ["page", "section"],
} as const satisfies Record<Intent["kind"], readonly string[]>;

export function parseIntent(message: unknown): Intent {
  const kind = kindOf(message);
  return readers[kind](fieldsOf(message, ["kind", ...FIELDS[kind]]));
}

const readers: { readonly [Kind in Intent["kind"]]: (fields: Fields) => Intent } = {
  ready: () => ({ kind: "ready" }),
  run: (fields) => ({ kind: "run", command: oneOf(PANEL_COMMANDS, fields.text("command"), "command") }),
  run_on: (fields) => ({
    kind: "run_on",
    command: oneOf(ROW_COMMANDS, fields.text("command"), "command"),
    id: fields.text("id"),
  }),
  keys: (fields) => ({ kind: "keys", action: oneOf(KEYS_ACTIONS, fields.text("action"), "action"), ids: ids(fields) }),
  assign: (fields) => ({ kind: "assign", ids: ids(fields), proxyId: proxyId(fields.raw("proxyId")) }),
  remove_proxies: (fields) => ({ kind: "remove_proxies", ids: ids(fields) }),
  undo: (fields) => ({ kind: "undo", undo: fields.text("undo") }),
  plan: () => ({ kind: "plan" }),
  rebalance: () => ({ kind: "rebalance" }),
  requests: (fields) => ({
    kind: "requests",
    asked: count(fields, "asked"),
    offset: count(fields, "offset"),
    filter: filter(fields.raw("filter")),
  }),
  copy_request: (fields) => ({ kind: "copy_request", text: bounded(fields, "text") }),
  learn: (fields) => ({ kind: "learn", page: oneOf(PAGES, fields.text("page"), "page"), section: slug(fields) }),
};

function kindOf(message: unknown): Intent["kind"] {
  // The other fields are read once it is known which there may be.
  const kind = fieldsOf(isObject(message) ? { kind: message.kind } : message, ["kind"]).text("kind");
  if (isKind(kind)) return kind;
  throw new InvalidInput(l10n.t('The panel sent the unknown intent "{0}".', kind), "kind");
}

function isObject(message: unknown): message is { readonly kind?: unknown } {
  return typeof message === "object" && message !== null && !Array.isArray(message);
}

function isKind(kind: string): kind is Intent["kind"] {
  return Object.hasOwn(FIELDS, kind);
}

function oneOf<T extends string>(allowed: readonly T[], value: string, field: string): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new InvalidInput(l10n.t('The panel may not ask for "{0}".', value), field);
  return found;
}

/** At least one, each once. */
function ids(fields: Fields): readonly string[] {
  const value = fields.raw("ids");
  const texts = Array.isArray(value) ? value.filter((id): id is string => typeof id === "string") : [];
  if (Array.isArray(value) && texts.length === value.length && texts.length > 0 && texts.length <= MOST_IDS) {
    return [...new Set(texts)];
  }
  throw new InvalidInput(l10n.t('"{0}" must be a list of ids.', "ids"), "ids");
}

function proxyId(value: unknown): string | null {
  if (value === null || typeof value === "string") return value;
  throw new InvalidInput(l10n.t("The panel sent no proxy to assign."), "proxyId");
}

function count(fields: Fields, name: string): number {
  const value = fields.optionalNumber(name);
  if (value !== undefined && Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidInput(l10n.t('"{0}" must be a whole number.', name), name);
}

function bounded(fields: Fields, name: string): string {
  const value = fields.text(name);
  if (value.length <= MOST_TEXT) return value;
  throw new InvalidInput(l10n.t('"{0}" is too long.', name), name);
}

/** The fragment of a heading; nothing that could lead out of the page. */
function slug(fields: Fields): string {
  const value = fields.text("section");
  if (/^[\p{L}\p{N}_-]{0,200}$/u.test(value)) return value;
  throw new InvalidInput(l10n.t('The panel may not ask for "{0}".', value), "section");
}

const OUTCOMES = ["all", "failed", "retried", "direct"] as const;
const DIALECTS = ["gemini", "openai"] as const;

function filter(value: unknown): RequestFilter {
  const fields = fieldsOf(value, ["text", "outcome", "key_id", "proxy_id", "model", "dialect"]);
  const [outcome, dialect] = [fields.optionalText("outcome"), fields.optionalText("dialect")];
  return given({
    text: fields.optionalText("text"),
    outcome: outcome === undefined ? undefined : oneOf(OUTCOMES, outcome, "outcome"),
    key_id: fields.optionalText("key_id"),
    proxy_id: fields.optionalText("proxy_id"),
    model: fields.optionalText("model"),
    dialect: dialect === undefined ? undefined : oneOf(DIALECTS, dialect, "dialect"),
  });
}

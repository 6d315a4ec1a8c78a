// Reads what the webview sent. A webview is untrusted: whatever is not exactly one of the protocol's intents is
// refused here, before anything is done with it.

import {
  type Intent,
  PANEL_COMMANDS,
  type PanelCommand,
  ROW_COMMANDS,
  type RowCommand,
} from "../../../webview/src/protocol";
import { fieldsOf, InvalidInput } from "../input/fields";

export function parseIntent(message: unknown): Intent {
  const fields = fieldsOf(message, ["kind", "command", "id", "keyId", "proxyId"]);
  const kind = fields.text("kind");
  switch (kind) {
    case "ready":
      return { kind };
    case "run":
      return { kind, command: oneOf<PanelCommand>(PANEL_COMMANDS, fields.text("command")) };
    case "run_on":
      return { kind, command: oneOf<RowCommand>(ROW_COMMANDS, fields.text("command")), id: fields.text("id") };
    case "assign":
      return { kind, keyId: fields.text("keyId"), proxyId: proxyId(fields.raw("proxyId")) };
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

// The forms of argument that the commands for keys and for proxies have in common.

import { fieldsOf } from "../input/fields";

/** `{id}` */
export function parseId(argument: unknown): string {
  return fieldsOf(argument, ["id"]).text("id");
}

/** `{id}` removes at once; `{id, confirm: true}` asks first, as the panel does. */
export function parseRemoval(argument: unknown): { id: string; confirm: boolean } {
  const fields = fieldsOf(argument, ["id", "confirm"]);
  return { id: fields.text("id"), confirm: fields.optionalFlag("confirm") ?? false };
}

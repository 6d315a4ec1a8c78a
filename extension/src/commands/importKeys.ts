// Importing many API keys at once, pasted or from a file. How a list of keys is written, which keys are there already
// and what becomes of each row, the core knows; the text goes to it whole and is kept nowhere else.

import type { Reply } from "../../../native/addon/types.gen";
import { fieldsOf, InvalidInput } from "../input/fields";
import type { Place } from "../ui/files";
import { type App, type Command, withInput } from "./command";

/** A larger file is no list of keys and is not read. */
const MOST_BYTES = 1 << 20;

type Source = { readonly kind: "text"; readonly text: string } | { readonly kind: "file"; readonly path: string };

/** `{text}` or `{path}` */
const importApiKeys = withInput<Source>("importApiKeys", {
  announce: "notify",
  parse(argument) {
    const fields = fieldsOf(argument, ["text", "path"]);
    const [text, path] = [fields.optionalText("text"), fields.optionalText("path")];
    if (text !== undefined && path !== undefined) throw new InvalidInput('Give "text" or "path", not both.', "path");
    return path === undefined ? { kind: "text", text: fields.text("text") } : { kind: "file", path };
  },
  run: (app, source) => (source.kind === "text" ? add(app, source.text) : addFile(app, app.files.at(source.path))),
  async ask(app) {
    const source = await app.ui.pick<"clipboard" | "file">("Import API Keys", [
      {
        label: "From the Clipboard",
        detail: "Copy the list first: one key to a line, CSV or .env.",
        value: "clipboard",
      },
      { label: "From a File…", detail: "A list, CSV, .env, or the headless program's YAML or JSON.", value: "file" },
    ]);
    switch (source) {
      case "clipboard":
        return add(app, await app.ui.pasted());
      case "file": {
        const place = await app.files.askOpen("Import API Keys", "any");
        return place === undefined ? undefined : addFile(app, place);
      }
      case undefined:
        return undefined;
    }
  },
});

function add(app: App, text: string): Promise<Reply> {
  return app.session.command({ kind: "add_keys", text });
}

async function addFile(app: App, place: Place): Promise<Reply> {
  let text: string;
  try {
    text = await app.files.read(place, MOST_BYTES);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `The keys could not be read from ${app.files.shown(place)}: ${why}`;
    return { kind: "refused", code: "failed", message };
  }
  const reply = await add(app, text);
  if (reply.kind !== "keys_listed" || !reply.entries.some(({ result }) => result === "added")) return reply;
  const message = `${reply.message} The file still holds the keys as plain text; delete it when it has served.`;
  return { ...reply, message };
}

export const importCommands: readonly Command[] = [importApiKeys];

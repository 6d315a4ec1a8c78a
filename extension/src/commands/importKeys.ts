// Importing many API keys at once, pasted or from a file. How a list of keys is written, which keys are there already
// and what becomes of each row, the core knows; the text goes to it whole and is kept nowhere else. What Google says of
// the keys, `checkKeys.ts` asks.

import * as l10n from "@vscode/l10n";
import type { Reply } from "../../../native/addon/types.gen";
import { fieldsOf, InvalidInput } from "../input/fields";
import type { Place } from "../ui/files";
import { checkKeys } from "./checkKeys";
import { type App, type Command, withInput } from "./command";

/** A larger file is no list of keys and is not read. */
const MOST_BYTES = 1 << 20;

type Source = { readonly kind: "text"; readonly text: string } | { readonly kind: "file"; readonly path: string };
type Input = { readonly source: Source; readonly validate: boolean };

/** `{text}` or `{path}`; with `validate: true` Google is asked about each key. */
const importApiKeys = withInput<Input>("importApiKeys", {
  announce: "notify",
  parse(argument) {
    const fields = fieldsOf(argument, ["text", "path", "validate"]);
    const [text, path] = [fields.optionalText("text"), fields.optionalText("path")];
    if (text !== undefined && path !== undefined)
      throw new InvalidInput(l10n.t('Give "text" or "path", not both.'), "path");
    const validate = fields.optionalFlag("validate") ?? false;
    return {
      source: path === undefined ? { kind: "text", text: fields.text("text") } : { kind: "file", path },
      validate,
    };
  },
  run: (app, { source, validate }) =>
    source.kind === "text" ? add(app, source.text, validate) : addFile(app, app.files.at(source.path), validate),
  async ask(app) {
    const title = l10n.t("Import API Keys");
    const source = await app.ui.pick<"clipboard" | "file">(title, [
      {
        label: l10n.t("From the Clipboard"),
        detail: l10n.t("Copy the list first: one key to a line, CSV or .env."),
        value: "clipboard",
      },
      {
        label: l10n.t("From a File…"),
        detail: l10n.t("A list, CSV, .env, or the headless program's YAML or JSON."),
        value: "file",
      },
    ]);
    switch (source) {
      case "clipboard": {
        const text = await app.ui.pasted();
        const validate = await askCheck(app);
        return validate === undefined ? undefined : add(app, text, validate);
      }
      case "file": {
        const place = await app.files.askOpen(title, "any");
        if (place === undefined) return undefined;
        const validate = await askCheck(app);
        return validate === undefined ? undefined : addFile(app, place, validate);
      }
      case undefined:
        return undefined;
    }
  },
});

/** Undefined when the user let go: then nothing is added. */
function askCheck({ ui }: App): Promise<boolean | undefined> {
  return ui.pick(l10n.t("Check each key?"), [
    {
      label: l10n.t("Add and Check Each Key"),
      detail: l10n.t("Google is asked about every new key, through its own proxy. It costs no quota."),
      value: true,
    },
    {
      label: l10n.t("Add without Checking"),
      detail: l10n.t("A bad key is found when it is first used."),
      value: false,
    },
  ]);
}

async function add(app: App, text: string, validate: boolean): Promise<Reply> {
  const reply = await app.session.command({ kind: "add_keys", text });
  return validate && reply.kind === "keys_listed" ? checkKeys(app, reply) : reply;
}

async function addFile(app: App, place: Place, validate: boolean): Promise<Reply> {
  let text: string;
  try {
    text = await app.files.read(place, MOST_BYTES);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = l10n.t("The keys could not be read from {0}: {1}", app.files.shown(place), why);
    return { kind: "refused", code: "failed", message };
  }
  const reply = await add(app, text, validate);
  if (reply.kind !== "keys_listed" || !reply.entries.some(({ id }) => id !== undefined)) return reply;
  const message = l10n.t(
    "{0} The file still holds the keys as plain text; delete it when it has served.",
    reply.message,
  );
  return { ...reply, message };
}

export const importCommands: readonly Command[] = [importApiKeys];

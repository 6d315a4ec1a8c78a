// The commands for backups: export to a file, import from one after the user has seen what would change. What a backup

// holds and whether it is whole, the core knows. Passphrases go to the core alone and are never trimmed or kept.

import * as l10n from "@vscode/l10n";
import type { BackupDiff, Differences, Reply } from "../../../native/addon/types.gen";
import { fieldsOf, given } from "../input/fields";
import type { Place } from "../ui/files";
import type { TextQuestion } from "../ui/ui";
import { type App, type Command, withInput } from "./command";

/** As the core has it: a larger file is no backup and is not read. */
const MOST_BYTES = 8 << 20;
/** How many names a line of the difference shows. */
const MOST_NAMES = 8;

/** Undefined makes a backup without secrets. */
type Passphrase = string | undefined;

const exportBackup = withInput("exportBackup", {
  announce: "notify",
  parse(argument) {
    const fields = fieldsOf(argument, ["path", "passphrase"]);
    return { path: fields.text("path"), passphrase: fields.optionalText("passphrase") };
  },
  async run(app, { path, passphrase }) {
    const reply = await made(app, passphrase);
    return reply.kind === "backup" ? save(app, reply, app.files.at(path)) : reply;
  },
  async ask(app) {
    const chosen = await app.ui.pick<{ encrypted: boolean }>(l10n.t("Export Backup"), [
      {
        label: l10n.t("Everything, encrypted"),
        detail: l10n.t("Keys and proxy passwords too. You need its passphrase to open it."),
        value: { encrypted: true },
      },
      {
        label: l10n.t("Without secrets"),
        detail: l10n.t("Names, projects, weights and assignments. It restores only keys that are there."),
        value: { encrypted: false },
      },
    ]);
    if (chosen === undefined) return undefined;
    const reply = await (chosen.encrypted ? madeWithNewPassphrase(app) : made(app, undefined));
    if (reply?.kind !== "backup") return reply;
    const place = await app.files.askSave(l10n.t("Export Backup"), "gemini-aggregator-backup.json");
    return place === undefined ? undefined : save(app, reply, place);
  },
});

function made(app: App, passphrase: Passphrase): Promise<Reply> {
  return app.session.command({ kind: "export_backup", ...given({ passphrase }) });
}

async function madeWithNewPassphrase(app: App): Promise<Reply | undefined> {
  let problem: string | undefined;
  for (;;) {
    const passphrase = await newPassphrase(app, problem);
    if (passphrase === undefined) return undefined;
    const reply = await made(app, passphrase);
    if (reply.kind !== "refused" || reply.field !== "passphrase") return reply;
    problem = reply.message;
  }
}

async function save(app: App, backup: Reply & { kind: "backup" }, place: Place): Promise<Reply> {
  try {
    await app.files.write(place, backup.text);
  } catch (error) {
    return failed(l10n.t("The backup could not be written to {0}: {1}", app.files.shown(place), reason(error)));
  }
  return { kind: "done", message: l10n.t("{0} It is in {1}.", backup.message, app.files.shown(place)) };
}

/** Typed twice: nobody can open a backup whose passphrase has a slip in it. */
async function newPassphrase(app: App, refused: string | undefined): Promise<Passphrase> {
  const title = l10n.t("Export Backup");
  let problem = refused;
  for (;;) {
    const first = await app.ui.askText(
      passphraseQuestion(title, l10n.t("A passphrase for this backup.")),
      "1/2",
      problem,
    );
    if (first === undefined) return undefined;
    const second = await app.ui.askText(passphraseQuestion(title, l10n.t("The same passphrase again.")), "2/2");
    if (second === undefined) return undefined;
    if (first === second && first !== "") return first;
    problem = first === "" ? l10n.t("A passphrase is needed.") : l10n.t("The two were not the same; type both again.");
  }
}

const importBackup = withInput("importBackup", {
  announce: "notify",
  parse(argument) {
    const fields = fieldsOf(argument, ["path", "passphrase", "confirm"]);
    return {
      path: fields.text("path"),
      passphrase: fields.optionalText("passphrase"),
      confirm: fields.optionalFlag("confirm") ?? false,
    };
  },
  async run(app, { path, passphrase, confirm }) {
    const text = await read(app, app.files.at(path));
    if (typeof text !== "string") return text;
    if (confirm) return review(app, text, passphrase);
    return app.session.command({ kind: "import_backup", text, ...given({ passphrase }) });
  },
  async ask(app) {
    const place = await app.files.askOpen(l10n.t("Import Backup"), "backup");
    if (place === undefined) return undefined;
    const text = await read(app, place);
    return typeof text === "string" ? review(app, text, undefined) : text;
  },
});

async function read(app: App, place: Place): Promise<string | Reply> {
  try {
    return await app.files.read(place, MOST_BYTES);
  } catch (error) {
    return failed(l10n.t("The backup could not be read from {0}: {1}", app.files.shown(place), reason(error)));
  }
}

/** Shows what would change and restores only on a yes. */
async function review(app: App, text: string, offered: Passphrase): Promise<Reply | undefined> {
  let passphrase = offered;
  let preview = await app.session.command({ kind: "preview_backup", text, ...given({ passphrase }) });
  while (preview.kind === "refused" && preview.field === "passphrase") {
    const problem = passphrase === undefined ? undefined : preview.message;
    const question = passphraseQuestion(
      l10n.t("Import Backup"),
      l10n.t("The passphrase that this backup was made with."),
    );
    passphrase = await app.ui.askText(question, "", problem);
    if (passphrase === undefined) return undefined;
    preview = await app.session.command({ kind: "preview_backup", text, passphrase });
  }
  if (preview.kind !== "backup_diff") return preview;
  const detail = described(preview.diff);
  if (detail === "") return { kind: "done", message: preview.message };
  const question = l10n.t("Restore this backup?");
  if (!(await app.ui.confirm(question, `${preview.message}\n\n${detail}`, l10n.t("Restore")))) return undefined;
  return app.session.command({ kind: "import_backup", text, ...given({ passphrase }) });
}

/** Empty when nothing changes and nothing is to be said. */
export function described(diff: BackupDiff): string {
  const lines = [
    ...linesOf(IN_WORDS.keys, diff.keys),
    ...linesOf(IN_WORDS.proxies, diff.proxies),
    ...linesOf(IN_WORDS.assignments, diff.assignments),
    ...(diff.rotating === null ? [] : [l10n.t("Rotating proxy: {0}", diff.rotating)]),
    ...diff.notes,
  ];
  return lines.join("\n");
}

type Line = (names: string) => string;
type Lines = { readonly added: Line; readonly changed: Line; readonly removed: Line };

const IN_WORDS: { readonly keys: Lines; readonly proxies: Lines; readonly assignments: Lines } = {
  keys: {
    added: (names) => l10n.t("Keys added: {0}", names),
    changed: (names) => l10n.t("Keys changed: {0}", names),
    removed: (names) => l10n.t("Keys removed: {0}", names),
  },
  proxies: {
    added: (names) => l10n.t("Proxies added: {0}", names),
    changed: (names) => l10n.t("Proxies changed: {0}", names),
    removed: (names) => l10n.t("Proxies removed: {0}", names),
  },
  assignments: {
    added: (names) => l10n.t("Assignments added: {0}", names),
    changed: (names) => l10n.t("Assignments changed: {0}", names),
    removed: (names) => l10n.t("Assignments removed: {0}", names),
  },
};

function linesOf(words: Lines, { added, changed, removed }: Differences): string[] {
  const line = (say: Line, names: readonly string[]) => (names.length === 0 ? [] : [say(shortened(names))]);
  return [...line(words.added, added), ...line(words.changed, changed), ...line(words.removed, removed)];
}

function shortened(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(", ");
  return names.length > MOST_NAMES ? l10n.t("{0} and {1} more", shown, names.length - MOST_NAMES) : shown;
}

function passphraseQuestion(title: string, prompt: string): TextQuestion {
  return { field: "passphrase", title, prompt, secret: true };
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function failed(message: string): Reply {
  return { kind: "refused", code: "failed", message };
}

export const backupCommands: readonly Command[] = [exportBackup, importBackup];

// The commands for backups: export to a file, import from one after the user has seen what would change. What a backup
// holds and whether it is whole, the core knows. Passphrases go to the core alone and are never trimmed or kept.

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
    const chosen = await app.ui.pick<{ encrypted: boolean }>("Export Backup", [
      {
        label: "Everything, encrypted",
        detail: "Keys and proxy passwords too. You need its passphrase to open it.",
        value: { encrypted: true },
      },
      {
        label: "Without secrets",
        detail: "Names, projects, weights and assignments. It restores only keys that are there.",
        value: { encrypted: false },
      },
    ]);
    if (chosen === undefined) return undefined;
    const reply = await (chosen.encrypted ? madeWithNewPassphrase(app) : made(app, undefined));
    if (reply?.kind !== "backup") return reply;
    const place = await app.files.askSave("Export Backup", "gemini-aggregator-backup.json");
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
    return failed(`The backup could not be written to ${app.files.shown(place)}`, error);
  }
  return { kind: "done", message: `${backup.message} It is in ${app.files.shown(place)}.` };
}

/** Typed twice: nobody can open a backup whose passphrase has a slip in it. */
async function newPassphrase(app: App, refused: string | undefined): Promise<Passphrase> {
  const title = "Export Backup";
  let problem = refused;
  for (;;) {
    const first = await app.ui.askText(passphraseQuestion(title, "A passphrase for this backup."), "1/2", problem);
    if (first === undefined) return undefined;
    const second = await app.ui.askText(passphraseQuestion(title, "The same passphrase again."), "2/2");
    if (second === undefined) return undefined;
    if (first === second && first !== "") return first;
    problem = first === "" ? "A passphrase is needed." : "The two were not the same; type both again.";
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
    const place = await app.files.askOpen("Import Backup", "backup");
    if (place === undefined) return undefined;
    const text = await read(app, place);
    return typeof text === "string" ? review(app, text, undefined) : text;
  },
});

async function read(app: App, place: Place): Promise<string | Reply> {
  try {
    return await app.files.read(place, MOST_BYTES);
  } catch (error) {
    return failed(`The backup could not be read from ${app.files.shown(place)}`, error);
  }
}

/** Shows what would change and restores only on a yes. */
async function review(app: App, text: string, offered: Passphrase): Promise<Reply | undefined> {
  let passphrase = offered;
  let preview = await app.session.command({ kind: "preview_backup", text, ...given({ passphrase }) });
  while (preview.kind === "refused" && preview.field === "passphrase") {
    const problem = passphrase === undefined ? undefined : preview.message;
    const question = passphraseQuestion("Import Backup", "The passphrase that this backup was made with.");
    passphrase = await app.ui.askText(question, "", problem);
    if (passphrase === undefined) return undefined;
    preview = await app.session.command({ kind: "preview_backup", text, passphrase });
  }
  if (preview.kind !== "backup_diff") return preview;
  const detail = described(preview.diff);
  if (detail === "") return { kind: "done", message: preview.message };
  if (!(await app.ui.confirm("Restore this backup?", `${preview.message}\n\n${detail}`, "Restore"))) return undefined;
  return app.session.command({ kind: "import_backup", text, ...given({ passphrase }) });
}

/** Empty when nothing changes and nothing is to be said. */
export function described(diff: BackupDiff): string {
  const lines = [
    ...linesOf("Keys", diff.keys),
    ...linesOf("Proxies", diff.proxies),
    ...linesOf("Assignments", diff.assignments),
    ...(diff.rotating === null ? [] : [`Rotating proxy: ${diff.rotating}`]),
    ...diff.notes,
  ];
  return lines.join("\n");
}

function linesOf(title: string, differences: Differences): string[] {
  const line = (verb: string, names: readonly string[]) => {
    if (names.length === 0) return [];
    const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
    return [`${title} ${verb}: ${names.slice(0, MOST_NAMES).join(", ")}${more}`];
  };
  const { added, changed, removed } = differences;
  return [...line("added", added), ...line("changed", changed), ...line("removed", removed)];
}

function passphraseQuestion(title: string, prompt: string): TextQuestion {
  return { field: "passphrase", title, prompt, secret: true };
}

function failed(what: string, error: unknown): Reply {
  const why = error instanceof Error ? error.message : String(error);
  return { kind: "refused", code: "failed", message: `${what}: ${why}` };
}

export const backupCommands: readonly Command[] = [exportBackup, importBackup];

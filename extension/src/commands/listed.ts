// Shows what became of a pasted list, of keys or of proxies: one sentence for all of it, every row in a document for
// whoever wants to see them, and the way to remove keys that are in and that Google refuses. The sentences are the core's
// and hold no secret; this file must not know what the rows were.

import * as l10n from "@vscode/l10n";
import type { ListedResult, Reply } from "../../../native/addon/types.gen";
import { type App, offerUndo } from "./command";

export type ListReply = Extract<Reply, { kind: "proxies_listed" | "keys_listed" }>;

const ROW: Readonly<Record<ListedResult, (line: number, message: string) => string>> = {
  added: (line, message) => l10n.t("Line {0}, added: {1}", line, message),
  duplicate: (line, message) => l10n.t("Line {0}, there already: {1}", line, message),
  refused: (line, message) => l10n.t("Line {0}, refused: {1}", line, message),
  skipped: (line, message) => l10n.t("Line {0}, left out: {1}", line, message),
};

export function isList(reply: Reply): reply is ListReply {
  return reply.kind === "proxies_listed" || reply.kind === "keys_listed";
}

/** Ends when the user closes the notification. */
export async function showList(app: Pick<App, "ui" | "session">, reply: ListReply): Promise<void> {
  const { ui } = app;
  const [showRows, remove] = [l10n.t("Show Each Row"), l10n.t("Remove Refused Keys")];
  const refused = refusedKeys(reply);
  const unwanted = reply.entries.some(({ result }) => result === "refused" || result === "duplicate");
  const answer = await ui.tell(
    unwanted ? "warning" : "info",
    reply.message,
    ...(refused.length > 0 ? [remove] : []),
    showRows,
  );
  if (answer === showRows) await ui.showDocument("markdown", rowsOf(reply));
  if (answer === remove) await removeAll(app, refused);
}

/** Keys of the list that are in and that Google refuses: a refused row with an id. */
function refusedKeys(reply: ListReply): readonly string[] {
  if (reply.kind !== "keys_listed") return [];
  return reply.entries.flatMap(({ result, id }) => (result === "refused" && id !== undefined ? [id] : []));
}

async function removeAll(app: Pick<App, "ui" | "session">, ids: readonly string[]): Promise<void> {
  const reply = await app.session.command({ kind: "edit_keys", ids: [...ids], action: { kind: "remove" } });
  if (reply.kind === "refused") await app.ui.tell("error", reply.message);
  else if (reply.kind === "done" && reply.undo !== undefined) await offerUndo(app, reply.message, reply.undo);
}

export function rowsOf(reply: ListReply): string {
  const rows = reply.entries.map(({ line, result, message }) => `- ${ROW[result](line, message)}`);
  return `# ${l10n.t("What became of the list")}\n\n${reply.message}\n\n${rows.join("\n")}\n`;
}

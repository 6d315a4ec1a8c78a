// Shows what became of a pasted list, of keys or of proxies: one sentence for all of it, and every row in a document for
// whoever wants to see them. The sentences are the core's and hold no secret; this file must not know what the rows were.

import * as l10n from "@vscode/l10n";
import type { ListedResult, Reply } from "../../../native/addon/types.gen";
import type { Ui } from "../ui/ui";

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
export async function showList(ui: Pick<Ui, "tell" | "showDocument">, reply: ListReply): Promise<void> {
  const unwanted = reply.entries.some(({ result }) => result === "refused" || result === "duplicate");
  const showRows = l10n.t("Show Each Row");
  const answer = await ui.tell(unwanted ? "warning" : "info", reply.message, showRows);
  if (answer === showRows) await ui.showDocument("markdown", rowsOf(reply));
}

export function rowsOf(reply: ListReply): string {
  const rows = reply.entries.map(({ line, result, message }) => `- ${ROW[result](line, message)}`);
  return `# ${l10n.t("What became of the list")}\n\n${reply.message}\n\n${rows.join("\n")}\n`;
}

// Shows what became of a pasted list, of keys or of proxies: one sentence for all of it, and every row in a document for
// whoever wants to see them. The sentences are the core's and hold no secret; this file must not know what the rows were.

import type { ListedResult, Reply } from "../../../native/addon/types.gen";
import type { Ui } from "../ui/ui";

export type ListReply = Extract<Reply, { kind: "proxies_listed" | "keys_listed" }>;

const SHOW_ROWS = "Show Each Row";

const WORDS: Readonly<Record<ListedResult, string>> = {
  added: "added",
  duplicate: "there already",
  refused: "refused",
  skipped: "left out",
};

export function isList(reply: Reply): reply is ListReply {
  return reply.kind === "proxies_listed" || reply.kind === "keys_listed";
}

/** Ends when the user closes the notification. */
export async function showList(ui: Pick<Ui, "tell" | "showDocument">, reply: ListReply): Promise<void> {
  const unwanted = reply.entries.some(({ result }) => result === "refused" || result === "duplicate");
  const answer = await ui.tell(unwanted ? "warning" : "info", reply.message, SHOW_ROWS);
  if (answer === SHOW_ROWS) await ui.showDocument("markdown", rowsOf(reply));
}

export function rowsOf(reply: ListReply): string {
  const rows = reply.entries.map(({ line, result, message }) => `- Line ${line}, ${WORDS[result]}: ${message}`);
  return `# What became of the list\n\n${reply.message}\n\n${rows.join("\n")}\n`;
}

// What each of the panel's intents leads to: a command of the palette where the user is asked something, the core's own
// command otherwise, and the answer back to the panel. It must not know how messages travel.

import * as l10n from "@vscode/l10n";
import type { Command, KeysAction, Reply } from "../../../native/addon/types.gen";
import { AUTOMATIC, type Intent, LOG_PAGE, type ToPanel } from "../../../webview/src/protocol";
import type { App } from "../commands/command";

type Used = Pick<App, "run" | "session" | "ui" | "openDocs">;
type Answer = (message: ToPanel) => void;

export async function obey(app: Used, intent: Intent, answer: Answer): Promise<void> {
  const change = async (command: Command) => tell(await app.session.command(command), answer);
  switch (intent.kind) {
    case "ready":
      return;
    case "run":
      return void (await app.run(intent.command));
    case "run_on":
      return void (await app.run(intent.command, { id: intent.id }));
    case "keys":
      return change({ kind: "edit_keys", ids: [...intent.ids], action: { kind: intent.action } });
    case "assign":
      return change({ kind: "edit_keys", ids: [...intent.ids], action: assignment(intent.proxyId) });
    case "remove_proxies":
      return change({ kind: "remove_proxies", ids: [...intent.ids] });
    case "undo":
      return change({ kind: "undo_removal", undo: intent.undo });
    case "rebalance":
      return change({ kind: "rebalance_proxies" });
    case "plan":
      return plan(await app.session.command({ kind: "plan_rebalance" }), answer);
    case "requests":
      return requests(app, intent, answer);
    case "copy_request":
      await app.ui.copy(intent.text);
      return app.ui.mention(l10n.t("Copied the request's details."));
    case "learn":
      return app.openDocs(intent.page, intent.section);
  }
}

function assignment(proxyId: string | null): KeysAction {
  return { kind: "assign", proxy_id: proxyId === AUTOMATIC ? AUTOMATIC : proxyId };
}

function tell(reply: Reply, answer: Answer): void {
  if (reply.kind === "refused") answer({ kind: "told", tone: "bad", message: reply.message });
  if (reply.kind !== "done") return;
  const undo = reply.undo === undefined ? {} : { undo: reply.undo };
  answer({ kind: "told", tone: "good", message: reply.message, ...undo });
}

function plan(reply: Reply, answer: Answer): void {
  if (reply.kind === "rebalance_plan") answer({ kind: "plan", message: reply.message, moves: reply.moves });
  else tell(reply, answer);
}

async function requests(
  app: Used,
  { asked, offset, filter }: Intent & { kind: "requests" },
  answer: Answer,
): Promise<void> {
  const reply = await app.session.command({ kind: "list_requests", offset, limit: LOG_PAGE, filter });
  if (reply.kind === "requests") {
    answer({ kind: "requests", asked, offset: reply.offset, matched: reply.matched, rows: reply.rows });
  } else tell(reply, answer);
}

// Does what an intent of the panel asks for and gives what the panel is to be told. Changes go to the core as its own
// commands; whatever needs a question goes to the extension's command for it. It must not know the page or its life.

import * as l10n from "@vscode/l10n";
import type { Reply } from "../../../native/addon/types.gen";
import { type Intent, LOG_PAGE, type ToldMessage, type ToPanel } from "../../../webview/src/protocol";
import type { App } from "../commands/command";

type Helpers = Pick<App, "run" | "session" | "openDocs" | "ui">;

/** Undefined when there is nothing to tell beyond the next snapshot. */
export async function answerTo(app: Helpers, intent: Intent): Promise<ToPanel | undefined> {
  switch (intent.kind) {
    case "ready":
      return undefined;
    case "run":
      await app.run(intent.command);
      return undefined;
    case "run_on":
      return testOf(intent.id, await app.run(intent.command, { id: intent.id }));
    case "keys":
      return told(
        await app.session.command({ kind: "edit_keys", ids: [...intent.ids], action: { kind: intent.action } }),
      );
    case "assign":
      return told(
        await app.session.command({
          kind: "edit_keys",
          ids: [...intent.ids],
          action: { kind: "assign", proxy_id: intent.proxyId },
        }),
      );
    case "remove_proxies":
      return told(await app.session.command({ kind: "remove_proxies", ids: [...intent.ids] }));
    case "undo":
      return told(await app.session.command({ kind: "undo_removal", undo: intent.undo }));
    case "plan":
      return planOf(await app.session.command({ kind: "plan_rebalance" }));
    case "rebalance":
      return told(await app.session.command({ kind: "rebalance_proxies" }));
    case "requests":
      return requestsOf(app, intent);
    case "copy_request":
      await app.ui.copy(withoutSecrets(intent.text));
      app.ui.mention(l10n.t("Copied the request's details."));
      return undefined;
    case "learn":
      await app.openDocs(intent.page, intent.section);
      return undefined;
  }
}

/** Keys do not get into the view; a query or what looks like a key, in a path that a client made up, is cut all the same. */
export function withoutSecrets(text: string): string {
  return text.replace(/\?[^\s"'<>]+/g, "?…").replace(/\b(?:AIza|AQ\.|ya29\.|gka-)[\w.-]+/g, "••••");
}

/** The undo of a removal goes with its words, so that the panel can offer it where the row was. */
function told(reply: Reply): ToldMessage | undefined {
  if (reply.kind === "refused") return { kind: "told", tone: "bad", message: reply.message };
  if (reply.kind !== "done") return undefined;
  const { message, undo } = reply;
  return { kind: "told", tone: "good", message, ...(undo === undefined ? {} : { undo }) };
}

function planOf(reply: Reply): ToPanel | undefined {
  if (reply.kind === "rebalance_plan") return { kind: "plan", message: reply.message, moves: reply.moves };
  return told(reply);
}

async function requestsOf(app: Helpers, intent: Intent & { kind: "requests" }): Promise<ToPanel | undefined> {
  const { asked, offset, filter } = intent;
  const reply = await app.session.command({ kind: "list_requests", offset, limit: LOG_PAGE, filter });
  if (reply.kind !== "requests") return told(reply);
  return { kind: "requests", asked, offset: reply.offset, matched: reply.matched, rows: reply.rows };
}

/** The command has shown the result already; the panel gets its stages for below the row. */
function testOf(id: string, reply: unknown): ToPanel | undefined {
  return isTested(reply) ? { kind: "tested", id, test: reply } : undefined;
}

/** Commands answer with the core's replies, which the editor hands on untyped. */
function isTested(reply: unknown): reply is Extract<Reply, { kind: "tested" }> {
  return typeof reply === "object" && reply !== null && "kind" in reply && reply.kind === "tested";
}

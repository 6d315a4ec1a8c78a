// Connecting a tool: the user picks one, sees what it wants, and takes it along in the clipboard. The token is in the
// copied text and nowhere else: what is shown has it hidden. Which tools there are, `connect/tools.ts` says.

import * as l10n from "@vscode/l10n";
import type { Reply } from "../../../native/addon/types.gen";
import { HIDDEN_TOKEN, snippet, type Tool, takesToken, tools } from "../connect/tools";
import { headingSlug } from "../docs/pages";
import { fieldsOf, InvalidInput } from "../input/fields";
import type { App, Command } from "./command";
import { notListening } from "./server";

/** `{tool}` copies at once. It changes nothing, so that a window that only watches may do it as well. */
const connectTool: Command = {
  id: "connectTool",
  announce: "notify",
  async handle(app, argument) {
    const named = argument === undefined ? undefined : toolNamed(fieldsOf(argument, ["tool"]).text("tool"));
    const { endpoint } = app.snapshot();
    if (endpoint.kind !== "listening") return notListening(endpoint);
    return named === undefined ? choose(app, endpoint.url) : copy(app, named, endpoint.url);
  },
};

function toolNamed(id: string): Tool {
  const tool = tools.find((candidate) => candidate.id === id);
  if (tool === undefined) {
    const known = tools.map((one) => one.id).join(", ");
    throw new InvalidInput(l10n.t('"{0}" is no known tool; use {1}.', id, known), "tool");
  }
  return tool;
}

async function choose(app: App, url: string): Promise<Reply | undefined> {
  const choices = tools.map((tool) => ({ label: tool.label, detail: tool.where(), value: tool }));
  const tool = await app.ui.pick(l10n.t("Connect a tool to this endpoint"), choices);
  if (tool === undefined) return undefined;
  const note = takesToken(tool) ? [l10n.t("Copied, it holds the local token in place of the dots.")] : [];
  const shown = [tool.where(), snippet(tool, url, HIDDEN_TOKEN), ...note].join("\n\n");
  const [take, read] = [l10n.t("Copy"), l10n.t("Open Docs Section")];
  const answer = await app.ui.choose(l10n.t("Connect {0}", tool.label), shown, take, read);
  if (answer === take) return copy(app, tool, url);
  if (answer === read) await app.openDocs("connect", headingSlug(tool.label));
  return undefined;
}

async function copy(app: App, tool: Tool, url: string): Promise<Reply> {
  const token = await app.session.localToken();
  const { endpoint } = app.snapshot();
  if (token === undefined) return notListening(endpoint);
  await app.ui.copy(snippet(tool, url, token));
  const serves = endpoint.kind === "listening";
  if (serves) app.awaitFirstRequest(tool);
  const copied = takesToken(tool)
    ? l10n.t("Copied the set-up for {0}, local token included.", tool.label)
    : l10n.t('Copied the set-up for {0}; get the token by "Copy Local Token".', tool.label);
  const next = serves ? [l10n.t("Its first request will be told of here.")] : [];
  return { kind: "done", message: [copied, tool.where(), ...next].join(" ") };
}

export const connectCommands: readonly Command[] = [connectTool];

// Connecting a tool: the user picks one, sees what it wants, and takes it along in the clipboard. The token is in the
// copied text and nowhere else: what is shown has it hidden. Which tools there are, `connect/tools.ts` says.

import type { Reply } from "../../../native/addon/types.gen";
import { HIDDEN_TOKEN, snippet, type Tool, takesToken, tools } from "../connect/tools";
import { fieldsOf, InvalidInput } from "../input/fields";
import type { App, Command } from "./command";
import { notListening } from "./server";

const COPY = "Copy";
const OPEN_DOCS = "Open Docs Section";

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
    throw new InvalidInput(`"${id}" is no known tool; use ${tools.map((one) => one.id).join(", ")}.`, "tool");
  }
  return tool;
}

async function choose(app: App, url: string): Promise<Reply | undefined> {
  const choices = tools.map((tool) => ({ label: tool.label, detail: tool.where, value: tool }));
  const tool = await app.ui.pick("Connect a tool to this endpoint", choices);
  if (tool === undefined) return undefined;
  const note = takesToken(tool) ? "\n\nCopied, it holds the local token in place of the dots." : "";
  const shown = `${tool.where}\n\n${snippet(tool, url, HIDDEN_TOKEN)}${note}`;
  const answer = await app.ui.choose(`Connect ${tool.label}`, shown, COPY, OPEN_DOCS);
  if (answer === COPY) return copy(app, tool, url);
  if (answer === OPEN_DOCS) await app.openDocs("connect", tool.id);
  return undefined;
}

async function copy(app: App, tool: Tool, url: string): Promise<Reply> {
  const token = await app.session.localToken();
  const { endpoint } = app.snapshot();
  if (token === undefined) return notListening(endpoint);
  await app.ui.copy(snippet(tool, url, token));
  const serves = endpoint.kind === "listening";
  if (serves) app.awaitFirstRequest(tool);
  const next = serves ? " Its first request will be told of here." : "";
  const kept = takesToken(tool) ? ", local token included" : '; get the token by "Copy Local Token"';
  return { kind: "done", message: `Copied the set-up for ${tool.label}${kept}. ${tool.where}${next}` };
}

export const connectCommands: readonly Command[] = [connectTool];

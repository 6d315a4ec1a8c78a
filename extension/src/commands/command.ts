// The shape of one command: its id, what it does with an argument and how it asks without one. It also owns what the
// user is shown of a reply, so that every command answers alike; what a command does, its domain's file knows.

import * as l10n from "@vscode/l10n";
import type { Reply, Snapshot } from "../../../native/addon/types.gen";
import type { Tool } from "../connect/tools";
import type { CoreSession } from "../core/session";
import { helpFor } from "../docs/links";
import type { DocsPage } from "../docs/pages";
import type { DoctorHost } from "../doctor/gather";
import { InvalidInput } from "../input/fields";
import type { Files } from "../ui/files";
import type { Ui } from "../ui/ui";
import { isList, showList } from "./listed";
import { showTest } from "./testing";

export type { DocsPage } from "../docs/pages";

/** What commands may use. */
export type App = {
  readonly session: CoreSession;
  readonly ui: Ui;
  readonly files: Files;
  snapshot(): Snapshot;
  /** Another command, by its id without the prefix. */
  run(id: string, argument?: unknown): Promise<unknown>;
  openPanel(): void;
  openWalkthrough(): Promise<void>;
  /** Every kind of notification comes again, also those that the user had enough of; gives how many those were. */
  restoreNotices(): Promise<number>;
  /** A page of the docs that travel with the extension, at one of its sections. */
  openDocs(page: DocsPage, section: string): Promise<void>;
  /** What the doctor looks at beside the snapshot. */
  readonly doctor: DoctorHost;
  /** Tells the user when the first request after now arrives that can be the tool's. */
  awaitFirstRequest(tool: Tool): void;
  showLog(): void;
};

/** How a success is shown: `notify` when the user waits for the answer, else as a line that goes away. */
export type Announce = "mention" | "notify" | "nothing";

export type Command = {
  readonly id: string;
  readonly announce?: Announce;
  /** Undefined when the user let go. */
  handle(app: App, argument: unknown): Promise<Reply | undefined>;
};

/** A command with input: `run` with what `parse` made of the argument, `ask` when there is none. */
export function withInput<Input>(
  id: string,
  parts: {
    readonly announce?: Announce;
    parse(argument: unknown): Input;
    run(app: App, input: Input): Promise<Reply | undefined>;
    ask(app: App): Promise<Reply | undefined>;
  },
): Command {
  return {
    id,
    announce: parts.announce ?? "mention",
    async handle(app, argument) {
      if (argument !== undefined) return parts.run(app, parts.parse(argument));
      return parts.ask(app);
    },
  };
}

/** Runs a command to its reply and shows it. Never rejects for bad input: that is a refusal like the core's own. */
export async function carryOut(app: App, command: Command, argument: unknown): Promise<Reply | undefined> {
  const reply = await replyOf(app, command, argument);
  if (reply !== undefined) show(app, command, reply);
  return reply;
}

async function replyOf(app: App, command: Command, argument: unknown): Promise<Reply | undefined> {
  try {
    return await command.handle(app, argument);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    const refused: Reply = { kind: "refused", code: "invalid", message: `${command.id}: ${error.message}` };
    return error.field === undefined ? refused : { ...refused, field: error.field };
  }
}

/** Notifications are not awaited: their promise lives until the user closes them. */
function show(app: App, command: Command, reply: Reply): void {
  const { announce } = command;
  const { ui } = app;
  // A page of the log is data for whoever asked, nothing to be told.
  if (announce === "nothing" || reply.kind === "requests") return;
  if (reply.kind === "refused") void showRefusal(app, command, reply);
  else if (reply.kind === "tested") void showTest(app, reply);
  else if (isList(reply) && !reply.entries.every(({ result }) => result === "added")) void showList(app, reply);
  else if (reply.kind === "done" && reply.undo !== undefined) void offerUndo(app, reply.message, reply.undo);
  else if (announce === "notify") void ui.tell("info", reply.message);
  else ui.mention(reply.message);
}

/** A removal is told with the way back; what was removed together comes back together. */
export async function offerUndo(app: Pick<App, "ui" | "session">, message: string, undo: string): Promise<void> {
  const action = l10n.t("Undo");
  if ((await app.ui.tell("info", message, action)) !== action) return;
  const reply = await app.session.command({ kind: "undo_removal", undo });
  if (reply.kind === "refused") void app.ui.tell("error", reply.message);
  else if (reply.kind === "done") app.ui.mention(reply.message);
}

/** With a way to the section of the docs that helps, where there is one. */
async function showRefusal(app: App, { id }: Command, reply: Reply & { kind: "refused" }): Promise<void> {
  const help = helpFor(id, reply);
  if (help === undefined) return void (await app.ui.tell("error", reply.message));
  const action = help.page === "troubleshooting" ? l10n.t("Troubleshooting") : l10n.t("Learn More");
  if ((await app.ui.tell("error", reply.message, action)) === action) await app.openDocs(help.page, help.section);
}

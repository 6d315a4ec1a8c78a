// The shape of one command: its id, what it does with an argument and how it asks without one. It also owns what the
// user is shown of a reply, so that every command answers alike; what a command does, its domain's file knows.

import type { Reply, Snapshot } from "../../../native/addon/types.gen";
import type { Tool } from "../connect/tools";
import type { CoreSession } from "../core/session";
import type { DoctorHost } from "../doctor/gather";
import { InvalidInput } from "../input/fields";
import type { Files } from "../ui/files";
import type { Ui } from "../ui/ui";
import { isList, showList } from "./listed";

/** A page of `docs/` that .vscodeignore lets into the .vsix. */
export type DocsPage = "connect";

/** What commands may use. */
export type App = {
  readonly session: CoreSession;
  readonly ui: Ui;
  readonly files: Files;
  snapshot(): Snapshot;
  /** Another command, by its id without the prefix. */
  run(id: string, argument?: unknown): Promise<unknown>;
  openPanel(): void;
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
  if (reply !== undefined) show(app.ui, command, reply);
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
function show(ui: Ui, { announce }: Command, reply: Reply): void {
  if (announce === "nothing") return;
  if (reply.kind === "refused") void ui.tell("error", reply.message);
  else if (isList(reply) && !reply.entries.every(({ result }) => result === "added")) void showList(ui, reply);
  else if (announce === "notify") void ui.tell("info", reply.message);
  else ui.mention(reply.message);
}

// Runs a test of a key or a proxy while the user may stop waiting, and shows what came of it: one line when all is well,
// otherwise the stage that failed first with its exact fault, and every stage in a document for whoever wants to see them.
// The words of a stage are the core's and hold no secret; this file must not know what a fault means.

import * as l10n from "@vscode/l10n";
import type { Command as CoreCommand, Reply } from "../../../native/addon/types.gen";
import { anchorOf, stageName } from "../tests/words";
import type { App } from "./command";

export type TestReply = Extract<Reply, { kind: "tested" }>;

type TestCommand = Extract<CoreCommand, { kind: "test_key" | "test_proxy" | "test_rotating" }>;

/** Undefined when the user stopped waiting; the test itself goes on and counts. */
export function runTest(app: App, title: string, command: TestCommand): Promise<Reply | undefined> {
  return app.ui.progress(title, ({ signal }) => {
    const stopped = new Promise<undefined>((resolve) => {
      signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    return Promise.race([app.session.command(command), stopped]);
  });
}

/** Ends when the user closes the notification. */
export async function showTest({ ui, openDocs }: Pick<App, "ui" | "openDocs">, reply: TestReply): Promise<void> {
  const details = l10n.t("Show Details");
  const troubleshooting = l10n.t("Troubleshooting");
  const pressed = reply.works
    ? await ui.tell("info", reply.message, details)
    : await ui.tell("error", failure(reply), details, troubleshooting);
  if (pressed === details) await ui.showDocument("markdown", stagesOf(reply));
  else if (pressed === troubleshooting) await openDocs("troubleshooting", anchorOf(reply.fault));
}

export function stagesOf(reply: TestReply): string {
  const rows = reply.stages.map(({ stage, ms, ok, words }) => {
    const mark = ok ? l10n.t("well") : l10n.t("failed");
    return `| ${stageName(stage)} | ${mark} | ${l10n.t("{0} ms", ms)} | ${cell(words)} |`;
  });
  const head = `| ${l10n.t("Stage")} | ${l10n.t("Result")} | ${l10n.t("Time")} | ${l10n.t("What happened")} |`;
  const parts = [
    `# ${l10n.t("Test, stage by stage")}`,
    reply.message,
    [head, "|---|---|---:|---|", ...rows].join("\n"),
  ];
  if (reply.address !== null) parts.push(l10n.t("The proxy says that Gemini sees the address {0}.", reply.address));
  return `${parts.join("\n\n")}\n`;
}

function failure(reply: TestReply): string {
  const failed = reply.stages.find(({ ok }) => !ok);
  return failed === undefined ? reply.message : l10n.t("{0}: {1}", stageName(failed.stage), reply.message);
}

/** One cell of a table: what a proxy or Google wrote must not end it. */
function cell(words: string): string {
  return words.replace(/\s+/g, " ").replaceAll("|", "\\|");
}

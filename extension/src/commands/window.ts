// The commands that show something of this extension: the panel, the log, the docs and the walkthrough. What is on them is
// for others to know.

import * as l10n from "@vscode/l10n";
import { HELP } from "../docs/links";
import { DOCS_PAGES } from "../docs/pages";
import { fieldsOf, InvalidInput } from "../input/fields";
import type { App, Command } from "./command";

function showing(id: string, message: () => string, open: (app: App) => void | Promise<void>): Command {
  return {
    id,
    announce: "nothing",
    async handle(app) {
      await open(app);
      return { kind: "done", message: message() };
    },
  };
}

/** `{page, section}` opens that one, the guide without. */
const openDocs: Command = {
  id: "openDocs",
  announce: "nothing",
  async handle(app, argument) {
    const { page, section } = argument === undefined ? HELP.guide : linkIn(argument);
    await app.openDocs(page, section);
    return { kind: "done", message: l10n.t("The documentation is open.") };
  },
};

function linkIn(argument: unknown) {
  const fields = fieldsOf(argument, ["page", "section"]);
  const named = fields.text("page");
  const page = DOCS_PAGES.find((candidate) => candidate === named);
  if (page === undefined) {
    throw new InvalidInput(l10n.t('"{0}" is no page of the docs; use {1}.', named, DOCS_PAGES.join(", ")), "page");
  }
  return { page, section: fields.optionalText("section") ?? "" };
}

const showNoticesAgain: Command = {
  id: "showNoticesAgain",
  async handle(app) {
    const restored = await app.restoreNotices();
    const message =
      restored === 0 ? l10n.t("No kind of notification was left out.") : l10n.t("All notifications are shown again.");
    return { kind: "done", message };
  },
};

export const windowCommands: readonly Command[] = [
  showing(
    "openPanel",
    () => l10n.t("The panel is open."),
    (app) => app.openPanel(),
  ),
  showing(
    "showLog",
    () => l10n.t("The log is open."),
    (app) => app.showLog(),
  ),
  showing(
    "openWalkthrough",
    () => l10n.t("The walkthrough is open."),
    (app) => app.openWalkthrough(),
  ),
  openDocs,
  showNoticesAgain,
];

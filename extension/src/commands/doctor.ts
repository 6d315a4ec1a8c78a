// The doctor: looks at everything that usually goes wrong and opens a report that can be shown to others. What is looked
// at and what is made of it, `doctor/` knows.

import * as l10n from "@vscode/l10n";
import { examine } from "../doctor/examine";
import { gather } from "../doctor/gather";
import { redactor } from "../doctor/redact";
import { counted, inWords, report } from "../doctor/report";
import type { App, Command } from "./command";

const doctor: Command = {
  id: "doctor",
  async handle(app) {
    const parts = await app.ui.busy(l10n.t("Looking at the endpoint, keys and proxies…"), () => examined(app));
    await app.ui.showDocument("markdown", report(parts));
    return { kind: "done", message: inWords(counted(parts)) };
  },
};

async function examined(app: App) {
  const snapshot = app.snapshot();
  return examine(await gather(app.doctor, snapshot), redactor(snapshot, app.doctor.home));
}

export const doctorCommands: readonly Command[] = [doctor];

// The commands that show something of this extension: the panel and the log.

import type { App, Command } from "./command";

function showing(id: string, message: string, open: (app: App) => void): Command {
  return {
    id,
    announce: "nothing",
    async handle(app) {
      open(app);
      return { kind: "done", message };
    },
  };
}

export const windowCommands: readonly Command[] = [
  showing("openPanel", "The panel is open.", (app) => app.openPanel()),
  showing("showLog", "The log is open.", (app) => app.showLog()),
];

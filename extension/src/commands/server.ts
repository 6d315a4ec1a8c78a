// The commands for the local endpoint: start, stop, restart, its address and its token. The token goes to the
// clipboard and nowhere else: no reply, log or notification may hold it.

import * as l10n from "@vscode/l10n";
import type { EndpointView, Reply } from "../../../native/addon/types.gen";
import { type App, type Command, withInput } from "./command";

const startServer = changing("startServer", (app) => app.session.start());
const stopServer = changing("stopServer", (app) => app.session.stop());
const restartServer = changing("restartServer", (app) => app.session.restart());

/** The status bar shows the new state, and a failure has a notification of its own with what can be done about it. */
function changing(id: string, change: (app: App) => Promise<EndpointView>): Command {
  return { id, announce: "nothing", handle: async (app) => replyTo(await change(app)) };
}

const copyEndpoint: Command = {
  id: "copyEndpoint",
  async handle(app) {
    const { endpoint } = app.snapshot();
    if (endpoint.kind !== "listening") return notListening(endpoint);
    await app.ui.copy(endpoint.url);
    return { kind: "done", message: l10n.t("Copied {0}.", endpoint.url) };
  },
};

const copyLocalToken: Command = {
  id: "copyLocalToken",
  async handle(app) {
    const token = await app.session.localToken();
    if (token === undefined) return notListening(app.snapshot().endpoint);
    await app.ui.copy(token);
    return { kind: "done", message: l10n.t("Copied the local token. Give it to your tools as their Gemini API key.") };
  },
};

const rotateLocalToken = withInput("rotateLocalToken", {
  announce: "notify",
  parse: () => undefined,
  run: (app) => app.session.command({ kind: "rotate_local_token" }),
  async ask(app) {
    const detail = l10n.t("Every tool that uses the present token must be given the new one.");
    if (!(await app.ui.confirm(l10n.t("Replace the local token?"), detail, l10n.t("Replace")))) return undefined;
    return app.session.command({ kind: "rotate_local_token" });
  },
});

function replyTo(endpoint: EndpointView): Reply {
  switch (endpoint.kind) {
    case "listening":
      return { kind: "done", message: l10n.t("The endpoint listens on {0}.", endpoint.url) };
    case "stopped":
      return { kind: "done", message: l10n.t("The endpoint is stopped.") };
    case "starting":
      return { kind: "done", message: l10n.t("The endpoint is starting.") };
    case "failed":
      return { kind: "refused", code: "failed", message: endpoint.message };
  }
}

export function notListening(endpoint: EndpointView): Reply {
  if (endpoint.kind === "failed") return replyTo(endpoint);
  return {
    kind: "refused",
    code: "failed",
    message:
      endpoint.kind === "starting"
        ? l10n.t("The endpoint is starting. Try again in a moment.")
        : l10n.t('The endpoint is stopped. Run "Gemini Aggregator: Start Server" and try again.'),
  };
}

export const serverCommands: readonly Command[] = [
  startServer,
  stopServer,
  restartServer,
  copyEndpoint,
  copyLocalToken,
  rotateLocalToken,
];

// The commands for the rotating proxy: its URL, its switch, its test. The URL carries a password: it is asked for in a
// native input box and goes to the core alone.

import * as l10n from "@vscode/l10n";
import type { Command as CoreCommand, Reply, RotatingView } from "../../../native/addon/types.gen";
import { fieldsOf, given } from "../input/fields";
import { fillForm } from "../ui/form";
import type { Choice } from "../ui/ui";
import { type App, type Command, withInput } from "./command";
import { runTest } from "./testing";

type Configuration = Omit<Extract<CoreCommand, { kind: "configure_rotating" }>, "kind">;
type Step = "on" | "off" | "url" | "remove";

/** `{url?, enabled?}`: a URL is switched on unless `enabled` says otherwise; an empty one, with `enabled: false`, removes it. */
const configureRotatingProxy = withInput("configureRotatingProxy", {
  parse(argument) {
    const fields = fieldsOf(argument, ["url", "enabled"]);
    const enabled = fields.optionalFlag("enabled") ?? true;
    return { enabled, ...given({ url: fields.optionalText("url") }) };
  },
  run: (app, input) => configure(app, input),
  async ask(app) {
    const { rotating } = app.snapshot();
    if (rotating === null) return askUrl(app);
    switch (await app.ui.pick(l10n.t("Rotating proxy"), steps(rotating))) {
      case "on":
        return configure(app, { enabled: true });
      case "off":
        return configure(app, { enabled: false });
      case "url":
        return askUrl(app);
      case "remove":
        return remove(app, rotating);
      case undefined:
        return undefined;
    }
  },
});

function configure(app: App, input: Configuration): Promise<Reply> {
  return app.session.command({ kind: "configure_rotating", ...input });
}

function steps({ enabled, mode, masked_url: url }: RotatingView): Choice<Step>[] {
  const again: Choice<Step> = {
    label: l10n.t("Switch on again"),
    detail: l10n.t("Give {0} a new chance.", url),
    value: "on",
  };
  const on: Choice<Step> = {
    label: l10n.t("Switch on"),
    detail: l10n.t("Every API key leaves through {0}.", url),
    value: "on",
  };
  const off: Choice<Step> = {
    label: l10n.t("Switch off"),
    detail: l10n.t("Each API key leaves through its own proxy."),
    value: "off",
  };
  const switches = enabled ? (mode === "on" ? [off] : [again, off]) : [on];
  return [
    ...switches,
    { label: l10n.t("Change the URL"), detail: l10n.t("Now {0}.", url), value: "url" },
    { label: l10n.t("Remove"), detail: l10n.t("Forget its URL and password."), value: "remove" },
  ];
}

function askUrl(app: App): Promise<Reply | undefined> {
  const question = {
    field: "url",
    title: l10n.t("Configure Rotating Proxy"),
    prompt: l10n.t(
      "The provider's address with user and password. Every API key will leave through it, each request by a new tunnel.",
    ),
    placeholder: "user-rotate:password@proxy.example:8080",
  };
  return fillForm(app.ui, [question], (answers) => configure(app, { url: answers.get("url") ?? "", enabled: true }));
}

async function remove(app: App, { masked_url: url }: RotatingView): Promise<Reply | undefined> {
  const detail = l10n.t("Each API key leaves through its own proxy.");
  if (!(await app.ui.confirm(l10n.t("Remove the rotating proxy {0}?", url), detail, l10n.t("Remove"))))
    return undefined;
  return configure(app, { url: "", enabled: false });
}

const testRotatingProxy: Command = {
  id: "testRotatingProxy",
  announce: "notify",
  handle: (app) => runTest(app, l10n.t("Testing the rotating proxy…"), { kind: "test_rotating" }),
};

export const rotatingCommands: readonly Command[] = [configureRotatingProxy, testRotatingProxy];

// Lets the user choose one key or one proxy from the newest snapshot. It owns how they are described in a list and
// what is offered when there is none yet; what happens with the choice is the caller's business.

import * as l10n from "@vscode/l10n";
import type { KeyView, ProxyView } from "../../../native/addon/types.gen";
import type { Choice } from "../ui/ui";
import type { App } from "./command";

export function pickKey(app: App, title: string, fits: (key: KeyView) => boolean = () => true) {
  const all = app.snapshot().keys;
  if (all.length === 0) return nothingYet(app, l10n.t("There is no API key yet."), l10n.t("Add API Key"), "addApiKey");
  return pickAmong(app, title, all.filter(fits).map(keyChoice), l10n.t("No API key is in that state."));
}

export function pickProxy(app: App, title: string) {
  const all = app.snapshot().proxies;
  if (all.length === 0) return nothingYet(app, l10n.t("There is no proxy yet."), l10n.t("Add Proxy"), "addProxy");
  return pickAmong(app, title, all.map(proxyChoice), "");
}

export function keyChoice(key: KeyView): Choice<KeyView> {
  const state = key.status_reason ?? keyState(key.status);
  return { label: key.name, description: key.masked_key, detail: state, value: key };
}

function proxyChoice(proxy: ProxyView): Choice<ProxyView> {
  return {
    label: proxy.name,
    description: proxy.masked_url,
    detail: proxy.last_error ?? proxyState(proxy.status),
    value: proxy,
  };
}

function keyState(status: KeyView["status"]): string {
  switch (status) {
    case "available":
      return l10n.t("available");
    case "cooling_down":
      return l10n.t("cooling down");
    case "disabled":
      return l10n.t("disabled");
  }
}

function proxyState(status: ProxyView["status"]): string {
  switch (status) {
    case "active":
      return l10n.t("active");
    case "inactive":
      return l10n.t("switched off");
    case "error":
      return l10n.t("in error");
  }
}

async function pickAmong<T>(app: App, title: string, choices: readonly Choice<T>[], none: string) {
  if (choices.length > 0) return app.ui.pick(title, choices);
  app.ui.mention(none);
  return undefined;
}

/** Leads to the next step instead of showing an empty list. */
async function nothingYet(app: App, message: string, action: string, command: string): Promise<undefined> {
  if ((await app.ui.tell("info", message, action)) === action) await app.run(command);
  return undefined;
}

// What the status bar item shows when pointed at, as Markdown: the address, counts by state, proxies, and links that run
// commands. Pure; `COMMANDS` are all that the editor may let it run.

import * as l10n from "@vscode/l10n";
import type { EndpointView, KeyView, ProxyView, Snapshot, WindowRole } from "../../../native/addon/types.gen";

const PREFIX = "geminiAggregator.";

type Action = { readonly command: string; readonly label: string };

/** Invariant: each needs no argument, so that a link can carry nothing that a name smuggled in. */
export const COMMANDS = [
  "openPanel",
  "addApiKey",
  "connectTool",
  "copyEndpoint",
  "startServer",
  "restartServer",
  "doctor",
  "openWalkthrough",
].map((id) => PREFIX + id);

export function statusTooltip(snapshot: Snapshot, role: WindowRole): string {
  const { endpoint, keys, proxies } = snapshot;
  const lines = [
    `**${l10n.t("Gemini Aggregator")}**`,
    state(endpoint),
    ...window(role),
    ...keyLines(keys),
    ...proxyLines(proxies),
  ];
  const links = actions(endpoint, keys).map(({ command, label }) => `[${label}](command:${PREFIX}${command})`);
  return `${lines.join("\n\n")}\n\n---\n\n${links.join(" · ")}`;
}

function state(endpoint: EndpointView): string {
  switch (endpoint.kind) {
    case "listening":
      return l10n.t("Listens on {0}", `\`${endpoint.url}\``);
    case "starting":
      return l10n.t("The server is starting.");
    case "stopped":
      return l10n.t("The server is stopped.");
    case "failed":
      return plain(endpoint.message);
  }
}

function window(role: WindowRole): string[] {
  return role === "follower" ? [l10n.t("Another window serves it; everything can be changed here, too.")] : [];
}

function keyLines(keys: readonly KeyView[]): string[] {
  if (keys.length === 0) return [`$(key) ${l10n.t("No API key yet.")}`];
  const states = (["available", "cooling_down", "disabled"] as const).flatMap((status) => {
    const amount = keys.filter((key) => key.status === status).length;
    return amount === 0 ? [] : [inWords[status](amount)];
  });
  return [`$(key) ${l10n.t("API keys: {0}", states.join(", "))}`];
}

function proxyLines(proxies: readonly ProxyView[]): string[] {
  if (proxies.length === 0) return [`$(globe) ${l10n.t("No proxy: keys connect directly.")}`];
  const states = (["active", "error", "inactive"] as const).flatMap((status) => {
    const amount = proxies.filter((proxy) => proxy.status === status).length;
    return amount === 0 ? [] : [inWords[status](amount)];
  });
  return [`$(globe) ${l10n.t("Proxies: {0}", states.join(", "))}`];
}

const inWords: Readonly<Record<KeyView["status"] | ProxyView["status"], (amount: number) => string>> = {
  available: (amount) => l10n.t("{0} available", amount),
  cooling_down: (amount) => l10n.t("{0} resting", amount),
  disabled: (amount) => l10n.t("{0} disabled", amount),
  active: (amount) => l10n.t("{0} active", amount),
  error: (amount) => l10n.t("{0} in error", amount),
  inactive: (amount) => l10n.t("{0} switched off", amount),
};

function actions(endpoint: EndpointView, keys: readonly KeyView[]): readonly Action[] {
  const panel = { command: "openPanel", label: l10n.t("Open Panel") };
  const doctor = { command: "doctor", label: l10n.t("Run Doctor") };
  if (endpoint.kind === "failed") return [{ command: "restartServer", label: l10n.t("Restart") }, doctor, panel];
  if (endpoint.kind === "stopped") return [{ command: "startServer", label: l10n.t("Start") }, panel];
  const first = [
    { command: "addApiKey", label: l10n.t("Add API Key") },
    { command: "openWalkthrough", label: l10n.t("Get Started") },
  ];
  const serving = [
    { command: "copyEndpoint", label: l10n.t("Copy Address") },
    { command: "connectTool", label: l10n.t("Connect a Tool…") },
  ];
  return [panel, ...(keys.length === 0 ? first : serving), doctor];
}

/** Text of others must neither format nor link. */
function plain(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-!<>|~$&]/g, "\\$&").replaceAll("\n", "  \n");
}

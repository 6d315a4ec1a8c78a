// Makes of what was found one line for each thing looked at: how it is, and what to do about it. Pure; every sentence that
// is not this file's own goes through `redact`.

import * as l10n from "@vscode/l10n";
import type { EndpointView, KeyView, ProxyView, RotatingView, Snapshot } from "../../../native/addon/types.gen";
import { sectionOf, stageName } from "../tests/words";
import type { Findings, Peer, SecretStorage, TestedPart, TokenFile } from "./findings";
import { keyLabel, proxyLabel, type Redact } from "./redact";

export type Line =
  | { readonly level: "ok"; readonly what: string }
  | { readonly level: "warn" | "fail"; readonly what: string; readonly todo: string };

export type Part = { readonly title: string; readonly lines: readonly Line[] };

const OLDEST_NODE = 20;
/** More than this and certificates and sessions begin to look expired. */
const MOST_SKEW_MS = 30_000;

export function examine(found: Findings, redact: Redact): readonly Part[] {
  const { snapshot } = found;
  return [
    {
      title: l10n.t("Endpoint"),
      lines: [...endpoint(snapshot.endpoint, redact), ...peer(found), ...access(found), tokenFile(found.tokenFile)],
    },
    { title: l10n.t("Secret storage"), lines: [secretStorage(found.secretStorage), ...startWarnings(found, redact)] },
    { title: l10n.t("API keys"), lines: keys(snapshot.keys, redact) },
    { title: l10n.t("Proxies"), lines: [...proxies(snapshot.proxies, redact), ...rotating(snapshot.rotating, redact)] },
    { title: l10n.t("Tests"), lines: [...tests(found, redact), clock(found)] },
    { title: l10n.t("Requests"), lines: [requests(snapshot, redact)] },
    { title: l10n.t("Versions"), lines: versions(found) },
  ];
}

const ok = (what: string): Line => ({ level: "ok", what });
const warn = (what: string, todo: string): Line => ({ level: "warn", what, todo });
const fail = (what: string, todo: string): Line => ({ level: "fail", what, todo });

function endpoint(view: EndpointView, redact: Redact): Line[] {
  switch (view.kind) {
    case "listening":
      return [ok(l10n.t("It listens on {0}.", view.url))];
    case "starting":
      return [warn(l10n.t("It is starting."), l10n.t("Run the doctor again in a moment."))];
    case "stopped":
      return [fail(l10n.t("It is stopped."), l10n.t('Run "Start Server".'))];
    case "failed":
      return [fail(redact(view.message), l10n.t('Mend that, then run "Restart Server".'))];
  }
}

function peer({ peer: answers, port, snapshot }: Findings): Line[] {
  const { endpoint } = snapshot;
  const expected = endpoint.kind === "listening";
  return [peerLine(answers, port, expected, snapshot.version)];
}

function peerLine(answers: Peer, port: number, expected: boolean, version: string): Line {
  switch (answers.kind) {
    case "ours":
      if (version === "" || answers.version === version) return ok(l10n.t("On port {0} this product answers.", port));
      return warn(
        l10n.t("On port {0} version {1} of this product answers; this window has {2}.", port, answers.version, version),
        l10n.t("Reload the windows of both editors."),
      );
    case "foreign":
      return fail(
        l10n.t("On port {0} another program answers.", port),
        l10n.t("End it, or choose another port in the setting geminiAggregator.port and in your tools."),
      );
    case "silent":
      if (!expected) return ok(l10n.t("Port {0} is free: nothing answers there.", port));
      return fail(
        l10n.t("On port {0} nothing answers ({1}).", port, answers.why),
        l10n.t('Run "Restart Server"; look for a firewall that guards local connections.'),
      );
  }
}

function access({ localAuth, ownUpstream }: Findings): Line[] {
  return [
    localAuth === "token"
      ? ok(l10n.t("Programs need the local token."))
      : warn(
          l10n.t("Every program on this machine may use your quota."),
          l10n.t("Set geminiAggregator.localAuth to token."),
        ),
    ...(ownUpstream
      ? [
          warn(
            l10n.t("Requests and your keys go to another server than Google's."),
            l10n.t("Check geminiAggregator.upstreamBaseUrl."),
          ),
        ]
      : []),
  ];
}

function tokenFile(file: TokenFile): Line {
  switch (file.kind) {
    case "present":
      if (file.private !== false) return ok(l10n.t("The local token's file is there."));
      return warn(
        l10n.t("Other users of this machine can read the local token's file."),
        l10n.t('Run "Rotate Local Token": the new file is for you alone.'),
      );
    case "missing":
      return fail(
        l10n.t("The local token's file is missing."),
        l10n.t('Run "Rotate Local Token" and give tools the new token.'),
      );
    case "unreadable":
      return fail(
        l10n.t("The local token's file cannot be read ({0}).", file.why),
        l10n.t("Mend the rights of the editor's global storage."),
      );
  }
}

function secretStorage(storage: SecretStorage): Line {
  const todo = l10n.t(
    "Set up a key ring for the system (for example gnome-keyring or KWallet) and restart the editor; until then keep a backup.",
  );
  switch (storage.kind) {
    case "works":
      return ok(l10n.t("What is written to it can be read back."));
    case "not_tried":
      return ok(l10n.t("Not tried: only a window that serves writes to it."));
    case "forgets":
      return fail(l10n.t("What is written to it is gone at once."), todo);
    case "fails":
      return fail(l10n.t("It cannot be written to ({0}).", storage.why), todo);
  }
}

function startWarnings({ startWarnings: warnings }: Findings, redact: Redact): Line[] {
  return warnings.map((warning) =>
    warn(
      l10n.t("At the start: {0}", redact(warning)),
      l10n.t("See the section on damaged data in docs/troubleshooting.md."),
    ),
  );
}

function keys(all: readonly KeyView[], redact: Redact): Line[] {
  if (all.length === 0) return [fail(l10n.t("There is none."), l10n.t('Run "Add API Key" or "Import API Keys".'))];
  const available = all.filter((key) => key.status === "available").length;
  const count = l10n.t("{0} of {1} available.", available, all.length);
  const resting = all.every((key) => key.status !== "available");
  const total = resting ? fail(count, l10n.t("See the keys below; wait, or add a key of another project.")) : ok(count);
  return [total, ...all.flatMap((key, place) => keyLine(key, keyLabel(place), redact))];
}

function keyLine(key: KeyView, label: string, redact: Redact): Line[] {
  const reason = key.status_reason === null ? undefined : redact(key.status_reason);
  switch (key.status) {
    case "available":
      return [];
    case "cooling_down":
      return [warn(keyRests(label, reason), l10n.t("Nothing: it comes back by itself."))];
    case "disabled":
      if (!key.enabled) return [ok(l10n.t("The {0} of the panel is switched off by you.", label))];
      return [warn(keyDisabled(label, reason), l10n.t('Run "Test API Key" for it; give it a new text or remove it.'))];
  }
}

function keyRests(label: string, reason: string | undefined): string {
  return reason === undefined
    ? l10n.t("The {0} of the panel rests.", label)
    : l10n.t("The {0} of the panel rests ({1}).", label, reason);
}

function keyDisabled(label: string, reason: string | undefined): string {
  return reason === undefined
    ? l10n.t("The {0} of the panel is disabled.", label)
    : l10n.t("The {0} of the panel is disabled ({1}).", label, reason);
}

function proxies(all: readonly ProxyView[], redact: Redact): Line[] {
  if (all.length === 0) return [ok(l10n.t("There is none: keys connect directly."))];
  const active = all.filter((proxy) => proxy.status === "active").length;
  const count = l10n.t("{0} of {1} active.", active, all.length);
  const todo = l10n.t('Run "Test Proxy" for each; requests of keys with a proxy fail meanwhile.');
  const total = active > 0 ? ok(count) : fail(count, todo);
  return [total, ...all.flatMap((proxy, place) => proxyLine(proxy, proxyLabel(place), redact))];
}

function proxyLine(proxy: ProxyView, label: string, redact: Redact): Line[] {
  switch (proxy.status) {
    case "active":
      return [];
    case "inactive":
      return [ok(l10n.t("The {0} of the panel is switched off.", label))];
    case "error": {
      const what =
        proxy.last_error === null
          ? l10n.t("The {0} of the panel does not work.", label)
          : l10n.t("The {0} of the panel does not work ({1}).", label, redact(proxy.last_error));
      return [warn(what, l10n.t('Run "Test Proxy" for it; check its address and password.'))];
    }
  }
}

function rotating(view: RotatingView | null, redact: Redact): Line[] {
  if (view === null) return [];
  const reason = view.last_error === null ? undefined : redact(view.last_error);
  switch (view.mode) {
    case "on":
      return [ok(l10n.t("The rotating proxy serves."))];
    case "off":
      return [ok(l10n.t("The rotating proxy is off."))];
    case "fallen_back":
      return [warn(rotatingFails(reason), l10n.t('Run "Test Rotating Proxy".'))];
    case "refused":
      return [fail(rotatingRefused(reason), l10n.t('Enter it anew with "Configure Rotating Proxy".'))];
  }
}

function rotatingFails(reason: string | undefined): string {
  return reason === undefined
    ? l10n.t("The rotating proxy fails; keys use their own proxies.")
    : l10n.t("The rotating proxy fails ({0}); keys use their own proxies.", reason);
}

function rotatingRefused(reason: string | undefined): string {
  return reason === undefined
    ? l10n.t("The rotating proxy refuses its password.")
    : l10n.t("The rotating proxy refuses its password ({0}).", reason);
}

function tests({ tested }: Findings, redact: Redact): Line[] {
  if (tested.length === 0)
    return [ok(l10n.t("None was run: there is nothing to test, or this window does not serve."))];
  return tested.map(({ of, result }) => {
    const label = testedLabel(of);
    const failed = result.stages.find((stage) => !stage.ok);
    if (result.works || failed === undefined) {
      const ms = result.stages.reduce((sum, stage) => sum + stage.ms, 0);
      return ok(l10n.t("The {0} reaches Gemini: every stage is well, {1} ms in all.", label, ms));
    }
    return warn(
      l10n.t('The {0} fails at the stage "{1}": {2}', label, stageName(failed.stage), redact(failed.words)),
      l10n.t('See "{0}" in docs/troubleshooting.md.', sectionOf(result.fault)),
    );
  });
}

function testedLabel(of: TestedPart["of"]): string {
  switch (of.kind) {
    case "key":
      return keyLabel(of.place);
    case "proxy":
      return proxyLabel(of.place);
    case "rotating":
      return l10n.t("rotating proxy");
  }
}

function clock({ clockSkewMs }: Findings): Line {
  if (clockSkewMs === undefined) return ok(l10n.t("The clock was not compared: Gemini has not answered yet."));
  const seconds = Math.round(Math.abs(clockSkewMs) / 1000);
  if (Math.abs(clockSkewMs) <= MOST_SKEW_MS) return ok(l10n.t("This machine's clock agrees with Gemini's."));
  const todo = l10n.t("Set the clock, best by the system's time service; a wrong one makes certificates look expired.");
  return clockSkewMs > 0
    ? warn(l10n.t("This machine's clock is {0} s ahead of Gemini's.", seconds), todo)
    : warn(l10n.t("This machine's clock is {0} s behind Gemini's.", seconds), todo);
}

function requests({ requests: last }: Snapshot, redact: Redact): Line {
  if (last.length === 0) return ok(l10n.t("None yet."));
  const failed = last.filter(({ status }) => status === 429 || status >= 500);
  const [newest] = failed;
  if (newest === undefined) return ok(l10n.t("The last {0} met no failure of keys, proxies or Google.", last.length));
  const [failures, all, status] = [failed.length, last.length, newest.status];
  return warn(
    newest.error === null
      ? l10n.t("{0} of the last {1} failed, the newest with {2}", failures, all, status)
      : l10n.t("{0} of the last {1} failed, the newest with {2}: {3}", failures, all, status, redact(newest.error)),
    l10n.t("The panel's request log shows every attempt."),
  );
}

function versions({ versions: { extension, editor, node, machine }, snapshot }: Findings): Line[] {
  const core = snapshot.version;
  return [
    core === "" || core === extension
      ? ok(
          core === ""
            ? l10n.t("Extension {0}, its core not loaded.", extension)
            : l10n.t("Extension {0}, core the same.", extension),
        )
      : warn(l10n.t("Extension {0} with core {1}.", extension, core), l10n.t("Reinstall the extension.")),
    Number.parseInt(node, 10) >= OLDEST_NODE
      ? ok(l10n.t("Editor {0}, Node {1}, {2}.", editor, node, machine))
      : fail(
          l10n.t("Editor {0} has Node {1}, {2}.", editor, node, machine),
          l10n.t("Update the editor: Node 20 or later is needed."),
        ),
  ];
}

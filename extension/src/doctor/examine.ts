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
      title: "Endpoint",
      lines: [...endpoint(snapshot.endpoint, redact), ...peer(found), ...access(found), tokenFile(found.tokenFile)],
    },
    { title: "Secret storage", lines: [secretStorage(found.secretStorage), ...startWarnings(found, redact)] },
    { title: "API keys", lines: keys(snapshot.keys, redact) },
    { title: "Proxies", lines: [...proxies(snapshot.proxies, redact), ...rotating(snapshot.rotating, redact)] },
    { title: l10n.t("Tests"), lines: [...tests(found, redact), clock(found)] },
    { title: "Requests", lines: [requests(snapshot, redact)] },
    { title: "Versions", lines: versions(found) },
  ];
}

const ok = (what: string): Line => ({ level: "ok", what });
const warn = (what: string, todo: string): Line => ({ level: "warn", what, todo });
const fail = (what: string, todo: string): Line => ({ level: "fail", what, todo });

function endpoint(view: EndpointView, redact: Redact): Line[] {
  switch (view.kind) {
    case "listening":
      return [ok(`It listens on ${view.url}.`)];
    case "starting":
      return [warn("It is starting.", "Run the doctor again in a moment.")];
    case "stopped":
      return [fail("It is stopped.", 'Run "Start Server".')];
    case "failed":
      return [fail(redact(view.message), 'Mend that, then run "Restart Server".')];
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
      if (version === "" || answers.version === version) return ok(`On port ${port} this product answers.`);
      return warn(
        `On port ${port} version ${answers.version} of this product answers; this window has ${version}.`,
        "Reload the windows of both editors.",
      );
    case "foreign":
      return fail(
        `On port ${port} another program answers.`,
        "End it, or choose another port in the setting geminiAggregator.port and in your tools.",
      );
    case "silent":
      if (!expected) return ok(`Port ${port} is free: nothing answers there.`);
      return fail(
        `On port ${port} nothing answers (${answers.why}).`,
        'Run "Restart Server"; look for a firewall that guards local connections.',
      );
  }
}

function access({ localAuth, ownUpstream }: Findings): Line[] {
  return [
    localAuth === "token"
      ? ok("Programs need the local token.")
      : warn("Every program on this machine may use your quota.", "Set geminiAggregator.localAuth to token."),
    ...(ownUpstream
      ? [warn("Requests and your keys go to another server than Google's.", "Check geminiAggregator.upstreamBaseUrl.")]
      : []),
  ];
}

function tokenFile(file: TokenFile): Line {
  switch (file.kind) {
    case "present":
      if (file.private !== false) return ok("The local token's file is there.");
      return warn(
        "Other users of this machine can read the local token's file.",
        'Run "Rotate Local Token": the new file is for you alone.',
      );
    case "missing":
      return fail("The local token's file is missing.", 'Run "Rotate Local Token" and give tools the new token.');
    case "unreadable":
      return fail(
        `The local token's file cannot be read (${file.why}).`,
        "Mend the rights of the editor's global storage.",
      );
  }
}

function secretStorage(storage: SecretStorage): Line {
  const todo =
    "Set up a key ring for the system (for example gnome-keyring or KWallet) and restart the editor; until then keep a backup.";
  switch (storage.kind) {
    case "works":
      return ok("What is written to it can be read back.");
    case "not_tried":
      return ok("Not tried: only a window that serves writes to it.");
    case "forgets":
      return fail("What is written to it is gone at once.", todo);
    case "fails":
      return fail(`It cannot be written to (${storage.why}).`, todo);
  }
}

function startWarnings({ startWarnings: warnings }: Findings, redact: Redact): Line[] {
  return warnings.map((warning) =>
    warn(`At the start: ${redact(warning)}`, "See the section on damaged data in docs/troubleshooting.md."),
  );
}

function keys(all: readonly KeyView[], redact: Redact): Line[] {
  if (all.length === 0) return [fail("There is none.", 'Run "Add API Key" or "Import API Keys".')];
  const available = all.filter((key) => key.status === "available").length;
  const count = `${available} of ${all.length} available.`;
  const resting = all.every((key) => key.status !== "available");
  const total = resting ? fail(count, "See the keys below; wait, or add a key of another project.") : ok(count);
  return [total, ...all.flatMap((key, place) => keyLine(key, keyLabel(place), redact))];
}

function keyLine(key: KeyView, label: string, redact: Redact): Line[] {
  const reason = key.status_reason === null ? "" : ` (${redact(key.status_reason)})`;
  const what = `The ${label} of the panel`;
  switch (key.status) {
    case "available":
      return [];
    case "cooling_down":
      return [warn(`${what} rests${reason}.`, "Nothing: it comes back by itself.")];
    case "disabled":
      if (!key.enabled) return [ok(`${what} is switched off by you.`)];
      return [warn(`${what} is disabled${reason}.`, 'Run "Test API Key" for it; give it a new text or remove it.')];
  }
}

function proxies(all: readonly ProxyView[], redact: Redact): Line[] {
  if (all.length === 0) return [ok("There is none: keys connect directly.")];
  const active = all.filter((proxy) => proxy.status === "active").length;
  const count = `${active} of ${all.length} active.`;
  const todo = 'Run "Test Proxy" for each; requests of keys with a proxy fail meanwhile.';
  const total = active > 0 ? ok(count) : fail(count, todo);
  return [total, ...all.flatMap((proxy, place) => proxyLine(proxy, proxyLabel(place), redact))];
}

function proxyLine(proxy: ProxyView, label: string, redact: Redact): Line[] {
  const what = `The ${label} of the panel`;
  switch (proxy.status) {
    case "active":
      return [];
    case "inactive":
      return [ok(`${what} is switched off.`)];
    case "error": {
      const reason = proxy.last_error === null ? "" : ` (${redact(proxy.last_error)})`;
      return [warn(`${what} does not work${reason}.`, 'Run "Test Proxy" for it; check its address and password.')];
    }
  }
}

function rotating(view: RotatingView | null, redact: Redact): Line[] {
  if (view === null) return [];
  const reason = view.last_error === null ? "" : ` (${redact(view.last_error)})`;
  switch (view.mode) {
    case "on":
      return [ok("The rotating proxy serves.")];
    case "off":
      return [ok("The rotating proxy is off.")];
    case "fallen_back":
      return [warn(`The rotating proxy fails${reason}; keys use their own proxies.`, 'Run "Test Rotating Proxy".')];
    case "refused":
      return [
        fail(`The rotating proxy refuses its password${reason}.`, 'Enter it anew with "Configure Rotating Proxy".'),
      ];
  }
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
  if (last.length === 0) return ok("None yet.");
  const failed = last.filter(({ status }) => status === 429 || status >= 500);
  const [newest] = failed;
  if (newest === undefined) return ok(`The last ${last.length} met no failure of keys, proxies or Google.`);
  const why = newest.error === null ? "" : `: ${redact(newest.error)}`;
  return warn(
    `${failed.length} of the last ${last.length} failed, the newest with ${newest.status}${why}`,
    "The panel's request log shows every attempt.",
  );
}

function versions({ versions: { extension, editor, node, machine }, snapshot }: Findings): Line[] {
  const core = snapshot.version;
  return [
    core === "" || core === extension
      ? ok(`Extension ${extension}${core === "" ? ", its core not loaded" : ", core the same"}.`)
      : warn(`Extension ${extension} with core ${core}.`, "Reinstall the extension."),
    Number.parseInt(node, 10) >= OLDEST_NODE
      ? ok(`Editor ${editor}, Node ${node}, ${machine}.`)
      : fail(`Editor ${editor} has Node ${node}, ${machine}.`, "Update the editor: Node 20 or later is needed."),
  ];
}

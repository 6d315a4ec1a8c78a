// Looks at what the doctor judges: the port, the token's file, the secret storage. It changes nothing that it does not
// take back, decides nothing, and does not know VS Code: the editor's part comes in through `DoctorHost`.

import { stat } from "node:fs/promises";
import * as l10n from "@vscode/l10n";
import type { Command, Reply, Settings, Snapshot } from "../../../native/addon/types.gen";
import type { SecretSource } from "../vault/vaultReader";
import type { SecretStore } from "../vault/vaultWriter";
import type { Findings, Peer, SecretStorage, TestedPart, TokenFile, Versions } from "./findings";

export type DoctorHost = {
  readonly tokenFile: string;
  readonly secrets: SecretSource & SecretStore;
  readonly versions: Versions;
  readonly home: string;
  settings(): Settings;
  /** Whether this window serves. In some editors a write of any other window would undo what that one stored. */
  leads(): boolean;
  startWarnings(): readonly string[];
  command(command: Command): Promise<Reply>;
  /** By Gemini's last answer, that to the doctor's own test included. */
  clockSkewMs(): number | undefined;
};

const PROBE_MS = 2000;
/** Of proxies that do not work, so many are tested: the rest is likely to fail for the same reason. */
const MOST_PROXIES = 4;
const CANARY = "geminiAggregator.doctor";
const GOOGLE = "https://generativelanguage.googleapis.com";
const OTHERS = 0o077;

export async function gather(host: DoctorHost, snapshot: Snapshot): Promise<Findings> {
  const { server, upstream } = host.settings();
  // Another port than the settings' is in use while they are being changed.
  const port = snapshot.endpoint.kind === "listening" ? snapshot.endpoint.port : server.port;
  const [peer, tokenFile, secretStorage, tested] = await Promise.all([
    probe(port),
    lookAt(host.tokenFile),
    host.leads() ? tryOut(host.secrets) : ({ kind: "not_tried" } as const),
    snapshot.endpoint.kind === "listening" ? putToTest(host, snapshot) : [],
  ]);
  return {
    snapshot,
    port,
    localAuth: server.localAuth,
    ownUpstream: upstream.baseUrl.replace(/\/+$/, "") !== GOOGLE,
    peer,
    tokenFile,
    secretStorage,
    tested,
    clockSkewMs: host.clockSkewMs(),
    startWarnings: host.startWarnings(),
    versions: host.versions,
  };
}

/**
 * One key that should work, the proxies that do not, and the rotating one while it is on. A key's test costs no quota and
 * takes the key's own way.
 */
export async function putToTest(
  host: Pick<DoctorHost, "command">,
  { keys, proxies, rotating }: Snapshot,
): Promise<readonly TestedPart[]> {
  const tests: [TestedPart["of"], Command][] = [];
  const key = keys.findIndex(({ status }) => status === "available");
  const id = keys[key]?.id;
  if (id !== undefined)
    tests.push([
      { kind: "key", place: key },
      { kind: "test_key", id },
    ]);
  const failing = [...proxies.entries()].filter(([, { status }]) => status === "error").slice(0, MOST_PROXIES);
  for (const [place, proxy] of failing)
    tests.push([
      { kind: "proxy", place },
      { kind: "test_proxy", id: proxy.id },
    ]);
  if (rotating !== null && rotating.mode !== "off") tests.push([{ kind: "rotating" }, { kind: "test_rotating" }]);
  const results = await Promise.all(
    tests.map(async ([of, command]): Promise<TestedPart[]> => {
      const reply = await host.command(command);
      return reply.kind === "tested" ? [{ of, result: reply }] : [];
    }),
  );
  return results.flat();
}

export async function probe(port: number): Promise<Peer> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/health`, {
      signal: AbortSignal.timeout(PROBE_MS),
      redirect: "manual",
    });
    const version = versionIn(await answer.text());
    return version === undefined ? { kind: "foreign" } : { kind: "ours", version };
  } catch (error) {
    return silence(error);
  }
}

/** Undefined when another program wrote it. */
function versionIn(body: string): string | undefined {
  try {
    const { service, version }: { service?: unknown; version?: unknown } = JSON.parse(body);
    return service === "gemini-aggregator" && typeof version === "string" ? version : undefined;
  } catch {
    return undefined;
  }
}

/** Something that takes the connection and speaks no HTTP is a program, too. */
function silence(error: unknown): Peer {
  const code = codeOf(error instanceof Error ? error.cause : undefined);
  if (code?.startsWith("HPE_") || code === "UND_ERR_SOCKET") return { kind: "foreign" };
  if (error instanceof Error && error.name === "TimeoutError")
    return { kind: "silent", why: l10n.t("no answer in time") };
  return { kind: "silent", why: code ?? l10n.t("no connection") };
}

export async function lookAt(file: string): Promise<TokenFile> {
  try {
    const { mode } = await stat(file);
    return { kind: "present", private: process.platform === "win32" ? undefined : (mode & OTHERS) === 0 };
  } catch (error) {
    const code = codeOf(error);
    return code === "ENOENT" ? { kind: "missing" } : { kind: "unreadable", why: code ?? l10n.t("unknown") };
  }
}

/** Writes a value that is no secret, reads it back and takes it away. */
export async function tryOut(secrets: SecretSource & SecretStore): Promise<SecretStorage> {
  const value = `canary ${Date.now()}`;
  try {
    await secrets.store(CANARY, value);
    const read = await secrets.get(CANARY);
    await secrets.delete(CANARY);
    return read === value ? { kind: "works" } : { kind: "forgets" };
  } catch (error) {
    return { kind: "fails", why: error instanceof Error ? error.message : String(error) };
  }
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

// One life of the core in this window: opens it with the settings, starts and stops the server, hands commands over and
// keeps the newest snapshot. Which window leads is the core's to decide, and it asks for the vault when it needs it. It
// must not know VS Code: what it needs comes in through `Host`.

import * as l10n from "@vscode/l10n";
import type {
  Command,
  EndpointView,
  Event,
  LegacySettings,
  OpenOptions,
  OpenReport,
  Reply,
  Settings,
  Snapshot,
  WindowRole,
} from "../../../native/addon/types.gen";
import { inSettingsWords, settingFor } from "../settings/settings";
import { lostKeys, type Memory, rememberKeyCount } from "../vault/canary";
import { readVault, type SecretSource } from "../vault/vaultReader";
import { type SecretStore, VaultWriter } from "../vault/vaultWriter";
import type { Aggregator, AggregatorClass } from "./addon";
import { deliver } from "./messages";
import { nothingYet } from "./nothingYet";

export type Host = {
  loadAddon(): AggregatorClass;
  readonly secrets: SecretSource & SecretStore;
  readonly memory: Memory;
  readonly tokenFile: string;
  /** What the core learned, kept over a restart. */
  readonly stateFile: string;
  /** Where the windows of this profile find each other. */
  readonly windowsFolder: string;
  /** The file of Node's `NODE_EXTRA_CA_CERTS`, which native code does not heed by itself. */
  readonly extraCaFile: string | undefined;
  settings(): Settings;
  /** Keeps each setting of an earlier version that the user has not set. */
  adoptSettings(earlier: LegacySettings): Promise<void>;
  onSnapshot(snapshot: Snapshot): void;
  onEvent(event: Event): void;
  /** Worth a line in the log, as a sentence. */
  onNote(message: string): void;
  /** Something the user should know and may have to mend, as a sentence. */
  onWarning(message: string): void;
  onFault(error: unknown): void;
};

type Opened = { readonly core: Aggregator; readonly vault: VaultWriter };

export class CoreSession {
  readonly #host: Host;
  #opened: Opened | undefined;
  #snapshot = nothingYet;
  #role: WindowRole = "waiting";
  #startWarnings: readonly string[] = [];
  #closed = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(host: Host) {
    this.#host = host;
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Whether this window serves, or shows what another one does. */
  get role(): WindowRole {
    return this.#role;
  }

  /** What was wrong with stored data when the core was opened, as sentences. */
  get startWarnings(): readonly string[] {
    return this.#startWarnings;
  }

  /** Opens the core when it is not open yet, then starts the server. Never rejects: failures are an EndpointView. */
  start(): Promise<EndpointView> {
    return this.#inTurn(() => this.#start());
  }

  stop(): Promise<EndpointView> {
    return this.#inTurn(() => this.#stop());
  }

  restart(): Promise<EndpointView> {
    return this.#inTurn(async () => {
      await this.#stop();
      return this.#start();
    });
  }

  /** Waits for a start or stop under way, so that a command given early finds an open core. */
  async command(command: Command): Promise<Reply> {
    await this.#turn;
    return this.#command(command);
  }

  /** Takes over what the user changed in the settings; the core moves its listener itself. */
  applySettings(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#opened === undefined) return void (await this.#start());
      const reply = await this.#command({ kind: "apply_settings", settings: this.#host.settings() });
      if (reply.kind === "refused") this.#host.onWarning(settingsProblem(reply));
    });
  }

  /** The token that local programs send; undefined while the core is not open. */
  async localToken(): Promise<string | undefined> {
    await this.#turn;
    return this.#opened?.core.localToken();
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      this.#closed = true;
      await this.#letGo();
    });
  }

  /** Invariant: starts, stops and setting changes never overlap; each begins when the one before has ended. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch((error: unknown) => this.#host.onFault(error));
    return mine;
  }

  async #start(): Promise<EndpointView> {
    if (this.#closed) return { kind: "stopped" };
    this.#show({ kind: "starting" });
    try {
      if (this.#opened === undefined) {
        const { core } = await this.#open();
        // A window that opens starts the endpoint only where none led before: another one's may have been stopped.
        if (this.#role !== "leader") return this.#show(JSON.parse(core.snapshot()).endpoint);
      }
      return this.#show(JSON.parse(await this.#core().startServer()));
    } catch (error) {
      return this.#show({ kind: "failed", message: sentence(error) });
    }
  }

  async #stop(): Promise<EndpointView> {
    if (this.#opened === undefined) return this.#show({ kind: "stopped" });
    return this.#show(JSON.parse(await this.#opened.core.stopServer()));
  }

  async #open(): Promise<Opened> {
    const host = this.#host;
    const Core = host.loadAddon();
    const core = new Core((json) => this.#receive(core, vault, read, json));
    const vault = new VaultWriter(host.secrets, (ticket, error) => core.vaultWritten(ticket, error));
    const read = () => readVault(host.secrets, (known) => Core.secretNames(known));
    const report = await opened(core, {
      settings: host.settings(),
      windows_folder: host.windowsFolder,
      token_file: host.tokenFile,
      state_file: host.stateFile,
      ...(host.extraCaFile ? { extra_ca_file: host.extraCaFile } : {}),
    });
    this.#opened = { core, vault };
    this.#role = report.role;
    if (report.role === "leader") await this.#heard(core, report);
    return this.#opened;
  }

  #core(): Aggregator {
    if (this.#opened === undefined) throw new Error(l10n.t("The aggregator is not running."));
    return this.#opened.core;
  }

  /** What reading this window's own store brought; a window that was given another one's vault has nothing to report. */
  async #heard(core: Aggregator, report: OpenReport): Promise<void> {
    const host = this.#host;
    for (const note of report.notes) host.onNote(note);
    if (report.legacy_settings) await this.#adopt(report.legacy_settings);
    const lost = lostKeys(host.memory, JSON.parse(core.snapshot()).keys.length);
    this.#startWarnings = lost === undefined ? report.warnings : [...report.warnings, lost];
    for (const warning of this.#startWarnings) host.onWarning(warning);
  }

  /** The core already runs with them; what the user had set himself wins over them. */
  async #adopt(earlier: LegacySettings): Promise<void> {
    try {
      await this.#host.adoptSettings(earlier);
    } catch (error) {
      this.#host.onWarning(l10n.t("The settings of the earlier version could not be kept: {0}", sentence(error)));
    }
    await this.#command({ kind: "apply_settings", settings: this.#host.settings() });
  }

  #receive(core: Aggregator, vault: VaultWriter, read: () => Promise<Record<string, string>>, json: string): void {
    deliver(json, {
      event: (event) => this.#host.onEvent(event),
      snapshot: (snapshot) => {
        if (this.#opened?.core === core) this.#take(snapshot);
      },
      role: (role) => {
        this.#role = role;
      },
      opened: (report) => void this.#heard(core, report),
      vaultWanted: (ticket) =>
        void read().then(
          (secrets) => core.vaultRead(ticket, secrets),
          (error: unknown) => core.vaultRead(ticket, null, sentence(error)),
        ),
      vaultWrite: (ticket, writes) => vault.write(ticket, writes),
      fault: (error) => this.#host.onFault(error),
    });
  }

  async #command(command: Command): Promise<Reply> {
    if (this.#opened === undefined) return this.#notOpen();
    try {
      const reply: Reply = JSON.parse(await this.#opened.core.command(JSON.stringify(command)));
      this.#take(JSON.parse(this.#opened.core.snapshot()));
      return reply;
    } catch (error) {
      return { kind: "refused", code: "failed", message: sentence(error) };
    }
  }

  #notOpen(): Reply {
    const { endpoint } = this.#snapshot;
    const message =
      endpoint.kind === "failed"
        ? l10n.t("The aggregator is not running. {0}", endpoint.message)
        : l10n.t('The aggregator is not running. Run "Gemini Aggregator: Start Server" first.');
    return { kind: "refused", code: "failed", message };
  }

  async #letGo(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened === undefined) return;
    await opened.vault.settled();
    await opened.core.close();
  }

  /** The core's own snapshot where there is one, else the last one with the endpoint's new state. */
  #show(endpoint: EndpointView): EndpointView {
    const core = endpoint.kind === "starting" || endpoint.kind === "failed" ? undefined : this.#opened?.core;
    const base: Snapshot = core === undefined ? this.#snapshot : JSON.parse(core.snapshot());
    this.#take({ ...base, endpoint });
    return endpoint;
  }

  #take(snapshot: Snapshot): void {
    // Replies and the callback bring snapshots by two ways; the older one must not win.
    if (snapshot.revision < this.#snapshot.revision) return;
    this.#snapshot = snapshot;
    if (this.#role === "leader" && snapshot.endpoint.kind === "listening")
      void rememberKeyCount(this.#host.memory, snapshot.keys.length);
    this.#host.onSnapshot(snapshot);
  }
}

/** A core that could not open is let go of at once. */
async function opened(core: Aggregator, options: OpenOptions): Promise<OpenReport> {
  try {
    return JSON.parse(await core.open(JSON.stringify(options)));
  } catch (error) {
    await core.close();
    throw error;
  }
}

function settingsProblem(reply: { message: string; field?: string }): string {
  if (reply.field === undefined) return reply.message;
  return l10n.t("The setting {0}: {1}", settingFor(reply.field), reply.message);
}

function sentence(error: unknown): string {
  return inSettingsWords(error instanceof Error ? error.message : String(error));
}

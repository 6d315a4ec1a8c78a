// One life of the core in this window: opens it with the vault and the settings, starts and stops the server, hands
// commands over and keeps the newest snapshot. It must not know VS Code: what it needs comes in through `Host`.

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
} from "../../../native/addon/types.gen";
import { inSettingsWords, needsRestart, settingFor } from "../settings/settings";
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
  #settings: Settings | undefined;
  #snapshot = nothingYet;
  #startWarnings: readonly string[] = [];
  #closed = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(host: Host) {
    this.#host = host;
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
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

  /** Takes over what the user changed in the settings; restarts only where the listener must move. */
  applySettings(): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#settings;
      const after = this.#host.settings();
      if (before === undefined) return void (await this.#start());
      const reply = await this.#command({ kind: "apply_settings", settings: after });
      // A read-only window keeps the new settings for the time when it takes the port over.
      if (reply.kind === "refused" && reply.code !== "read_only") return this.#host.onWarning(settingsProblem(reply));
      this.#settings = after;
      // The core moves its listener itself. A window that only watched must read the vault anew before it listens.
      if (needsRestart(before, after) && this.#snapshot.endpoint.kind === "elsewhere") {
        await this.#stop();
        await this.#start();
      }
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
      const { core } = this.#opened ?? (await this.#open());
      return this.#show(JSON.parse(await core.startServer()));
    } catch (error) {
      return this.#show({ kind: "failed", message: sentence(error) });
    }
  }

  async #stop(): Promise<EndpointView> {
    // What another window changed meanwhile is not in this window's core: it must read the vault anew before it
    // may become the one that writes it.
    if (this.#snapshot.endpoint.kind === "elsewhere") await this.#letGo();
    if (this.#opened === undefined) return this.#show({ kind: "stopped" });
    return this.#show(JSON.parse(await this.#opened.core.stopServer()));
  }

  async #open(): Promise<Opened> {
    const host = this.#host;
    const Core = host.loadAddon();
    const settings = host.settings();
    const secrets = await readVault(host.secrets, (known) => Core.secretNames(known));
    const core = new Core((json) => this.#receive(core, vault, json));
    const vault = new VaultWriter(host.secrets, (ticket, error) => core.vaultWritten(ticket, error));
    const report = await opened(core, {
      settings,
      secrets,
      token_file: host.tokenFile,
      state_file: host.stateFile,
      ...(host.extraCaFile ? { extra_ca_file: host.extraCaFile } : {}),
    });
    this.#opened = { core, vault };
    this.#settings = settings;
    for (const note of report.notes) host.onNote(note);
    if (report.legacy_settings) await this.#adopt(report.legacy_settings);
    const lost = lostKeys(host.memory, JSON.parse(core.snapshot()).keys.length);
    this.#startWarnings = lost === undefined ? report.warnings : [...report.warnings, lost];
    for (const warning of this.#startWarnings) host.onWarning(warning);
    return this.#opened;
  }

  /** The core already runs with them; what the user had set himself wins over them. */
  async #adopt(earlier: LegacySettings): Promise<void> {
    try {
      await this.#host.adoptSettings(earlier);
    } catch (error) {
      this.#host.onWarning(`The settings of the earlier version could not be kept: ${sentence(error)}`);
    }
    const settings = this.#host.settings();
    const reply = await this.#command({ kind: "apply_settings", settings });
    if (reply.kind === "done") this.#settings = settings;
  }

  #receive(core: Aggregator, vault: VaultWriter, json: string): void {
    deliver(json, {
      event: (event) => this.#host.onEvent(event),
      snapshot: (snapshot) => {
        if (this.#opened?.core === core) this.#take(snapshot);
      },
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
    const why = endpoint.kind === "failed" ? endpoint.message : 'Run "Gemini Aggregator: Start Server" first.';
    return { kind: "refused", code: "failed", message: `The aggregator is not running. ${why}` };
  }

  async #letGo(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    // The next core counts its revisions from the beginning.
    this.#snapshot = { ...this.#snapshot, revision: 0 };
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
    if (snapshot.endpoint.kind === "listening") void rememberKeyCount(this.#host.memory, snapshot.keys.length);
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
  return reply.field === undefined ? reply.message : `The setting ${settingFor(reply.field)}: ${reply.message}`;
}

function sentence(error: unknown): string {
  return inSettingsWords(error instanceof Error ? error.message : String(error));
}

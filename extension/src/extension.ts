// Activation: builds the parts, ties them together and lets go of them again. It decides nothing: what a state means
// is the core's to say, how it looks is for the status bar, the panel and the notices.

import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import * as l10n from "@vscode/l10n";
import * as vscode from "vscode";
import type { Level, Snapshot } from "../../native/addon/types.gen";
import { type AggregatorStatus, type Exports, exportsOf, statusOf } from "./api/publicApi";
import { offerToChat } from "./chat/register";
import { type App, carryOut } from "./commands/command";
import { commands, PREFIX } from "./commands/table";
import { FirstRequest } from "./connect/firstRequest";
import { loadAddon } from "./core/addon";
import { CoreSession } from "./core/session";
import type { DoctorHost } from "./doctor/gather";
import { Walkthrough } from "./firstRun/walkthrough";
import { type Answers, Notices } from "./notices/notices";
import { Silence } from "./notices/silence";
import { kindOfWarning } from "./notices/sort";
import { Panel, VIEW_TYPE } from "./panel/panel";
import { SECTION } from "./settings/settings";
import { adoptSettings, currentSettings, onSettingsChange, readSetting, setPort } from "./settings/watchSettings";
import { StatusBar } from "./status/statusBar";
import { TerminalEnvironment } from "./terminals/terminalEnvironment";
import { chosenClients } from "./terminals/variables";
import { argumentOf } from "./tree/node";
import { Sidebar } from "./tree/sidebar";
import { vscodeFiles } from "./ui/vscodeFiles";
import { vscodeUi } from "./ui/vscodeUi";

let open: CoreSession | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<Exports> {
  if (vscode.l10n.bundle !== undefined) l10n.config({ contents: vscode.l10n.bundle });
  // The core makes the token's file in here, and only the file.
  await mkdir(context.globalStorageUri.fsPath, { recursive: true });
  const log = vscode.window.createOutputChannel("Gemini Aggregator", { log: true });
  const { packageJSON }: { packageJSON: { version: string } } = context.extension;
  log.info(`Version ${packageJSON.version} begins.`);
  const changes = new vscode.EventEmitter<Snapshot>();
  const status = new vscode.EventEmitter<AggregatorStatus>();
  const session = sessionFor(context, log, changes, {
    warning: (message) => interrupts() && notices.tell(kindOfWarning(message, context.globalState), message),
    proxiesDown: (message) => interrupts() && notices.tell("proxies_down", message),
    keyDisabled: (id) => interrupts() && notices.tell("keys_disabled", nameOf(session.snapshot, id)),
  });
  // All windows hear the same of the one endpoint: it is told where it is served and where the user is.
  const interrupts = () => session.role !== "follower" || vscode.window.state.focused;
  const walkthrough = new Walkthrough(context);
  const silence = new Silence(context.globalState);
  const app: App = {
    session,
    ui: vscodeUi,
    files: vscodeFiles,
    snapshot: () => session.snapshot,
    run: async (id, argument) => vscode.commands.executeCommand(PREFIX + id, argument),
    openPanel: () => panel.reveal(),
    openWalkthrough: () => walkthrough.open(),
    restoreNotices: async () => {
      const { count } = silence;
      await silence.clear();
      return count;
    },
    openDocs: async (page, section) => {
      const file = vscode.Uri.joinPath(context.extensionUri, "docs", `${page}.md`).with({ fragment: section });
      await vscode.commands.executeCommand("markdown.showPreview", file);
    },
    doctor: doctorFor(context, session),
    awaitFirstRequest: (tool) => firstRequest.expect(tool, session.snapshot, Date.now()),
    showLog: () => log.show(),
  };
  const panel = new Panel(context.extensionUri, app, (message) => log.warn(message));
  const notices = new Notices(vscodeUi, answersFor(app), silence);
  const terminals = terminalsFor(context, session, log);
  const firstRequest = new FirstRequest((message) => void vscodeUi.tell("info", message));
  const offered = exportsOf(session, status.event);
  const chat = offerToChat(
    { snapshot: () => session.snapshot, endpoint: () => offered.getApi(1).endpoint(), now: Date.now },
    (message) => log.info(message),
  );
  const bar = new StatusBar(`${PREFIX}openPanel`);
  const sidebar = new Sidebar(() => session.snapshot);
  bar.show(session.snapshot, session.role);
  context.subscriptions.push(
    log,
    changes,
    status,
    panel,
    bar,
    sidebar,
    notices,
    terminals,
    ...(chat ? [chat] : []),
    changes.event((snapshot) => {
      bar.show(snapshot, session.role);
      panel.update();
      sidebar.update();
      firstRequest.seen(snapshot, Date.now());
      chat?.update(snapshot);
      status.fire(statusOf(snapshot));
      if (interrupts()) notices.endpoint(snapshot.endpoint);
      walkthrough.update(snapshot);
      void terminals.update();
    }),
    ...commands.map((command) =>
      vscode.commands.registerCommand(PREFIX + command.id, (argument: unknown) =>
        carryOut(app, command, argumentOf(command.id, argument)),
      ),
    ),
    onSettingsChange(() => {
      void session.applySettings();
      void terminals.update();
    }),
    vscode.window.registerWebviewPanelSerializer(VIEW_TYPE, {
      deserializeWebviewPanel: async (restored) => panel.restore(restored),
    }),
  );
  open = session;
  // Not awaited: the editor goes on while the server starts, and commands wait for it by themselves.
  void session.start();
  return offered;
}

export async function deactivate(): Promise<void> {
  await open?.close();
  open = undefined;
}

/** What the buttons of notifications do. */
function answersFor(app: App): Answers {
  return {
    choosePort: setPort,
    retry: () => app.session.restart(),
    showLog: () => app.showLog(),
    doctor: () => app.run("doctor"),
    allowDirect: () => app.session.command({ kind: "allow_direct_until_recovery" }),
    openPanel: () => app.openPanel(),
    openSettings: async () => vscode.commands.executeCommand("workbench.action.openSettings", SECTION),
    addKey: () => app.run("addApiKey"),
    importBackup: () => app.run("importBackup"),
    openDocs: ({ page, section }) => app.openDocs(page, section),
  };
}

function terminalsFor(
  context: vscode.ExtensionContext,
  session: CoreSession,
  log: vscode.LogOutputChannel,
): TerminalEnvironment {
  const collection = context.environmentVariableCollection;
  // Kept by the editor, they would outlive the token and the server.
  collection.persistent = false;
  collection.description = new vscode.MarkdownString(
    l10n.t("Programs in this terminal reach Gemini through your keys and spend their quota."),
  );
  return new TerminalEnvironment(collection, {
    clients: () => chosenClients(readSetting),
    endpoint: () => session.snapshot.endpoint,
    token: () => session.localToken(),
    fault: (error) => log.error(error instanceof Error ? error : String(error)),
  });
}

function nameOf({ keys }: Snapshot, id: string | undefined): string {
  return keys.find((key) => key.id === id)?.name ?? id ?? "?";
}

function doctorFor(context: vscode.ExtensionContext, session: CoreSession): DoctorHost {
  const { packageJSON }: { packageJSON: { version: string } } = context.extension;
  const { remoteName } = vscode.env;
  const way = remoteName === undefined ? l10n.t("local") : l10n.t("remote ({0})", remoteName);
  const screen = vscode.env.uiKind === vscode.UIKind.Web ? l10n.t("in the browser") : l10n.t("on the desktop");
  return {
    tokenFile: tokenFile(context),
    secrets: context.secrets,
    home: homedir(),
    versions: {
      extension: packageJSON.version,
      editor: `${vscode.env.appName} ${vscode.version}`,
      node: process.versions.node,
      machine: `${process.platform} ${process.arch}, ${way}, ${screen}`,
    },
    settings: currentSettings,
    leads: () => session.role === "leader",
    startWarnings: () => session.startWarnings,
    command: (command) => session.command(command),
    clockSkewMs: () => session.snapshot.clock_skew_ms,
  };
}

function tokenFile(context: vscode.ExtensionContext): string {
  return vscode.Uri.joinPath(context.globalStorageUri, "local-token").fsPath;
}

function sessionFor(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
  changes: vscode.EventEmitter<Snapshot>,
  told: {
    warning(message: string): void;
    proxiesDown(message: string): void;
    keyDisabled(id: string | undefined): void;
  },
): CoreSession {
  return new CoreSession({
    loadAddon: () => loadAddon(vscode.Uri.joinPath(context.globalStorageUri, "addon").fsPath),
    secrets: context.secrets,
    memory: context.globalState,
    tokenFile: tokenFile(context),
    windowsFolder: context.globalStorageUri.fsPath,
    stateFile: vscode.Uri.joinPath(context.globalStorageUri, "state.sqlite").fsPath,
    extraCaFile: process.env.NODE_EXTRA_CA_CERTS,
    settings: currentSettings,
    adoptSettings,
    onSnapshot: (snapshot) => changes.fire(snapshot),
    onEvent(event) {
      write(log, event.level, event.message);
      if (event.type === "state.warning" && event.level !== "info") told.warning(event.message);
      if (event.type === "proxies.down") told.proxiesDown(event.message);
      if (event.type === "key.disabled") told.keyDisabled(event.key_id);
    },
    onNote: (message) => log.info(message),
    onWarning(message) {
      log.warn(message);
      told.warning(message);
    },
    onFault: (error) => log.error(error instanceof Error ? error : String(error)),
  });
}

function write(log: vscode.LogOutputChannel, level: Level, message: string): void {
  log[level](message);
}

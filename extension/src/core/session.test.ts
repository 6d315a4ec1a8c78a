// The session's order of things, with a core that only keeps a diary: what opens, starts and closes when, that the vault
// is read when the core asks for it and not before, and what a window that follows leaves to the one that serves.

import { expect, it } from "vitest";
import type {
  Command,
  CoreMessage,
  EndpointView,
  OpenReport,
  Settings,
  Snapshot,
  WindowRole,
} from "../../../native/addon/types.gen";
import type { AggregatorClass } from "./addon";
import { nothingYet } from "./nothingYet";
import { CoreSession, type Host } from "./session";

const listening: EndpointView = { kind: "listening", url: "http://127.0.0.1:3146", port: 3146, local_auth: "token" };

function stage(role: WindowRole = "leader") {
  const diary: string[] = [];
  const secrets = new Map([["geminiApiKeysIds", '["k1"]']]);
  const settings = { server: { host: "127.0.0.1", port: 3146 } } as Settings;
  const shown: EndpointView["kind"][] = [];
  const warnings: string[] = [];
  const remembered = new Map<string, unknown>();
  /** What opening reports beyond an empty report. */
  const report: Partial<OpenReport> = {};
  let emit: (messages: CoreMessage[]) => void = () => undefined;

  class DiaryCore {
    #endpoint: EndpointView = role === "follower" ? listening : { kind: "stopped" };
    #read: (secrets: object) => void = () => undefined;
    constructor(onMessages: (json: string) => void) {
      emit = (messages) => onMessages(JSON.stringify(messages));
    }
    static secretNames(known?: Record<string, string> | null) {
      return ["geminiApiKeysIds", ...JSON.parse(known?.geminiApiKeysIds ?? "[]")];
    }
    async open(options: string) {
      expect(Object.keys(JSON.parse(options))).not.toContain("secrets");
      diary.push(`open as ${role}`);
      if (role === "leader") await this.asksForTheVault();
      return JSON.stringify({ role, warnings: [], notes: [], ...report });
    }
    async asksForTheVault() {
      const read = new Promise<object>((resolve) => {
        this.#read = resolve;
      });
      emit([{ kind: "vault_wanted", ticket: 7 }]);
      diary.push(`read ${Object.keys(await read).join()}`);
    }
    vaultRead(ticket: number, secrets?: Record<string, string> | null) {
      expect(ticket).toBe(7);
      this.#read(secrets ?? {});
    }
    async startServer() {
      this.#endpoint = listening;
      diary.push(`start ${this.#endpoint.kind}`);
      return JSON.stringify(this.#endpoint);
    }
    async stopServer() {
      diary.push("stop");
      this.#endpoint = { kind: "stopped" };
      return JSON.stringify(this.#endpoint);
    }
    async command(json: string) {
      const command: Command = JSON.parse(json);
      diary.push(command.kind);
      return JSON.stringify({ kind: "done", message: "Done." });
    }
    snapshot() {
      return JSON.stringify({ ...nothingYet, revision: 1, endpoint: this.#endpoint } satisfies Snapshot);
    }
    localToken() {
      return "token";
    }
    vaultWritten(ticket: number, error?: string | null) {
      diary.push(`written ${ticket} ${error ?? "well"}`);
    }
    async close() {
      diary.push("close");
    }
  }

  const host: Host = {
    loadAddon: () => DiaryCore satisfies AggregatorClass,
    secrets: {
      get: async (name) => secrets.get(name),
      store: async (name, value) => void secrets.set(name, value),
      delete: async (name) => void secrets.delete(name),
    },
    memory: {
      get: (name) => remembered.get(name),
      update: async (name, value) => void remembered.set(name, value),
    },
    tokenFile: "token",
    windowsFolder: "windows",
    stateFile: "state.sqlite",
    extraCaFile: undefined,
    settings: () => structuredClone(settings),
    adoptSettings: async (earlier) => {
      diary.push(`adopt ${Object.keys(earlier).join()}`);
      settings.maxAttempts = 9;
    },
    onNote: (message) => diary.push(message),
    onSnapshot: ({ endpoint }) => shown.push(endpoint.kind),
    onEvent: () => undefined,
    onWarning: (message) => warnings.push(message),
    onFault: (error) => warnings.push(String(error)),
  };
  return {
    session: new CoreSession(host),
    host,
    diary,
    secrets,
    settings,
    shown,
    warnings,
    remembered,
    report,
    emit: (...messages: CoreMessage[]) => emit(messages),
  };
}

it("a command given at once waits for the open core", async () => {
  const { session, diary } = stage();
  const started = session.start();
  const reply = await session.command({ kind: "test_key", id: "k1" });
  expect(await started).toEqual(listening);
  expect(reply.kind).toBe("done");
  expect(diary).toEqual(["open as leader", "read geminiApiKeysIds", "start listening", "test_key"]);
});

it("a window that follows shows what it is given and starts nothing by itself", async () => {
  const { session, diary, remembered } = stage("follower");
  remembered.set("keysStored", 3);
  expect(await session.start()).toEqual(listening);
  expect(diary).toEqual(["open as follower"]);
  expect(session.role).toBe("follower");
  await session.stop();
  await session.start();
  expect(diary.slice(1)).toEqual(["stop", "start listening"]);
});

it("only the window that serves judges whether keys were lost, and remembers how many there are", async () => {
  const lost = expect.stringContaining("3 API keys");
  const follower = stage("follower");
  follower.remembered.set("keysStored", 3);
  await follower.session.start();
  expect([follower.warnings, follower.remembered.get("keysStored")]).toEqual([[], 3]);
  follower.emit({ kind: "role", role: "leader" });
  expect([follower.session.role, follower.warnings]).toEqual(["leader", []]);
  const leader = stage();
  leader.remembered.set("keysStored", 3);
  await leader.session.start();
  expect(leader.warnings).toEqual([lost]);
});

it("a window that leads late reports what its own store held", async () => {
  const { session, emit, warnings, diary } = stage("follower");
  await session.start();
  emit({ kind: "opened", report: { role: "leader", warnings: ["A key is gone."], notes: ["Taken over."] } });
  await session.command({ kind: "test_key", id: "k1" });
  expect([warnings, session.startWarnings]).toEqual([["A key is gone."], ["A key is gone."]]);
  expect(diary).toContain("Taken over.");
});

it("a listener that runs is left to the core to move", async () => {
  const { session, diary, settings } = stage();
  await session.start();
  settings.server.port = 4000;
  await session.applySettings();
  expect(diary.slice(3)).toEqual(["apply_settings"]);
});

it("a core that cannot be loaded is a failure with words, and commands repeat them", async () => {
  const { host, shown } = stage();
  const session = new CoreSession({
    ...host,
    loadAddon: () => {
      throw new Error("aggregator.node is for another platform.");
    },
  });
  expect(await session.start()).toEqual({ kind: "failed", message: "aggregator.node is for another platform." });
  expect(shown).toEqual(["starting", "failed"]);
  const reply = await session.command({ kind: "test_key", id: "k1" });
  expect(reply).toMatchObject({
    kind: "refused",
    code: "failed",
    message: expect.stringContaining("another platform"),
  });
});

it("what the core wants stored is stored before the core is let go", async () => {
  const { session, diary, secrets, emit } = stage();
  await session.start();
  emit({ kind: "vault_write", ticket: 1, writes: [{ name: "k2", value: "two" }] });
  await session.close();
  expect(secrets.get("k2")).toBe("two");
  expect(diary.slice(-2)).toEqual(["written 1 well", "close"]);
});

it("an older snapshot never replaces a newer one", async () => {
  const { session, emit } = stage();
  await session.start();
  const snapshot = (revision: number): CoreMessage => ({
    kind: "snapshot",
    snapshot: { ...session.snapshot, revision },
  });
  emit(snapshot(7));
  emit(snapshot(6));
  expect(session.snapshot.revision).toBe(7);
});

it("settings of an earlier version are kept, and the core hears what came of it before it serves", async () => {
  const { session, diary, report } = stage();
  report.notes = ["Taken over."];
  report.legacy_settings = { rebalanceThreshold: 2 };
  await session.start();
  expect(diary).toEqual([
    "open as leader",
    "read geminiApiKeysIds",
    "Taken over.",
    "adopt rebalanceThreshold",
    "apply_settings",
    "start listening",
  ]);
});

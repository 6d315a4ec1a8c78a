// The session's order of things, with a core that only keeps a diary: what opens, starts and closes when, and that a
// window that was second reads the vault anew before it becomes the one that writes it.

import { expect, it } from "vitest";
import type {
  Command,
  CoreMessage,
  EndpointView,
  OpenReport,
  Settings,
  Snapshot,
} from "../../../native/addon/types.gen";
import type { AggregatorClass } from "./addon";
import { nothingYet } from "./nothingYet";
import { CoreSession, type Host } from "./session";

const elsewhere: EndpointView = { kind: "elsewhere", url: "http://127.0.0.1:3146", message: "Another window has it." };
const listening: EndpointView = { kind: "listening", url: "http://127.0.0.1:3146", port: 3146, local_auth: "token" };

function stage(...starts: EndpointView[]) {
  const diary: string[] = [];
  const secrets = new Map([["geminiApiKeysIds", '["k1"]']]);
  const settings = { server: { host: "127.0.0.1", port: 3146 } } as Settings;
  const shown: EndpointView["kind"][] = [];
  const warnings: string[] = [];
  /** What opening reports beyond an empty report. */
  const report: Partial<OpenReport> = {};
  let emit: (messages: CoreMessage[]) => void = () => undefined;

  class DiaryCore {
    #endpoint: EndpointView = { kind: "stopped" };
    constructor(onMessages: (json: string) => void) {
      emit = (messages) => onMessages(JSON.stringify(messages));
    }
    static secretNames(known?: Record<string, string> | null) {
      return ["geminiApiKeysIds", ...JSON.parse(known?.geminiApiKeysIds ?? "[]")];
    }
    async open(options: string) {
      diary.push(`open ${Object.keys(JSON.parse(options).secrets).join()}`);
      return JSON.stringify({ warnings: [], notes: [], ...report });
    }
    async startServer() {
      this.#endpoint = starts.shift() ?? listening;
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
    memory: { get: () => undefined, update: async () => undefined },
    tokenFile: "token",
    stateFile: "state.json",
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
  expect(diary).toEqual(["open geminiApiKeysIds", "start listening", "test_key"]);
});

it("a second window that tries again reads the vault anew", async () => {
  const { session, diary, secrets } = stage(elsewhere);
  expect(await session.start()).toEqual(elsewhere);
  secrets.set("k1", "added by the other window");
  expect(await session.restart()).toEqual(listening);
  expect(diary).toEqual([
    "open geminiApiKeysIds",
    "start elsewhere",
    "close",
    "open geminiApiKeysIds,k1",
    "start listening",
  ]);
});

it("a window that watched reads the vault anew for a new port, and only for that", async () => {
  const { session, diary, settings } = stage(elsewhere);
  await session.start();
  settings.maxAttempts = 9;
  await session.applySettings();
  settings.server.port = 4000;
  await session.applySettings();
  expect(diary.slice(2)).toEqual([
    "apply_settings",
    "apply_settings",
    "close",
    "open geminiApiKeysIds",
    "start listening",
  ]);
});

it("a listener that runs is left to the core to move", async () => {
  const { session, diary, settings } = stage();
  await session.start();
  settings.server.port = 4000;
  await session.applySettings();
  expect(diary.slice(2)).toEqual(["apply_settings"]);
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
    "open geminiApiKeysIds",
    "Taken over.",
    "adopt rebalanceThreshold",
    "apply_settings",
    "start listening",
  ]);
});

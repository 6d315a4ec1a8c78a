// Exporting and importing backups: the passphrase is typed twice and asked for until it fits, and nothing is restored
// before the difference was shown and agreed to.

import { expect, it } from "vitest";
import type { BackupDiff, Command as CoreCommand, Reply, Snapshot } from "../../../native/addon/types.gen";
import type { CoreSession } from "../core/session";
import type { Files } from "../ui/files";
import type { Ui } from "../ui/ui";
import { described } from "./backups";
import { type App, carryOut } from "./command";
import { commands } from "./table";

const none = { added: [], changed: [], removed: [] };
const diff: BackupDiff = {
  created: "2026-11-21T06:00:00Z",
  has_secrets: true,
  keys: { added: ["alpha"], changed: [], removed: ["beta"] },
  proxies: none,
  assignments: none,
  rotating: "switched on",
  notes: ["A note."],
};
const shownDiff: Reply = { kind: "backup_diff", message: "Restoring: 1 key added.", diff };
const wrong: Reply = { kind: "refused", code: "invalid", message: "Wrong passphrase.", field: "passphrase" };

type Stage = {
  replies: Reply[];
  answers?: (string | undefined)[];
  encrypted?: boolean;
  confirmed?: boolean;
  file?: string | Error;
};

function stage({ replies, answers = [], encrypted = true, confirmed = true, file = "the backup" }: Stage) {
  const sent: CoreCommand[] = [];
  const told: string[] = [];
  const problems: (string | undefined)[] = [];
  const written: [string, string][] = [];
  const ui: Partial<Ui> = {
    tell: async (level, message) => void told.push(`${level}: ${message}`),
    mention: (message) => void told.push(`mention: ${message}`),
    async confirm(_message, detail) {
      told.push(`confirm: ${detail}`);
      return confirmed;
    },
    pick: async (_title, choices) => choices[encrypted ? 0 : 1]?.value,
    async askText(_question, _step, problem) {
      problems.push(problem);
      return answers.shift();
    },
  };
  const files: Files = {
    askSave: async () => "file:///b.json",
    askOpen: async () => "file:///b.json",
    at: (path) => `file://${path}`,
    shown: (place) => place.replace("file://", ""),
    write: async (place, text) => void written.push([place, text]),
    async read() {
      if (file instanceof Error) throw file;
      return file;
    },
  };
  const command = async (it: CoreCommand) => {
    sent.push(it);
    return replies.shift() ?? { kind: "done" as const, message: "Done." };
  };
  const snapshot = () => ({ endpoint: { kind: "stopped" } }) as Snapshot;
  const app = { session: { command } as Partial<CoreSession>, ui, files, snapshot } as App;
  const run = (id: string, argument?: unknown) => {
    const found = commands.find((it) => it.id === id);
    if (found === undefined) throw new Error(`no command ${id}`);
    return carryOut(app, found, argument);
  };
  return { run, sent, told, problems, written };
}

const made: Reply = { kind: "backup", message: "Backup made.", text: "{}" };

it("exports to the path of its argument and says where", async () => {
  const { run, sent, written, told } = stage({ replies: [made] });
  await run("exportBackup", { path: "/tmp/b.json", passphrase: " with spaces " });
  expect(sent).toEqual([{ kind: "export_backup", passphrase: " with spaces " }]);
  expect(written).toEqual([["file:///tmp/b.json", "{}"]]);
  expect(told).toEqual(["info: Backup made. It is in /tmp/b.json."]);
});

it("asks for the passphrase twice until both are the same", async () => {
  const { run, sent, problems } = stage({ replies: [made], answers: ["one", "two", "three 3", "three 3"] });
  await run("exportBackup");
  expect(problems).toEqual([undefined, undefined, expect.stringContaining("not the same"), undefined]);
  expect(sent).toEqual([{ kind: "export_backup", passphrase: "three 3" }]);
});

it("asks again for a passphrase that the core refuses, before any file is chosen", async () => {
  const { run, sent, problems } = stage({ replies: [wrong, made], answers: ["a", "a", "longer", "longer"] });
  await run("exportBackup");
  expect(problems).toEqual([undefined, undefined, "Wrong passphrase.", undefined]);
  expect(sent).toHaveLength(2);
});

it("exports nothing when the user lets go of the passphrase, and no passphrase without secrets", async () => {
  const letGo = stage({ replies: [made], answers: ["one", undefined] });
  expect(await letGo.run("exportBackup")).toBeUndefined();
  expect(letGo.sent).toEqual([]);
  const bare = stage({ replies: [made], encrypted: false });
  await bare.run("exportBackup");
  expect(bare.sent).toEqual([{ kind: "export_backup" }]);
});

it("shows the difference, asks for the passphrase until it fits, and restores on a yes", async () => {
  const done: Reply = { kind: "backup_diff", message: "Restored.", diff };
  const { run, sent, told, problems } = stage({ replies: [wrong, wrong, shownDiff, done], answers: ["no", "yes"] });
  await run("importBackup");
  expect(problems).toEqual([undefined, "Wrong passphrase."]);
  expect(sent.map(({ kind }) => kind)).toEqual(["preview_backup", "preview_backup", "preview_backup", "import_backup"]);
  expect(sent.at(-1)).toEqual({ kind: "import_backup", text: "the backup", passphrase: "yes" });
  expect(told).toEqual([
    "confirm: Restoring: 1 key added.\n\nKeys added: alpha\nKeys removed: beta\nRotating proxy: switched on\nA note.",
    "info: Restored.",
  ]);
});

it("restores nothing on a no, nor when nothing would change", async () => {
  const no = stage({ replies: [shownDiff], confirmed: false });
  expect(await no.run("importBackup", { path: "/b.json", confirm: true })).toBeUndefined();
  expect(no.sent).toHaveLength(1);
  const same = stage({ replies: [{ ...shownDiff, diff: { ...diff, keys: none, rotating: null, notes: [] } }] });
  expect(await same.run("importBackup")).toMatchObject({ kind: "done" });
  expect(same.sent).toHaveLength(1);
});

it("says which file cannot be read", async () => {
  const { run, sent } = stage({ replies: [], file: new Error("no such file") });
  const reply = await run("importBackup", { path: "/b.json" });
  expect(reply).toMatchObject({ kind: "refused", message: expect.stringContaining("/b.json: no such file") });
  expect(sent).toEqual([]);
});

it("a long list of names is cut", () => {
  const names = Array.from({ length: 20 }, (_, n) => `key ${n}`);
  expect(described({ ...diff, rotating: null, notes: [], keys: { ...none, changed: names } })).toMatch(
    /^Keys changed: .*, key 7 and 12 more$/,
  );
});

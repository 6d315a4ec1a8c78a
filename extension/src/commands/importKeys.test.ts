// Keys come from an argument, the clipboard or a file, and what became of each row can be seen.

import { expect, it, vi } from "vitest";
import type { Command as CoreCommand, Reply, Snapshot, TestFault } from "../../../native/addon/types.gen";
import type { CoreSession } from "../core/session";
import type { Files } from "../ui/files";
import type { Ui } from "../ui/ui";
import { type App, carryOut } from "./command";
import { commands } from "./table";

const mixed: Reply = {
  kind: "keys_listed",
  message: "1 key added, 1 was there already, 1 line left out.",
  entries: [
    { line: 1, result: "added", message: 'Key "work" (••••0001) added.', id: "k1" },
    { line: 2, result: "duplicate", message: 'This key is there already, under the name "old".' },
    { line: 3, result: "skipped", message: "The variable PORT is no Gemini API key." },
  ],
};

const well = { stage: "gemini", ms: 3, ok: true, words: "Gemini answered 200." } as const;
const works: Reply = { kind: "tested", works: true, message: "Works.", stages: [well], address: null };

function fails(fault: TestFault, words: string): Reply {
  const stages = [{ ...well, ok: false, words }];
  return { kind: "tested", works: false, fault, message: words, stages, address: null };
}

/** A list of so many new keys: k1, k2 and so on. */
function listOf(count: number): Reply {
  const entries = Array.from({ length: count }, (_, place) => ({
    line: place + 1,
    result: "added" as const,
    message: `Key "${place + 1}" (••••000${place + 1}) added.`,
    id: `k${place + 1}`,
  }));
  return { kind: "keys_listed", message: `${count} keys added.`, entries };
}

type Stage = {
  reply?: Reply;
  answers?: Record<string, Reply>;
  source?: number;
  check?: number;
  file?: string | Error;
  press?: string;
};

function stage({ reply = mixed, answers = {}, source = 0, check = 1, file = "the file", press }: Stage = {}) {
  const said: string[] = [];
  const stop = new AbortController();
  const under = { now: 0, most: 0 };
  const sent: CoreCommand[] = [];
  const told: string[] = [];
  const documents: string[] = [];
  const ui: Partial<Ui> = {
    async tell(level, message) {
      told.push(`${level}: ${message}`);
      return press;
    },
    pick: async (title, choices) => choices[title === "Check each key?" ? check : source]?.value,
    progress: (_title, work) => work({ say: (words) => void said.push(words), signal: stop.signal }),
    mention: (message) => void told.push(`mention: ${message}`),
    pasted: async () => "the clipboard",
    showDocument: async (_language, text) => void documents.push(text),
  };
  const files: Partial<Files> = {
    askOpen: async () => "file:///k.env",
    at: (path) => `file://${path}`,
    shown: (place) => place.replace("file://", ""),
    async read() {
      if (file instanceof Error) throw file;
      return file;
    },
  };
  const command = async (it: CoreCommand) => {
    sent.push(it);
    if (it.kind === "edit_keys") return { kind: "done", message: "1 key removed.", undo: "u1" } as const;
    if (it.kind !== "test_key") return reply;
    under.now += 1;
    under.most = Math.max(under.most, under.now);
    await new Promise((resolve) => setImmediate(resolve));
    under.now -= 1;
    const answer = answers[it.id];
    if (answer === undefined) stop.abort();
    return answer ?? works;
  };
  const snapshot = () => ({ endpoint: { kind: "stopped" } }) as Snapshot;
  const app = { session: { command } as Partial<CoreSession>, ui, files, snapshot } as App;
  const found = commands.find((it) => it.id === "importApiKeys");
  if (found === undefined) throw new Error("no such command");
  const run = (argument?: unknown) => carryOut(app, found, argument);
  return { run, sent, told, documents, said, under };
}

it.each<[string, Stage, unknown, string]>([
  ["an argument's text", {}, { text: "the text" }, "the text"],
  ["an argument's file", {}, { path: "/k.env" }, "the file"],
  ["the clipboard", { source: 0 }, undefined, "the clipboard"],
  ["a file", { source: 1 }, undefined, "the file"],
])("takes the keys from %s in one command", async (_what, options, argument, text) => {
  const { run, sent } = stage(options);
  expect(await run(argument)).toMatchObject({ kind: "keys_listed" });
  expect(sent).toEqual([{ kind: "add_keys", text }]);
});

it("warns of duplicates, and shows every row to who asks for them", async () => {
  const { run, told, documents } = stage({ press: "Show Each Row" });
  await run({ text: "x" });
  expect(told).toEqual([`warning: ${mixed.kind === "keys_listed" && mixed.message}`]);
  expect(documents[0]).toContain('- Line 1, added: Key "work" (••••0001) added.');
  expect(documents[0]).toContain("- Line 3, left out: The variable PORT is no Gemini API key.");
});

it("says that the file still holds the keys, but not when none was taken from it", async () => {
  expect(await stage().run({ path: "/k.env" })).toMatchObject({ message: expect.stringContaining("plain text") });
  const refused: Reply = { kind: "refused", code: "invalid", message: "There is no API key in the list." };
  expect(await stage({ reply: refused }).run({ path: "/k.env" })).toEqual(refused);
});

it("says which file cannot be read, and refuses two sources", async () => {
  const { run, sent } = stage({ file: new Error("no such file") });
  expect(await run({ path: "/k.env" })).toMatchObject({ message: expect.stringContaining("/k.env: no such file") });
  expect(await run({ path: "/k.env", text: "x" })).toMatchObject({ kind: "refused", field: "path" });
  expect(sent).toEqual([]);
});

it("asks Google about every added key, four at a time, and tells each row and how far it is", async () => {
  const answers: Record<string, Reply> = {
    k1: works,
    k2: fails("key", "API key not valid."),
    k3: fails("quota", "Quota."),
    k4: fails("proxy", "The proxy refused the connection."),
    k5: works,
    k6: works,
  };
  const { run, sent, said, under, told } = stage({ reply: listOf(6), answers });
  const reply = await run({ text: "x", validate: true });
  expect(sent[0]).toEqual({ kind: "add_keys", text: "x" });
  expect(sent.slice(1).map((it) => it.kind === "test_key" && it.id)).toEqual(["k1", "k2", "k3", "k4", "k5", "k6"]);
  expect(under.most).toBe(4);
  expect(said.at(-1)).toBe("6 of 6 checked");
  expect(reply).toMatchObject({
    message: "6 keys added. Valid: 4. Refused by Google: 1. Not checked: 1.",
    entries: [
      { result: "added", message: expect.stringContaining("Google takes it.") },
      { result: "refused", message: expect.stringContaining("Google refuses it: API key not valid.") },
      { result: "added", message: expect.stringContaining("its quota is used up") },
      { result: "added", message: expect.stringContaining("could not be checked: The proxy refused") },
      { result: "added" },
      { result: "added" },
    ],
  });
  expect(told).toHaveLength(1);
});

it("a refused key is removed when the user says so, and no other one", async () => {
  const answers = { k1: works, k2: fails("key", "API key not valid."), k3: fails("upstream", "Outage.") };
  const { run, sent, told } = stage({ reply: listOf(3), answers, press: "Remove Refused Keys" });
  await run({ text: "x", validate: true });
  await vi.waitFor(() => expect(told.at(-1)).toContain("1 key removed."));
  expect(sent.at(-1)).toEqual({ kind: "edit_keys", ids: ["k2"], action: { kind: "remove" } });
});

it("a check that is stopped leaves every key added, and says which were not checked", async () => {
  // The first answer that is not there stops it.
  const { run, sent } = stage({ reply: listOf(9), answers: { k1: works } });
  const reply = await run({ text: "x", validate: true });
  const asked = sent.filter(({ kind }) => kind === "test_key").length;
  expect(asked).toBeLessThan(9);
  expect(sent.some(({ kind }) => kind === "edit_keys")).toBe(false);
  if (reply?.kind !== "keys_listed") throw new Error("no list");
  expect(reply.message).toContain("The check was stopped and every added key stays.");
  expect(reply.message).toContain(`Not checked: ${9 - asked}.`);
  const unchecked = reply.entries.filter(({ message }) => message.includes("It was not checked."));
  expect(unchecked).toHaveLength(9 - asked);
  expect(reply.entries.every(({ result }) => result === "added")).toBe(true);
});

it("checks only when the user chooses so, and adds nothing when he lets go", async () => {
  const plain = stage({ reply: listOf(1), check: 1 });
  await plain.run();
  expect(plain.sent.map(({ kind }) => kind)).toEqual(["add_keys"]);
  const checked = stage({ reply: listOf(1), answers: { k1: works }, check: 0 });
  await checked.run();
  expect(checked.sent.map(({ kind }) => kind)).toEqual(["add_keys", "test_key"]);
  const left = stage({ check: 9 });
  expect(await left.run()).toBeUndefined();
  expect(left.sent).toEqual([]);
});

// Keys come from an argument, the clipboard or a file, and what became of each row can be seen.

import { expect, it } from "vitest";
import type { Command as CoreCommand, Reply, Snapshot } from "../../../native/addon/types.gen";
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

type Stage = { reply?: Reply; source?: number; file?: string | Error; press?: string };

function stage({ reply = mixed, source = 0, file = "the file", press }: Stage = {}) {
  const sent: CoreCommand[] = [];
  const told: string[] = [];
  const documents: string[] = [];
  const ui: Partial<Ui> = {
    async tell(level, message) {
      told.push(`${level}: ${message}`);
      return press;
    },
    pick: async (_title, choices) => choices[source]?.value,
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
    return reply;
  };
  const snapshot = () => ({ endpoint: { kind: "stopped" } }) as Snapshot;
  const app = { session: { command } as Partial<CoreSession>, ui, files, snapshot } as App;
  const found = commands.find((it) => it.id === "importApiKeys");
  if (found === undefined) throw new Error("no such command");
  const run = (argument?: unknown) => carryOut(app, found, argument);
  return { run, sent, told, documents };
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

// The token reaches the clipboard and nothing else: no preview, reply or notification has it.

import { expect, it } from "vitest";
import type { EndpointView, Snapshot } from "../../../native/addon/types.gen";
import { tools } from "../connect/tools";
import type { CoreSession } from "../core/session";
import type { Ui } from "../ui/ui";
import { type App, carryOut } from "./command";
import { commands } from "./table";

const TOKEN = "local-token-0001";
const listening: EndpointView = { kind: "listening", url: "http://127.0.0.1:4000", port: 4000, local_auth: "token" };

function stage(endpoint: EndpointView, answer?: string) {
  const copied: string[] = [];
  const shown: string[] = [];
  const opened: string[] = [];
  const awaited: string[] = [];
  const ui: Partial<Ui> = {
    tell: async (level, message) => void shown.push(`${level}: ${message}`),
    pick: async (_title, choices) => choices.find(({ label }) => label === "curl")?.value,
    async choose(_message, detail) {
      shown.push(detail);
      return answer;
    },
    copy: async (text) => void copied.push(text),
  };
  const app = {
    ui,
    session: { localToken: async () => TOKEN } as Partial<CoreSession>,
    snapshot: () => ({ endpoint, requests: [] as unknown[] }) as Snapshot,
    awaitFirstRequest: (tool) => void awaited.push(tool.id),
    openDocs: async (page, section) => void opened.push(`${page}#${section}`),
  } as App;
  const found = commands.find((it) => it.id === "connectTool");
  if (found === undefined) throw new Error("no such command");
  return { run: (argument?: unknown) => carryOut(app, found, argument), copied, shown, opened, awaited };
}

it("shows the text with the token hidden, copies it whole, and waits for the first request", async () => {
  const { run, copied, shown, awaited } = stage(listening, "Copy");
  const reply = await run();
  expect(copied).toEqual([expect.stringContaining(`x-goog-api-key: ${TOKEN}`)]);
  expect(copied[0]).toContain("http://127.0.0.1:4000/v1beta/models/");
  expect(shown[0]).toContain("x-goog-api-key: ••••••••");
  expect(JSON.stringify([shown, reply])).not.toContain(TOKEN);
  expect(awaited).toEqual(["curl"]);
});

it("opens the tool's section, and does nothing when let go", async () => {
  const docs = stage(listening, "Open Docs Section");
  await docs.run();
  expect([docs.opened, docs.copied]).toEqual([["connect#curl"], []]);
  const letGo = stage(listening);
  expect(await letGo.run()).toBeUndefined();
  expect(letGo.copied).toEqual([]);
});

it("copies at once for a named tool, and promises to tell of its first request", async () => {
  const { run, copied, awaited } = stage(listening);
  const reply = await run({ tool: "zed" });
  expect(copied).toHaveLength(1);
  expect(awaited).toEqual(["zed"]);
  expect(reply).toMatchObject({ kind: "done", message: expect.stringContaining("first request") });
});

it("refuses an unknown tool with the names of the known ones, and an endpoint that does not listen", async () => {
  const unknown = await stage(listening).run({ tool: "emacs" });
  expect(unknown).toMatchObject({
    kind: "refused",
    field: "tool",
    message: expect.stringContaining(tools[0]?.id ?? ""),
  });
  const { run, copied } = stage({ kind: "stopped" });
  expect(await run({ tool: "zed" })).toMatchObject({
    kind: "refused",
    message: expect.stringContaining("Start Server"),
  });
  expect(copied).toEqual([]);
});

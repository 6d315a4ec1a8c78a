// What the user is told and asked when something needs mending, that the answers lead somewhere, and that a kind he had
// enough of stays away.

import { expect, it } from "vitest";
import type { EndpointView } from "../../../native/addon/types.gen";
import { Notices, parsePort } from "./notices";
import { Silence } from "./silence";
import type { NoticeKind } from "./topics";

const failed: EndpointView = { kind: "failed", message: "Port 3146 is taken." };

/** A user who answers notifications and input boxes as told; nothing waits here. */
function stage(press: string | undefined, ...typed: string[]) {
  const seen: string[] = [];
  const offered: string[][] = [];
  const called: string[] = [];
  const memory = new Map<string, unknown>();
  const silence = new Silence({
    get: (name) => memory.get(name),
    update: async (name, value) => void memory.set(name, value),
  });
  const ui = {
    tell: async (_level: string, message: string, ...actions: string[]) => {
      seen.push(message);
      offered.push(actions);
      return actions.find((action) => action === press);
    },
    askText: async (_question: unknown, _step: string, problem?: string) => {
      if (problem !== undefined) seen.push(problem);
      return typed.shift();
    },
  };
  const note = (what: string) => async () => void called.push(what);
  const answers = {
    choosePort: async (port: number) => void called.push(`port ${port}`),
    retry: note("retry"),
    showLog: note("log"),
    doctor: note("doctor"),
    allowDirect: note("direct"),
    openPanel: note("panel"),
    openSettings: note("settings"),
    addKey: note("add key"),
    importBackup: note("backup"),
    openDocs: async ({ page, section }: { page: string; section: string }) => void called.push(`${page}#${section}`),
  };
  const waiting: (() => void)[] = [];
  const after = (_ms: number, done: () => void) => {
    waiting.push(done);
    return () => void waiting.splice(waiting.indexOf(done), waiting.includes(done) ? 1 : 0);
  };
  const notices = new Notices(ui, answers, silence, after);
  /** All that waits comes due, and what follows from it is over. */
  const pass = async () => {
    for (const due of waiting.splice(0)) due();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const fails = async () => {
    notices.endpoint(failed);
    await pass();
  };
  return { seen, offered, called, notices, pass, fails, silence };
}

it("asks for another port until it is one", async () => {
  const { seen, called, fails } = stage("Choose Another Port", "99999", "4000");
  await fails();
  expect(seen).toEqual(["Port 3146 is taken.", expect.stringContaining("from 1 to 65535")]);
  expect(called).toEqual(["port 4000"]);
});

it("tells a failure once, however often the state comes by, and again after another try", async () => {
  const { seen, notices, fails } = stage(undefined);
  await fails();
  await fails();
  expect(seen).toHaveLength(1);
  notices.endpoint({ kind: "starting" });
  await fails();
  expect(seen).toHaveLength(2);
});

it("does not tell of a failure that is over", async () => {
  const { seen, notices, pass } = stage(undefined);
  notices.endpoint(failed);
  notices.endpoint({ kind: "stopped" });
  await pass();
  expect(seen).toEqual([]);
});

it.each<[NoticeKind, string, string]>([
  ["server_failed", "Retry", "retry"],
  ["server_failed", "Run Doctor", "doctor"],
  ["server_failed", "Troubleshooting", "troubleshooting#the-server-does-not-start"],
  ["proxies_down", "Allow Direct Until a Proxy Is Back", "direct"],
  ["proxies_down", "Run Doctor", "doctor"],
  ["settings", "Open Settings", "settings"],
  ["stored_data", "Run Doctor", "doctor"],
  ["stored_data", "Show Log", "log"],
  ["keys_disabled", "Open Panel", "panel"],
  ["keys_lost", "Add API Key", "add key"],
  ["keys_lost", "Import Backup", "backup"],
  ["keys_lost", "Troubleshooting", "troubleshooting#the-keys-are-gone-after-a-restart"],
])("of %s, the button %s does its work", async (kind, press, done) => {
  const { called, notices, pass, fails } = stage(press);
  if (kind === "server_failed") await fails();
  else notices.tell(kind, "Something is wrong.");
  await pass();
  expect(called).toEqual([done]);
});

it("a kind that shall not be shown again stays away until it is taken back", async () => {
  const { seen, notices, pass, silence } = stage("Don't Show Again");
  for (const key of ["one", "two"]) {
    notices.tell("keys_disabled", key);
    await pass();
  }
  expect(seen).toHaveLength(1);
  notices.tell("stored_data", "Damaged.");
  await pass();
  expect(seen, "other kinds are not concerned").toHaveLength(2);
  await silence.clear();
  notices.tell("keys_disabled", "three");
  await pass();
  expect(seen).toHaveLength(3);
});

it("a failure that needs a decision cannot be silenced", async () => {
  const { offered, fails } = stage(undefined);
  await fails();
  expect(offered[0]).not.toContain("Don't Show Again");
});

it("many disabled keys are one notification", async () => {
  const { seen, notices, pass } = stage(undefined);
  for (const key of ["a", "b", "c", "d", "e", "f", "g"]) notices.tell("keys_disabled", key);
  await pass();
  expect(seen).toEqual(["7 API keys are disabled because Google refuses them: a, b, c, d, e and 2 more."]);
});

it.each([
  ["1", 1],
  [" 65535 ", 65535],
  ["0", undefined],
  ["65536", undefined],
  ["-1", undefined],
  ["80a", undefined],
])("reads the port %j as %j", (text, port) => {
  expect(parsePort(text)).toBe(port);
});

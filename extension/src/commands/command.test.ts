// Arguments that cannot be used end as refusals that name the field, and what the user is shown of a reply.

import { expect, it } from "vitest";
import type { Command as CoreCommand, KeyView, Reply, Snapshot } from "../../../native/addon/types.gen";
import type { CoreSession } from "../core/session";
import type { Ui } from "../ui/ui";
import { type App, carryOut } from "./command";
import { commands } from "./table";

const key = { id: "k1", name: "personal-1", masked_key: "••••0001" } as KeyView;
const snapshot = { keys: [key], proxies: [] as unknown[], endpoint: { kind: "stopped" } } as Snapshot;

function stage(reply: Reply = { kind: "done", message: "Done." }, confirmed = true) {
  const sent: CoreCommand[] = [];
  const shown: string[] = [];
  const ui: Partial<Ui> = {
    tell: async (level, message) => void shown.push(`${level}: ${message}`),
    mention: (message) => void shown.push(`mention: ${message}`),
    confirm: async () => confirmed,
    busy: (_title, work) => work(),
  };
  const command = async (it: CoreCommand) => {
    sent.push(it);
    return reply;
  };
  const app = { session: { command } as Partial<CoreSession>, ui, snapshot: () => snapshot } as App;
  const run = (id: string, argument?: unknown) => {
    const found = commands.find((it) => it.id === id);
    if (found === undefined) throw new Error(`no command ${id}`);
    return carryOut(app, found, argument);
  };
  return { run, sent, shown };
}

it.each<[string, unknown, CoreCommand]>([
  ["addApiKey", { key: "test-key-alpha-0001" }, { kind: "add_key", key: "test-key-alpha-0001" }],
  ["modifyApiKey", { id: "k1", name: "new" }, { kind: "modify_key", id: "k1", name: "new" }],
  ["editProxy", { id: "p1", enabled: false }, { kind: "update_proxy", id: "p1", enabled: false }],
  ["assignProxy", { keyId: "k1", proxyId: "p1" }, { kind: "assign_proxy", key_id: "k1", proxy_id: "p1" }],
  ["assignProxy", { keyId: "k1", proxyId: null }, { kind: "assign_proxy", key_id: "k1", proxy_id: null }],
  ["assignProxy", { keyId: "k1", proxyId: "auto" }, { kind: "unassign_proxy", key_id: "k1" }],
  [
    "configureRotatingProxy",
    { url: "u-rotate:p@h:1" },
    { kind: "configure_rotating", url: "u-rotate:p@h:1", enabled: true },
  ],
  ["configureRotatingProxy", { enabled: false }, { kind: "configure_rotating", enabled: false }],
  ["testRotatingProxy", undefined, { kind: "test_rotating" }],
  ["addProxy", { url: "http://a:1\nhttp://b:2" }, { kind: "add_proxies", text: "http://a:1\nhttp://b:2" }],
  ["addProxy", { url: "http://a:1" }, { kind: "add_proxy", url: "http://a:1" }],
  ["rotateLocalToken", {}, { kind: "rotate_local_token" }],
])("%s with %j asks nothing", async (id, argument, expected) => {
  const { run, sent } = stage();
  expect(await run(id, argument)).toEqual({ kind: "done", message: "Done." });
  expect(sent).toEqual([expected]);
});

it.each([
  ["addApiKey", {}, "key"],
  ["addApiKey", { key: "test-key-alpha-0001", nmae: "x" }, "nmae"],
  ["assignProxy", { keyId: "k1" }, "proxyId"],
  ["configureRotatingProxy", { url: 1 }, "url"],
  ["addProxy", { url: "http://a:1,http://b:2", name: "x" }, "name"],
  ["removeProxy", "p1", undefined],
])("%s refuses %j", async (id, argument, field) => {
  const { run, sent, shown } = stage();
  const reply = await run(id, argument);
  expect(reply).toMatchObject({ kind: "refused", code: "invalid" });
  expect(reply?.kind === "refused" && reply.field).toBe(field);
  expect(sent).toEqual([]);
  expect(shown).toEqual([expect.stringContaining(`error: ${id}: `)]);
});

it("asks before a removal only when told to, and does nothing on a no", async () => {
  const no = stage(undefined, false);
  expect(await no.run("removeApiKey", { id: "k1", confirm: true })).toBeUndefined();
  expect(no.sent).toEqual([]);
  await no.run("removeApiKey", { id: "k1" });
  expect(no.sent).toEqual([{ kind: "remove_key", id: "k1" }]);
});

it("shows a test's result as a notification and a refusal as an error", async () => {
  const well = stage({ kind: "done", message: "The key works." });
  await well.run("testApiKey", { id: "k1" });
  expect(well.shown).toEqual(["info: The key works."]);
  const ill = stage({ kind: "refused", code: "failed", message: "Google refused the key." });
  await ill.run("testApiKey", { id: "k1" });
  expect(ill.shown).toEqual(["error: Google refused the key."]);
});

it("warns when not every proxy of a list was added", async () => {
  const entries = [{ line: 1, result: "duplicate" as const, message: "It is there." }];
  const { run, shown } = stage({ kind: "proxies_listed", message: "0 proxies added.", entries });
  await run("addProxy", { url: "http://a:1\nhttp://b:2" });
  expect(shown).toEqual(["warning: 0 proxies added."]);
});

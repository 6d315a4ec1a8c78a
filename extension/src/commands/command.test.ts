// Arguments that cannot be used end as refusals that name the field, and what the user is shown of a reply.

import { expect, it, vi } from "vitest";
import type { Command as CoreCommand, KeyView, Reply, Snapshot } from "../../../native/addon/types.gen";
import type { CoreSession } from "../core/session";
import type { Ui } from "../ui/ui";
import { type App, type Command, carryOut } from "./command";
import { commands } from "./table";

const key = { id: "k1", name: "personal-1", masked_key: "••••0001" } as KeyView;
const snapshot = { keys: [key], proxies: [] as unknown[], endpoint: { kind: "stopped" } } as Snapshot;

type Answer = Reply | ((command: CoreCommand) => Reply);

function stage(reply: Answer = { kind: "done", message: "Done." }, confirmed = true, pressed?: string) {
  const sent: CoreCommand[] = [];
  const shown: string[] = [];
  const asked: string[] = [];
  const ui: Partial<Ui> = {
    tell: async (level, message, ...actions) => {
      shown.push([`${level}: ${message}`, ...actions].join(" | "));
      return pressed;
    },
    mention: (message) => void shown.push(`mention: ${message}`),
    confirm: async (message, detail, action) => {
      asked.push([message, detail, action].join(" | "));
      return confirmed;
    },
    busy: (_title, work) => work(),
    progress: (_title, work) => work({ say: () => {}, signal: new AbortController().signal }),
  };
  const command = async (it: CoreCommand) => {
    sent.push(it);
    return typeof reply === "function" ? reply(it) : reply;
  };
  const app = { session: { command } as Partial<CoreSession>, ui, snapshot: () => snapshot } as App;
  const run = (id: string, argument?: unknown) => {
    const found = commands.find((it) => it.id === id);
    if (found === undefined) throw new Error(`no command ${id}`);
    return carryOut(app, found, argument);
  };
  return { run, sent, shown, asked };
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
  expect(ill.shown).toEqual(["error: Google refused the key. | Troubleshooting"]);
});

it("warns when not every proxy of a list was added", async () => {
  const entries = [{ line: 1, result: "duplicate" as const, message: "It is there." }];
  const { run, shown } = stage({ kind: "proxies_listed", message: "0 proxies added.", entries });
  await run("addProxy", { url: "http://a:1\nhttp://b:2" });
  expect(shown).toEqual(["warning: 0 proxies added. | Show Each Row"]);
});

const removed: Reply = { kind: "done", message: 'Key "personal-1" removed.', id: "k1", undo: "undo_1" };

it.each(["removeApiKey", "removeProxy"])("%s is told with the way back, which is taken when pressed", async (id) => {
  const { run, sent, shown } = stage(removed, true, "Undo");
  await run(id, { id: "k1" });
  await vi.waitFor(() => expect(sent).toHaveLength(2));
  expect(shown[0]).toBe('info: Key "personal-1" removed. | Undo');
  expect(sent[1]).toEqual({ kind: "undo_removal", undo: "undo_1" });
});

it("a removal that nobody undoes stays, and an undo that is refused is told", async () => {
  const left = stage(removed);
  await left.run("removeApiKey", { id: "k1" });
  expect(left.sent).toHaveLength(1);
  const refusal: Reply = { kind: "refused", code: "duplicate", message: "It is there again." };
  const late = stage((it) => (it.kind === "undo_removal" ? refusal : removed), true, "Undo");
  await late.run("removeApiKey", { id: "k1" });
  await vi.waitFor(() => expect(late.shown).toContain("error: It is there again."));
});

function planOf(count: number): Reply {
  const moves = Array.from({ length: count }, (_, n) => ({
    key_id: `k${n}`,
    key_name: `key ${n}`,
    from: n === 0 ? null : { id: "p1", name: "eu-1" },
    to: { id: "p2", name: "us-1" },
  }));
  return { kind: "rebalance_plan", message: `${count} keys would move.`, moves, spread_before: 4, spread_after: 0 };
}

const rebalanced: Reply = { kind: "done", message: "Moved." };

it("shows the moves before a rebalance, and moves nothing on a no", async () => {
  const answer = (it: CoreCommand) => (it.kind === "plan_rebalance" ? planOf(17) : rebalanced);
  const no = stage(answer, false);
  expect(await no.run("rebalanceProxies")).toBeUndefined();
  expect(no.sent).toEqual([{ kind: "plan_rebalance" }]);
  expect(no.asked[0]).toMatch(/^17 keys would move\. \| key 0: No Proxy → us-1\nkey 1: eu-1 → us-1\n/);
  expect(no.asked[0]).toContain("\n2 more keys move. | Rebalance");
  const yes = stage(answer);
  await yes.run("rebalanceProxies");
  expect(yes.sent).toEqual([{ kind: "plan_rebalance" }, { kind: "rebalance_proxies" }]);
});

it("says when nothing would move, and rebalances at once when told to", async () => {
  const even = stage(planOf(0));
  await even.run("rebalanceProxies");
  expect([even.asked, even.shown]).toEqual([[], ["info: 0 keys would move."]]);
  const atOnce = stage(rebalanced);
  await atOnce.run("rebalanceProxies", { confirm: true });
  expect([atOnce.asked, atOnce.sent]).toEqual([[], [{ kind: "rebalance_proxies" }]]);
});

it("a failed command offers the section of the docs that helps, and opens it", async () => {
  const opened: string[] = [];
  const reply: Reply = { kind: "refused", code: "failed", message: "The proxy refused." };
  const offered: string[][] = [];
  const app = {
    session: { command: async () => reply } as Partial<CoreSession>,
    snapshot: () => snapshot,
    ui: {
      busy: (_title: string, work: () => unknown) => work(),
      tell: async (_level: string, _message: string, ...actions: string[]) => {
        offered.push(actions);
        return actions[0];
      },
    } as Partial<Ui>,
    openDocs: async (page, section) => void opened.push(`${page}#${section}`),
  } as App;
  const run = (id: string, argument: unknown) =>
    carryOut(app, commands.find((it) => it.id === id) as Command, argument);
  await run("copyEndpoint", undefined);
  await run("addProxy", { url: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(offered).toEqual([["Troubleshooting"], ["Learn More"]]);
  expect(opened).toEqual(["troubleshooting#the-server-does-not-start", "configuration#proxy-urls"]);
});

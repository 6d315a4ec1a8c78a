// An intent becomes the core's command, and the panel hears of it in the protocol's words: undo with a removal, refusals
// as such, pages of the log under the number they were asked by.

import { expect, it } from "vitest";
import type { Command, Reply } from "../../../native/addon/types.gen";
import type { Intent } from "../../../webview/src/protocol";
import type { App } from "../commands/command";
import { answerTo } from "./answers";

async function asked(intent: Intent, reply: unknown) {
  const commands: Command[] = [];
  const done: unknown[] = [];
  const session = {
    command: async (command: Command) => {
      commands.push(command);
      return reply as Reply;
    },
  };
  const app = {
    session,
    run: async (id: string, argument?: unknown) => {
      done.push(argument === undefined ? id : { id, argument });
      return reply;
    },
    ui: { copy: async (text: string) => void done.push({ copied: text }), mention: () => {} },
    openDocs: async (page: string, section: string) => void done.push(`${page}#${section}`),
  } as unknown as App;
  return { told: await answerTo(app, intent), commands, done };
}

it("removes many keys as one change and offers the way back", async () => {
  const removed = { kind: "done", message: "Two keys are removed.", undo: "u1" };
  const { told, commands } = await asked({ kind: "keys", action: "remove", ids: ["a", "b"] }, removed);
  expect(commands).toEqual([{ kind: "edit_keys", ids: ["a", "b"], action: { kind: "remove" } }]);
  expect(told).toEqual({ kind: "told", tone: "good", message: "Two keys are removed.", undo: "u1" });
});

it("offers no way back where there is none", async () => {
  const { told } = await asked({ kind: "undo", undo: "u1" }, { kind: "done", message: "Back." });
  expect(told).toEqual({ kind: "told", tone: "good", message: "Back." });
});

it.each([null, "auto", "p1"])("gives keys the proxy %j", async (proxyId) => {
  const { commands } = await asked({ kind: "assign", ids: ["a"], proxyId }, { kind: "done", message: "" });
  expect(commands).toEqual([{ kind: "edit_keys", ids: ["a"], action: { kind: "assign", proxy_id: proxyId } }]);
});

it("tells a refusal as such", async () => {
  const refused = { kind: "refused", code: "not_found", message: "It is gone." };
  const { told } = await asked({ kind: "remove_proxies", ids: ["p"] }, refused);
  expect(told).toEqual({ kind: "told", tone: "bad", message: "It is gone." });
});

it("shows a plan and moves nothing", async () => {
  const plan = { kind: "rebalance_plan", message: "Nothing to do.", moves: [], spread_before: 0, spread_after: 0 };
  const { told, commands } = await asked({ kind: "plan" }, plan);
  expect(commands).toEqual([{ kind: "plan_rebalance" }]);
  expect(told).toEqual({ kind: "plan", message: "Nothing to do.", moves: [] });
});

it("gives a page of the log under the number it was asked by", async () => {
  const page = { kind: "requests", total: 900, matched: 12, offset: 200, rows: [] };
  const intent: Intent = { kind: "requests", asked: 7, offset: 200, filter: { outcome: "failed" } };
  const { told, commands } = await asked(intent, page);
  expect(commands).toEqual([{ kind: "list_requests", offset: 200, limit: 200, filter: { outcome: "failed" } }]);
  expect(told).toEqual({ kind: "requests", asked: 7, offset: 200, matched: 12, rows: [] });
});

it("gives a test's stages to the row that asked", async () => {
  const tested = { kind: "tested", works: true, message: "It works.", id: "a", stages: [], address: null };
  const { told, done } = await asked({ kind: "run_on", command: "testApiKey", id: "a" }, tested);
  expect(done).toEqual([{ id: "testApiKey", argument: { id: "a" } }]);
  expect(told).toEqual({ kind: "tested", id: "a", test: tested });
});

it("says nothing of a test that the user left", async () => {
  const { told } = await asked({ kind: "run_on", command: "testApiKey", id: "a" }, undefined);
  expect(told).toBeUndefined();
});

it("copies and opens what was asked for", async () => {
  expect((await asked({ kind: "copy_request", text: "POST /x" }, undefined)).done).toEqual([{ copied: "POST /x" }]);
  expect((await asked({ kind: "learn", page: "guide", section: "s" }, undefined)).done).toEqual(["guide#s"]);
});

it("copies neither a query nor what looks like a key", async () => {
  const key = `AIza${"x".repeat(35)}`;
  const text = `POST /v1beta/models/m:generateContent?key=abc123&alt=sse 200\nclient ${key} via http://h:1/?token=t`;
  const { done } = await asked({ kind: "copy_request", text }, undefined);
  expect(done).toEqual([{ copied: "POST /v1beta/models/m:generateContent?… 200\nclient •••• via http://h:1/?…" }]);
});

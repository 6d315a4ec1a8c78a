// Only the protocol's intents get through; everything else a page could send is refused with words.

import { expect, it } from "vitest";
import { parseIntent } from "./intents";

it.each([
  { kind: "ready" },
  { kind: "run", command: "addApiKey" },
  { kind: "run_on", command: "testProxy", id: "p1" },
  { kind: "keys", action: "remove", ids: ["k1", "k2"] },
  { kind: "assign", ids: ["k1"], proxyId: null },
  { kind: "assign", ids: ["k1", "k2"], proxyId: "auto" },
  { kind: "remove_proxies", ids: ["p1"] },
  { kind: "undo", undo: "u1" },
  { kind: "plan" },
  { kind: "rebalance" },
  { kind: "requests", asked: 3, offset: 200, filter: {} },
  { kind: "requests", asked: 1, offset: 0, filter: { text: "flash", outcome: "failed", key_id: "k1" } },
  { kind: "copy_request", text: "POST /v1beta" },
  { kind: "learn", page: "guide", section: "first-key" },
])("takes %j as it is", (intent) => {
  expect(parseIntent(intent)).toEqual(intent);
});

it("takes an id that came twice once", () => {
  const intent = parseIntent({ kind: "keys", action: "enable", ids: ["k1", "k2", "k1"] });
  expect(intent).toEqual({ kind: "keys", action: "enable", ids: ["k1", "k2"] });
});

it.each([
  ["nothing", undefined, "object"],
  ["a text", "ready", "object"],
  ["a list", [], "object"],
  ["no kind", { command: "addApiKey" }, '"kind" is missing'],
  ["an unknown intent", { kind: "eval" }, '"eval"'],
  ["an intent named like a part of every object", { kind: "toString" }, '"toString"'],
  ["a command that is not for the panel", { kind: "run", command: "exportBackup" }, '"exportBackup"'],
  ["a command of another extension", { kind: "run", command: "workbench.action.quit" }, "quit"],
  ["a row's command without its row", { kind: "run_on", command: "testApiKey" }, '"id" is missing'],
  ["an id that is no text", { kind: "run_on", command: "testApiKey", id: 7 }, '"id" must be text'],
  ["a field of another intent", { kind: "run", command: "addApiKey", id: "k1" }, '"id" is not known'],
  ["a field that no intent has", { kind: "ready", key: "x" }, '"key" is not known'],
  ["no keys", { kind: "keys", action: "remove", ids: [] }, "list of ids"],
  ["keys that are no texts", { kind: "keys", action: "remove", ids: ["k1", 7] }, "list of ids"],
  ["what nobody does to keys", { kind: "keys", action: "export", ids: ["k1"] }, '"export"'],
  ["no proxy", { kind: "assign", ids: ["k1"] }, "no proxy"],
  ["a half row", { kind: "requests", asked: 1, offset: 0.5, filter: {} }, '"offset"'],
  ["a row before the first", { kind: "requests", asked: 1, offset: -1, filter: {} }, '"offset"'],
  ["a filter that is not there", { kind: "requests", asked: 1, offset: 0 }, "object"],
  ["an unknown outcome", { kind: "requests", asked: 1, offset: 0, filter: { outcome: "odd" } }, '"odd"'],
  ["too long a text", { kind: "copy_request", text: "x".repeat(20_001) }, "too long"],
  ["another page", { kind: "learn", page: "../LICENSE", section: "" }, "LICENSE"],
  ["a section that leads elsewhere", { kind: "learn", page: "guide", section: "a?b=c" }, "a?b=c"],
])("refuses %s", (_what, message, words) => {
  expect(() => parseIntent(message)).toThrow(words);
});

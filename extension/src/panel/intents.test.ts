// Only the protocol's intents get through; everything else a page could send is refused with words.

import { expect, it } from "vitest";
import { parseIntent } from "./intents";

it.each([
  { kind: "ready" },
  { kind: "run", command: "addApiKey" },
  { kind: "run_on", command: "editProxy", id: "p1" },
  { kind: "keys", action: "remove", ids: ["k1", "k2"] },
  { kind: "assign", ids: ["k1"], proxyId: null },
  { kind: "assign", ids: ["k1", "k2"], proxyId: "auto" },
  { kind: "remove_proxies", ids: ["p1"] },
  { kind: "undo", undo: "undo_1" },
  { kind: "plan" },
  { kind: "rebalance" },
  { kind: "requests", asked: 3, offset: 200, filter: { text: "flash", outcome: "failed", key_id: "k1" } },
  { kind: "copy_request", text: "Request: r1" },
  { kind: "learn", page: "guide", section: "proxies" },
])("takes %j as it is", (intent) => {
  expect(parseIntent(intent)).toEqual(intent);
});

it.each([
  ["nothing", undefined, "object"],
  ["a text", "ready", "object"],
  ["a list", [], "object"],
  ["an unknown intent", { kind: "eval" }, '"eval"'],
  ["a command that is not for the panel", { kind: "run", command: "exportBackup" }, '"exportBackup"'],
  ["a command of another extension", { kind: "run", command: "workbench.action.quit" }, "quit"],
  ["a row's command without its row", { kind: "run_on", command: "testApiKey" }, '"id" is missing'],
  ["an id that is no text", { kind: "run_on", command: "testApiKey", id: 7 }, '"id" must be text'],
  ["no proxy", { kind: "assign", ids: ["k1"] }, "no proxy"],
  ["no key", { kind: "keys", action: "remove", ids: [] }, "no list of ids"],
  ["ids that are no texts", { kind: "keys", action: "remove", ids: [7] }, "no list of ids"],
  ["an action that is not for the panel", { kind: "keys", action: "export", ids: ["k1"] }, '"export"'],
  ["a page before the first", { kind: "requests", asked: 1, offset: -1, filter: {} }, '"offset"'],
  ["a filter of its own", { kind: "requests", asked: 1, offset: 0, filter: { secret: "x" } }, '"secret" is not known'],
  ["a page that is not in the package", { kind: "learn", page: "../etc/passwd", section: "x" }, "passwd"],
  ["a field that no intent has", { kind: "ready", key: "x" }, '"key" is not known'],
])("refuses %s", (_what, message, words) => {
  expect(() => parseIntent(message)).toThrow(words);
});

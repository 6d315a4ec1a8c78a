// Only the protocol's intents get through; everything else a page could send is refused with words.

import { expect, it } from "vitest";
import { parseIntent } from "./intents";

it.each([
  { kind: "ready" },
  { kind: "run", command: "addApiKey" },
  { kind: "run_on", command: "removeProxy", id: "p1" },
  { kind: "assign", keyId: "k1", proxyId: null },
  { kind: "assign", keyId: "k1", proxyId: "auto" },
])("takes %j as it is", (intent) => {
  expect(parseIntent(intent)).toEqual(intent);
});

it.each([
  ["nothing", undefined, "object"],
  ["a text", "ready", "object"],
  ["a list", [], "object"],
  ["an unknown intent", { kind: "eval" }, '"eval"'],
  ["a command that is not for the panel", { kind: "run", command: "rotateLocalToken" }, '"rotateLocalToken"'],
  ["a command of another extension", { kind: "run", command: "workbench.action.quit" }, "quit"],
  ["a row's command without its row", { kind: "run_on", command: "removeApiKey" }, '"id" is missing'],
  ["an id that is no text", { kind: "run_on", command: "removeApiKey", id: 7 }, '"id" must be text'],
  ["no proxy", { kind: "assign", keyId: "k1" }, "no proxy"],
  ["a field that no intent has", { kind: "ready", key: "x" }, '"key" is not known'],
])("refuses %s", (_what, message, words) => {
  expect(() => parseIntent(message)).toThrow(words);
});

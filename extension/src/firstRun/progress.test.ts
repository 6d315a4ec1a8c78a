// The walkthrough opens by itself once, for somebody without keys, and never against the editor's own settings.

import { expect, it } from "vitest";
import type { KeyView, RequestView, Snapshot } from "../../../native/addon/types.gen";
import { nothingYet } from "../core/nothingYet";
import { opensWalkthrough, progressOf } from "./progress";

const ready: Snapshot = { ...nothingYet, endpoint: { kind: "stopped" } };
const withKey: Snapshot = { ...ready, keys: [{} as KeyView] };
const fresh = { decided: false, startupEditor: "welcomePage", openOnInstall: true };

it.each([
  ["a fresh installation", ready, fresh, true],
  ["before the keys are known", nothingYet, fresh, undefined],
  ["with a key", withKey, fresh, false],
  ["a second time", ready, { ...fresh, decided: true }, false],
  ["where nothing may open at the start", ready, { ...fresh, startupEditor: "none" }, false],
  ["where walkthroughs may not open", ready, { ...fresh, openOnInstall: false }, false],
])("%s", (_when, snapshot, welcome, opens) => {
  expect(opensWalkthrough(snapshot, welcome)).toBe(opens);
});

it("steps are done when there is what they are for", () => {
  expect(progressOf(ready)).toEqual({ hasKeys: false, hasProxies: false, hasServed: false });
  expect(progressOf(withKey)).toEqual({ hasKeys: true, hasProxies: false, hasServed: false });
  const asked = (...methods: string[]) => ({
    ...ready,
    requests: methods.map((method) => ({ method }) as RequestView),
  });
  expect(progressOf(asked("GET")).hasServed, "the editor's chat lists models by itself").toBe(false);
  expect(progressOf(asked("GET", "POST")).hasServed).toBe(true);
});

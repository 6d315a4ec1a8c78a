// A warning's kind decides what the user is offered, so that a setting must not be taken for lost keys.

import { expect, it } from "vitest";
import { lostKeys } from "../vault/canary";
import { kindOfWarning } from "./sort";

const memory = (stored: unknown) => ({ get: () => stored, update: async () => {} });

it("tells lost keys, settings and stored data apart", () => {
  const lost = lostKeys(memory(3), 0) ?? "";
  expect(kindOfWarning(lost, memory(3))).toBe("keys_lost");
  expect(kindOfWarning("The setting geminiAggregator.port: too high.", memory(3))).toBe("settings");
  expect(kindOfWarning("The stored secret is damaged.", memory(3))).toBe("stored_data");
  expect(kindOfWarning("The stored secret is damaged.", memory(undefined))).toBe("stored_data");
});

// Keys that vanished from the secret storage are told about; a first start and a user's own removal are not.

import { expect, it } from "vitest";
import { lostKeys, type Memory, rememberKeyCount } from "./canary";

function memory(): Memory {
  const values = new Map<string, unknown>();
  return {
    get: (name) => values.get(name),
    update: async (name, value) => void values.set(name, value),
  };
}

it("says how many keys are gone", async () => {
  const kept = memory();
  await rememberKeyCount(kept, 3);
  expect(lostKeys(kept, 0)).toContain("the 3 API keys");
  expect(lostKeys(kept, 2)).toBeUndefined();
});

it("says nothing on a first start, nor after the last key was removed", async () => {
  const kept = memory();
  expect(lostKeys(kept, 0)).toBeUndefined();
  await rememberKeyCount(kept, 1);
  await rememberKeyCount(kept, 0);
  expect(lostKeys(kept, 0)).toBeUndefined();
});

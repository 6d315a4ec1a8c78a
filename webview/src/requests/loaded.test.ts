// The list stays whole while requests come in and older ones are fetched.

import { expect, it } from "vitest";
import type { RequestView } from "../protocol";
import { withNewest, withOlder } from "./loaded";

const list = (ids: string) => [...ids].map((id) => ({ id })) as RequestView[];
const ids = (requests: readonly RequestView[]) => requests.map((request) => request.id).join("");

it("lays new requests in front of those known", () => {
  expect(ids(withNewest(list("cba"), list("edc"), 9))).toBe("edcba");
  expect(ids(withNewest([], list("cb"), 9))).toBe("cb");
  const known = list("cba");
  expect(withNewest(known, list("cb"), 9)).toBe(known);
});

it("begins anew when more came in than the snapshot shows", () => {
  expect(ids(withNewest(list("cba"), list("zyx"), 9))).toBe("zyx");
});

it("lets go of what the core keeps no more", () => {
  expect(ids(withNewest(list("cba"), list("edc"), 4))).toBe("edcb");
  expect(ids(withNewest(list("cba"), list("cb"), 2))).toBe("cb");
});

it("lays older ones behind, each once though all moved down meanwhile", () => {
  expect(ids(withOlder(list("dc"), list("cba")))).toBe("dcba");
});

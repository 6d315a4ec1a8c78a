// The list stays whole while requests come in and older ones are fetched.

import { expect, it } from "vitest";
import type { RequestView } from "../protocol";
import { withNewest, withOlder } from "./loaded";

const list = (ids: string) => [...ids].map((id) => ({ id })) as RequestView[];
const ids = (requests: readonly RequestView[]) => requests.map((request) => request.id).join("");

it("lays new requests in front of those known", () => {
  expect(ids(withNewest(list("cba"), list("edc")))).toBe("edcba");
  expect(ids(withNewest([], list("cb")))).toBe("cb");
  const known = list("cba");
  expect(withNewest(known, list("cb"))).toBe(known);
});

it("begins anew when more came in than the snapshot shows", () => {
  expect(ids(withNewest(list("cba"), list("zyx")))).toBe("zyx");
});

it("lays older ones behind, each once though all moved down meanwhile", () => {
  expect(ids(withOlder(list("dc"), list("cba")))).toBe("dcba");
});

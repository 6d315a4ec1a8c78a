// Selecting is what people know from lists: one by one, a range with Shift, all that is shown.

import { expect, it } from "vitest";
import { allPressed, nothingSelected, pressed, stillThere } from "./selection";

const shown = ["a", "b", "c", "d"];
const ids = (selection: { ids: ReadonlySet<string> }) => [...selection.ids].sort().join("");

it("takes one, gives it back, and reaches from the last with Shift", () => {
  const one = pressed(nothingSelected, "b", shown, false);
  expect(ids(one)).toBe("b");
  expect(ids(pressed(one, "b", shown, false))).toBe("");
  expect(ids(pressed(one, "d", shown, true))).toBe("bcd");
  expect(ids(pressed(pressed(one, "d", shown, true), "c", shown, true))).toBe("b");
});

it("takes only the row itself when the range's beginning is not shown", () => {
  const hidden = pressed(nothingSelected, "x", ["x"], false);
  expect(ids(pressed(hidden, "c", shown, true))).toBe("cx");
});

it("takes all that are shown and lets them go again, others stay", () => {
  const hidden = pressed(nothingSelected, "x", ["x"], false);
  const all = allPressed(hidden, shown);
  expect(ids(all)).toBe("abcdx");
  expect(ids(allPressed(all, shown))).toBe("x");
});

it("forgets rows that are gone", () => {
  const all = allPressed(nothingSelected, shown);
  expect(ids(stillThere(all, new Set(["a", "d"])))).toBe("ad");
  expect(stillThere(all, new Set(shown))).toBe(all);
});

// A column sorts up, then down, then not at all; what has no value comes last; names sort as people count.

import { expect, it } from "vitest";
import { ariaSort, nextSort, sorted } from "./sort";

const rows = [
  { name: "key 10", used: 5 },
  { name: "key 9", used: null },
  { name: "Key 1", used: 7 },
];
const keys = { name: (row: (typeof rows)[number]) => row.name, used: (row: (typeof rows)[number]) => row.used };
const names = (column: string, down: boolean) => sorted(rows, keys, { column, down }).map((row) => row.name);

it("sorts names as people count, and numbers by size, those without last", () => {
  expect(names("name", false)).toEqual(["Key 1", "key 9", "key 10"]);
  expect(names("name", true)).toEqual(["key 10", "key 9", "Key 1"]);
  expect(names("used", false)).toEqual(["key 10", "Key 1", "key 9"]);
  expect(names("used", true)).toEqual(["Key 1", "key 10", "key 9"]);
});

it("leaves the order entered without a sort, or with one of a column that is gone", () => {
  expect(sorted(rows, keys, null)).toBe(rows);
  expect(names("gone", false)).toEqual(rows.map((row) => row.name));
});

it("goes up, down and back with each press, and says so", () => {
  const up = nextSort(null, "name");
  const down = nextSort(up, "name");
  expect([up, down, nextSort(down, "name")]).toEqual([
    { column: "name", down: false },
    { column: "name", down: true },
    null,
  ]);
  expect(nextSort(down, "used")).toEqual({ column: "used", down: false });
  expect([ariaSort(up, "name"), ariaSort(down, "name"), ariaSort(up, "used")]).toEqual([
    "ascending",
    "descending",
    "none",
  ]);
});

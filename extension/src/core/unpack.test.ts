// The packed addon becomes a whole file once, an update replaces it, and a packed text that is damaged leaves nothing.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { unpacked } from "./unpack";

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "aggregator-unpack-"));
});
afterEach(() => rmSync(place, { recursive: true }));

function packed(text: string): string {
  const file = join(place, "addon.br");
  writeFileSync(file, brotliCompressSync(text));
  return file;
}

test("unpacked once, then found", () => {
  const folder = join(place, "deeper", "addon");
  const file = unpacked(packed("first"), folder);
  expect(readFileSync(file, "utf8")).toBe("first");
  const made = statSync(file).mtimeMs;
  expect(unpacked(packed("first"), folder)).toBe(file);
  expect(statSync(file).mtimeMs).toBe(made);
});

test("an update brings a file of its own, and the old one goes", () => {
  const first = unpacked(packed("first"), place);
  const second = unpacked(packed("second"), place);
  expect(second).not.toBe(first);
  expect(readdirSync(place).filter((name) => name.endsWith(".node"))).toHaveLength(1);
  expect(readFileSync(second, "utf8")).toBe("second");
});

test("what cannot be unpacked is an error and leaves no file", () => {
  const file = packed("whole");
  writeFileSync(file, readFileSync(file).subarray(0, 4));
  expect(() => unpacked(file, join(place, "addon"))).toThrow();
  expect(readdirSync(join(place, "addon"))).toEqual([]);
});

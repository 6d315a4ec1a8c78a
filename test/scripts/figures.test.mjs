// The benchmark's words: tables in line, ratios to nginx, and a missed bound
// that is said. It must not measure anything.

import assert from "node:assert/strict";
import { test } from "node:test";
import { missedBounds, table, throughputTable, tunnelsLine } from "../../scripts/lib/figures.mjs";

const way = { perSecond: 50_000, p50Ms: 0.2, p99Ms: 2, cpuMicrosPerRequest: 16, residentMb: 7, spread: 0.05 };

test("the columns of a table are in line", () => {
  const lines = table([
    ["", "a wide header"],
    ["a long name", "1"],
  ]).split("\n");
  assert.equal(lines.length, 3);
  assert.equal(new Set(lines.map((line) => line.length)).size, 1);
  assert.match(lines[1] ?? "", /^\|-+\|-+:\|$/);
});

test("the gateway stands beside nginx, with the machine's noise", () => {
  const direct = { ...way, name: "direct", cpuMicrosPerRequest: null, residentMb: null };
  const gateway = { ...way, name: "gateway", perSecond: 30_000, cpuMicrosPerRequest: 28 };
  const text = throughputTable({ direct, nginx: { ...way, name: "nginx" }, gateway });
  assert.match(text, /through the gateway +\| +30000 \| +0\.60× .* 28\.0 \| +1\.75× /);
  assert.match(text, /differ by 5 % /);
});

test("more than three tunnels miss the bound", () => {
  const three = { requests: 1000, tunnels: 3, seconds: 1 };
  assert.deepEqual(missedBounds(three), []);
  assert.match(tunnelsLine(three), /3 tunnels \(within/);
  assert.match(missedBounds({ ...three, tunnels: 4 })[0] ?? "", /4 tunnels \(BEYOND/);
});

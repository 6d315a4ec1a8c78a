// The last line of `npm test` is what people and CI believe, so the reading of
// each runner's totals is tested on what the runners really print: when all is
// well, when tests fail, and when a runner breaks before it can count.

import assert from "node:assert/strict";
import { test } from "node:test";
import { libtestTotals, nextestTotals, nodeTestTotals, vitestTotals } from "../../scripts/lib/totals.mjs";

test("nextest: passed, failed and skipped are read from the summary", () => {
  const line = "     Summary [   1.204s] 14 tests run: 11 passed (1 slow), 2 failed, 1 timed out, 3 skipped\n";
  assert.deepEqual(nextestTotals(line), { passed: 11, failed: 3, skipped: 3 });
});

test("nextest: tests that were cancelled count as failed", () => {
  const line = "     Summary [   0.300s] 5/9 tests run: 4 passed, 1 failed, 0 skipped\n";
  assert.deepEqual(nextestTotals(line), { passed: 4, failed: 5, skipped: 0 });
});

test("cargo test: the results of all binaries are added up", () => {
  const output = [
    "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
    "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.02s",
  ].join("\n\n");
  assert.deepEqual(libtestTotals(output), { passed: 7, failed: 1, skipped: 1 });
});

test("node:test: cancelled tests count as failed, todo as skipped, in both reporters' spelling", () => {
  const counts = ["tests 9", "pass 5", "fail 1", "cancelled 1", "skipped 1", "todo 1"];
  for (const mark of ["ℹ", "#"]) {
    const output = counts.map((count) => `${mark} ${count}`).join("\n");
    assert.deepEqual(nodeTestTotals(output), { passed: 5, failed: 2, skipped: 2 });
  }
});

test("node:test: a test that prints such a line itself does not change the totals", () => {
  assert.deepEqual(nodeTestTotals("# pass 99\n# fail 0\nℹ pass 1\nℹ fail 1\n"), { passed: 1, failed: 1, skipped: 0 });
});

test("vitest: a file that could not be loaded is a failure although no test failed", () => {
  const report = { success: false, numPassedTests: 3, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
  assert.deepEqual(vitestTotals(JSON.stringify(report)), { passed: 3, failed: 1, skipped: 0 });
});

test("a runner that breaks before it counts gives no totals", () => {
  for (const read of [nextestTotals, libtestTotals, nodeTestTotals]) {
    assert.equal(read("error: could not compile `core`\n"), undefined);
  }
});

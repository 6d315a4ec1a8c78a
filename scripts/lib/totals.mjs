// Reads how many tests passed, failed and were skipped out of what the test
// runners print: cargo nextest, cargo test, node:test and vitest. Gives undefined
// where a runner printed no totals. It must not decide what a total means for
// the whole run.

/** @typedef {{passed: number, failed: number, skipped: number}} Totals */

/** @param {string} output of `cargo nextest run` @returns {Totals | undefined} */
export function nextestTotals(output) {
  const summary = /Summary \[[^\]]*\]\s+(?:\d+\/)?(\d+) tests? run: (.*)/.exec(output);
  if (!summary) return undefined;
  const counted = (/** @type {string} */ word) => Number(new RegExp(`(\\d+) ${word}`).exec(summary[2])?.[1] ?? 0);
  const passed = counted("passed");
  // Whatever ran and did not pass has failed: nextest has several names for it.
  return { passed, failed: Number(summary[1]) - passed, skipped: counted("skipped") };
}

/** @param {string} output of `cargo test`, with one result a binary @returns {Totals | undefined} */
export function libtestTotals(output) {
  const results = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)];
  if (results.length === 0) return undefined;
  const sum = (/** @type {number} */ group) => results.reduce((total, result) => total + Number(result[group]), 0);
  return { passed: sum(1), failed: sum(2), skipped: sum(3) };
}

/** @param {string} output of `node --test` with the spec or TAP reporter @returns {Totals | undefined} */
export function nodeTestTotals(output) {
  const counted = (/** @type {string} */ word) => {
    const counts = [...output.matchAll(new RegExp(`^(?:ℹ|#) ${word} (\\d+)$`, "gm"))];
    return counts.length === 0 ? undefined : Number(counts[counts.length - 1][1]);
  };
  const passed = counted("pass");
  if (passed === undefined) return undefined;
  return {
    passed,
    failed: (counted("fail") ?? 0) + (counted("cancelled") ?? 0),
    skipped: (counted("skipped") ?? 0) + (counted("todo") ?? 0),
  };
}

/** @param {string} json vitest's JSON report @returns {Totals | undefined} */
export function vitestTotals(json) {
  const report = JSON.parse(json);
  const failed = report.numFailedTests;
  return {
    passed: report.numPassedTests,
    // A file that could not even be loaded has no failed test of its own.
    failed: failed === 0 && !report.success ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

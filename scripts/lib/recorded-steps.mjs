// Lets a test run go as ever and writes down beside it what every step gave and
// how long it took. It must not know what the steps are, nor change them.

/** @typedef {import("./test-run.mjs").Step} Step */
/** @typedef {{name: string, counted: boolean, totals: import("./totals.mjs").Totals, seconds: number}} Record a step that ran */

/**
 * The same steps; each adds its record when it has ended, also when it threw.
 * @param {Step[]} steps @param {Record[]} records
 * @returns {Step[]}
 */
export function recordedSteps(steps, records) {
  return steps.map((step) => ({
    ...step,
    async work(show) {
      const begun = Date.now();
      const record = (/** @type {import("./totals.mjs").Totals} */ totals) => {
        const counted = !step.uncounted || totals.failed > 0;
        records.push({ name: step.name, counted, totals, seconds: (Date.now() - begun) / 1000 });
      };
      try {
        const result = await step.work(show);
        record(result.totals);
        return result;
      } catch (error) {
        record({ passed: 0, failed: 1, skipped: 0 });
        throw error;
      }
    },
  }));
}

/** What the counted steps of a run come to. @param {Record[]} records */
export function sumOf(records) {
  const counted = records.filter(({ counted }) => counted);
  return {
    passed: counted.reduce((sum, { totals }) => sum + totals.passed, 0),
    failed: counted.reduce((sum, { totals }) => sum + totals.failed, 0),
    seconds: records.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}

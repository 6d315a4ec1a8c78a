// Lets a test run go as ever and writes down beside it what every step gave and
// how long it took. It must not know what the steps are, nor change them.

/** @typedef {import("./test-run.mjs").Step} Step */
/** @typedef {{name: string, counted: boolean, totals: import("./totals.mjs").Totals, seconds: number, said?: string[]}} Record a step that ran;
 *   `said`: the figures that its tests told */

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
      const record = (/** @type {import("./totals.mjs").Totals} */ totals, output = "") => {
        const counted = !step.uncounted || totals.failed > 0;
        const seconds = (Date.now() - begun) / 1000;
        records.push({ name: step.name, counted, totals, seconds, said: diagnostics(output) });
      };
      try {
        const result = await step.work(show);
        record(result.totals, result.output);
        return result;
      } catch (error) {
        record({ passed: 0, failed: 1, skipped: 0 });
        throw error;
      }
    },
  }));
}

/** What node:test's reporter prints of `t.diagnostic`, without its own totals. @param {string} output */
function diagnostics(output) {
  const lines = [...output.matchAll(/^ℹ (.+)$/gm)].map(([, words = ""]) => words);
  return lines.filter((words) => !/^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/.test(words));
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

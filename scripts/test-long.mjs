// `npm run test:long`: everything that `npm test` runs, three times in a row,
// then the scenarios at full count, mutants and the benchmark; writes
// docs/quality.md. Flags, of which the report tells: --runs N, --fast (only the
// fast steps), --requests N, --no-mutants, --only WORDS (of the steps at full
// count those whose name holds one of the comma-separated words).
// Ends with the plain line of totals; non-zero when a run failed or a bound was
// missed. It must not know what the steps are.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { longSteps } from "./lib/long-steps.mjs";
import { inRoot } from "./lib/paths.mjs";
import { run } from "./lib/processes.mjs";
import { recordedSteps, sumOf } from "./lib/recorded-steps.mjs";
import { runSteps } from "./lib/test-run.mjs";
import { allSteps, fastSteps } from "./lib/test-steps.mjs";

/** @typedef {import("./lib/recorded-steps.mjs").Record} Record */

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "3" },
    fast: { type: "boolean", default: false },
    requests: { type: "string", default: "10000" },
    "no-mutants": { type: "boolean", default: false },
    only: { type: "string" },
  },
});

complainOfNoStep();
const at = new Date();
const commit = await describeCommit();
const runs = await runSuite(Number(values.runs));
const full = await runFull();
const failed = await report(runs, full);
const sums = [...runs, full.records].map(sumOf);
console.log(`${total(sums, "passed")} passed, ${total(sums, "failed")} failed`);
process.exit(failed ? 1 : 0);

/** @param {number} times */
async function runSuite(times) {
  /** @type {Record[][]} */
  const all = [];
  for (let run = 1; run <= times; run += 1) {
    console.log(`\n══ Run ${run} of ${times} ${"═".repeat(58)}`);
    /** @type {Record[]} */
    const records = [];
    await runSteps(recordedSteps(values.fast ? fastSteps() : allSteps(), records));
    all.push(records);
  }
  return all;
}

/** What is run once, at full count. */
async function runFull() {
  console.log(`\n══ At full count ${"═".repeat(58)}`);
  /** @type {Record[]} */
  const records = [];
  /** @type {import("./lib/mutants.mjs").Mutants} */
  const mutants = { files: [], missed: [] };
  const steps = longSteps(values["no-mutants"] ? null : mutants);
  const chosen = steps.filter(({ name }) => isAskedFor(name));
  await runSteps(recordedSteps(chosen, records));
  return { records, mutants, left: steps.filter((step) => !chosen.includes(step)).map(({ name }) => name) };
}

/** Words that no step bears are a slip: nothing would run, and the report would be of nothing. */
function complainOfNoStep() {
  const names = longSteps({ files: [], missed: [] }).map(({ name }) => name);
  if (names.some(isAskedFor)) return;
  console.error(`--only "${values.only}" is in no step's name. The steps are:\n- ${names.join("\n- ")}`);
  process.exit(2);
}

/** @param {string} step its name */
function isAskedFor(step) {
  return values.only === undefined || values.only.split(",").some((words) => step.includes(words.trim()));
}

/**
 * Measures, writes the report, and says whether anything was wrong.
 * @param {Record[][]} runs @param {Awaited<ReturnType<typeof runFull>>} full
 */
async function report(runs, full) {
  // Loaded here: on a bare machine the first run has just installed what they need.
  const { measureThroughput, ROUNDS } = await import("../test/load/throughput.mjs");
  const { countTunnels } = await import("../test/load/tunnels.mjs");
  const { measureFleet } = await import("../test/load/fleet.mjs");
  const { measureTranslation } = await import("../test/load/translation.mjs");
  const { faults, qualityReport } = await import("./lib/quality-report.mjs");
  const log = (/** @type {string} */ line) => console.log(line);
  const tunnels = await countTunnels(Number(values.requests));
  const throughput = await measureThroughput({ ...ROUNDS, log });
  const figures = { throughput, tunnels, fleets: await measureFleet(), translation: await measureTranslation() };
  writeFileSync(inRoot("docs", "quality.md"), qualityReport({ at, commit, runs, full, ...figures }));
  const all = faults({ runs, full, ...figures });
  for (const fault of all) console.error(fault);
  console.log("\nThe report is in docs/quality.md.\n");
  return all.length > 0;
}

/** The commit, and whether the tree differs from it. A report of its own does not count. */
async function describeCommit() {
  const git = (/** @type {string[]} */ ...args) => run("git", args, { cwd: inRoot(), timeoutMs: 30_000 });
  const head = await git("rev-parse", "--short=12", "HEAD");
  if (head.code !== 0) return "not a git checkout";
  const changed = await git("status", "--porcelain", "--", ".", ":!docs/quality.md");
  return changed.output.trim() === "" ? head.output.trim() : `${head.output.trim()}, with changes not committed`;
}

/** @param {ReturnType<typeof sumOf>[]} sums @param {"passed" | "failed"} what */
function total(sums, what) {
  return sums.reduce((sum, one) => sum + one[what], 0);
}

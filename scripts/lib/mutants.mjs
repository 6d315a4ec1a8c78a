// cargo-mutants on the files whose every branch decides about somebody's key:
// small changes to the code, one at a time, and whether a unit test notices. It
// works on a copy outside the checkout. The bound and the files are named here;
// how figures look in the report is not known.

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inRoot, runtimeDir } from "./paths.mjs";
import { must, run } from "./processes.mjs";

/** @typedef {{file: string, caught: number, missed: number, unviable: number}} FileMutants */
/** @typedef {{files: FileMutants[], missed: string[]}} Mutants `missed` names each change that no test noticed */

/** Of the mutants that compile, so many must be noticed, in each file. */
export const LEAST_CAUGHT = 0.8;
const VERSION = "27.1.0";
const SOURCES = [
  "native/core/src/dispatch/judge.rs",
  "native/core/src/dispatch/upstream_error.rs",
  "native/core/src/keys/circuit.rs",
];
const HOUR = 3_600_000;

/**
 * @param {Mutants} mutants filled with what came of them
 * @returns {import("./test-run.mjs").Step}
 */
export function mutantsStep(mutants) {
  return {
    name: "Mutants of the judge and the breaker",
    async work(show) {
      await ensureCargoMutants(show);
      const { output, report } = await mutate(show);
      Object.assign(mutants, mutantsOf(report));
      const low = mutants.files.filter((file) => shareCaught(file) < LEAST_CAUGHT).length;
      const passed = mutants.files.length - low;
      return { totals: { passed, failed: passed === 0 ? Math.max(low, 1) : low, skipped: 0 }, output };
    },
  };
}

/** @param {(text: string) => void} show */
async function mutate(show) {
  const out = join(runtimeDir, "mutants");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const files = SOURCES.flatMap((file) => ["--file", file]);
  // The unit tests of the modules that use these files: the others would only take time, once for each mutant.
  const tests = ["--lib", "--", "dispatch::", "keys::", "pools::"];
  const args = ["mutants", "-p", "aggregator-core", ...files, "--output", out, "--no-times", "--", ...tests];
  // The copies are built apart from the checkout's own target folder, which would only be rebuilt over and over.
  const env = { ...process.env, CARGO_TERM_COLOR: "never", CARGO_TARGET_DIR: undefined, TMPDIR: tmpdir() };
  const options = { cwd: inRoot(), env, timeoutMs: 2 * HOUR, onOutput: show };
  // It ends with 2 when a mutant was missed and with 3 when one ran out of time: the bound decides here.
  const { code, output } = await run("cargo", args, options);
  if (![0, 2, 3].includes(code)) throw new Error(`cargo mutants ended with ${code}:\n${output.slice(-4000)}`);
  return { output, report: JSON.parse(readFileSync(join(out, "mutants.out", "outcomes.json"), "utf8")) };
}

/** Built from the registry once; it belongs to the machine, as cargo itself does. @param {(text: string) => void} show */
async function ensureCargoMutants(show) {
  const { code } = await run("cargo", ["mutants", "--version"], { cwd: inRoot(), timeoutMs: 60_000 });
  if (code === 0) return;
  show(`Installing cargo-mutants ${VERSION} (once).\n`);
  const args = ["install", "cargo-mutants", "--locked", "--version", VERSION];
  await must("cargo", args, { cwd: inRoot(), timeoutMs: HOUR, onOutput: show });
}

/**
 * What cargo-mutants' outcomes.json says. A mutant that made the tests run for ever was noticed as well.
 * @param {{outcomes: {scenario: string | {Mutant: {name: string, file: string}}, summary: string}[]}} report
 * @returns {Mutants}
 */
export function mutantsOf(report) {
  /** @type {Map<string, FileMutants>} */
  const files = new Map();
  /** @type {string[]} */
  const missed = [];
  for (const { scenario, summary } of report.outcomes) {
    if (typeof scenario === "string") continue;
    const { name, file } = scenario.Mutant;
    const figures = files.get(file) ?? { file, caught: 0, missed: 0, unviable: 0 };
    files.set(file, figures);
    if (summary === "Unviable") figures.unviable += 1;
    else if (summary === "CaughtMutant" || summary === "Timeout") figures.caught += 1;
    else {
      figures.missed += 1;
      missed.push(name);
    }
  }
  return { files: [...files.values()], missed };
}

/** @param {FileMutants} figures */
export function shareCaught({ caught, missed }) {
  return caught + missed === 0 ? 0 : caught / (caught + missed);
}

// Runs the steps of a test run one after another, shows that it is alive, keeps
// each step's whole output in a file and adds up the totals. It must not know
// what any step does; a step is a name, some work and a time it may take.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inRoot } from "./paths.mjs";
import { run } from "./processes.mjs";

/** @typedef {import("./totals.mjs").Totals} Totals */
/**
 * @typedef {object} Result
 * @property {Totals} totals
 * @property {string} output
 */
/**
 * @typedef {object} Step
 * @property {string} name
 * @property {(show: (text: string) => void) => Promise<Result>} work
 * @property {boolean} [essential] when it fails, nothing after it can be trusted and the run ends
 * @property {boolean} [uncounted] preparation: counts only when it fails
 */

const logs = inRoot(".runtime", "test-logs");
const TAIL_LINES = 150;
const HEARTBEAT_MS = 20_000;

/**
 * Runs every step and prints the totals as the last line. Gives the exit code.
 * @param {Step[]} steps
 */
export async function runSteps(steps) {
  mkdirSync(logs, { recursive: true });
  const started = Date.now();
  const sum = { passed: 0, failed: 0, skipped: 0 };
  /** @type {string[]} */
  const table = [];
  for (const [index, step] of steps.entries()) {
    console.log(`\n── ${index + 1}/${steps.length} ${step.name} ${"─".repeat(Math.max(3, 70 - step.name.length))}`);
    const begun = Date.now();
    const { totals } = await runStep(step, index);
    const counted = !step.uncounted || totals.failed > 0;
    if (counted) add(sum, totals);
    const verdict = totals.failed === 0 ? "ok    " : "FAILED";
    const line = `${verdict} ${step.name}: ${counted ? `${words(totals)} in ` : ""}${seconds(begun)}`;
    table.push(line);
    console.log(line);
    if (totals.failed > 0 && step.essential) {
      table.push(`       The ${steps.length - index - 1} steps after it were not run.`);
      break;
    }
  }
  console.log(`\nAll steps, ${seconds(started)}; their whole output is in .runtime/test-logs:\n${table.join("\n")}\n`);
  console.log(words(sum));
  return sum.failed === 0 ? 0 : 1;
}

/** @param {Totals} sum @param {Totals} totals */
function add(sum, totals) {
  sum.passed += totals.passed;
  sum.failed += totals.failed;
  sum.skipped += totals.skipped;
}

/** @param {Step} step @param {number} index @returns {Promise<Result>} */
async function runStep(step, index) {
  let shown = Date.now();
  let lastLine = "";
  const begun = Date.now();
  const show = (/** @type {string} */ text) => {
    lastLine = text.trimEnd().split("\n").at(-1) ?? lastLine;
  };
  const heartbeat = setInterval(() => {
    if (Date.now() - shown < HEARTBEAT_MS) return;
    shown = Date.now();
    console.log(`   … ${seconds(begun)}: ${lastLine.trim().slice(0, 110)}`);
  }, 1000);
  /** @type {Result} */
  let result;
  try {
    result = await step.work(show);
  } catch (error) {
    result = {
      totals: { passed: 0, failed: 1, skipped: 0 },
      output: String(error instanceof Error ? error.stack : error),
    };
  }
  clearInterval(heartbeat);
  writeFileSync(join(logs, `${String(index + 1).padStart(2, "0")}-${slug(step.name)}.log`), result.output);
  if (result.totals.failed > 0) console.log(result.output.trimEnd().split("\n").slice(-TAIL_LINES).join("\n"));
  return result;
}

/**
 * Work that is one program: with `totals`, its tests are counted; without, it is itself one check.
 * @param {string} command @param {string[]} args
 * @param {{timeoutMs: number, env?: Record<string, string>, totals?: (output: string) => Totals | undefined}} options
 * @returns {Step["work"]}
 */
export function program(command, args, { timeoutMs, env, totals }) {
  return async (show) => {
    const { code, output } = await run(command, args, {
      cwd: inRoot(),
      timeoutMs,
      env: { ...process.env, CI: "1", NO_COLOR: "1", FORCE_COLOR: undefined, CARGO_TERM_COLOR: "never", ...env },
      onOutput: show,
    });
    return { output, totals: totals ? judge(code, totals(output)) : oneCheck(code) };
  };
}

/** @param {number} code @returns {Totals} */
function oneCheck(code) {
  return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

/**
 * Invariant: a runner that fails, or that ran nothing, counts as a failure, whatever totals it printed.
 * @param {number} code @param {Totals | undefined} totals @returns {Totals}
 */
function judge(code, totals) {
  if (!totals || totals.passed + totals.failed === 0) return oneCheck(1);
  return code !== 0 && totals.failed === 0 ? { ...totals, failed: 1 } : totals;
}

/** @param {Totals} totals */
function words({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** @param {number} since */
function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

/** @param {string} text */
function slug(text) {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

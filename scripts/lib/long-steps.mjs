// What `npm run test:long` runs once, after the runs of the whole suite: the
// seeded scenarios at full count, fuzzing, and mutants. It names counts and bounds; it
// must not know how steps are run or how their results are written down.

import { fuzzSteps } from "./fuzz.mjs";
import { mutantsStep } from "./mutants.mjs";
import { inRoot } from "./paths.mjs";
import { program } from "./test-run.mjs";
import { libtestTotals, nodeTestTotals } from "./totals.mjs";

/** @typedef {import("./test-run.mjs").Step} Step */

const minutes = (/** @type {number} */ count) => count * 60_000;

/**
 * @param {import("./mutants.mjs").Mutants | null} mutants is filled by the last step; null leaves it out
 * @returns {Step[]}
 */
export function longSteps(mutants) {
  return [
    scenario("10000 cases of answers cut anywhere", "chaos", "cuts::", { CUTS: "10000" }),
    scenario("10000 cases of calls that create, and fail", "chaos", "creations::", { CREATIONS: "10000" }),
    scenario("30000 OpenAI requests held against Gemini's types", "openai_requests", "", { OPENAI_REQUESTS: "30000" }),
    scenario("10000 streams of Gemini's, cut anywhere", "openai_answers", "", { OPENAI_ANSWERS: "10000" }),
    scenario("5000 simulated worlds", "simulation", "", { SIMULATION_RUNS: "5000" }),
    scenario("1000 truncations and flips of every stored text", "damage", "", { FLIPS: "1000" }),
    onBuilt("100000 requests while proxies die and return", "test/contract/fleet.test.mjs", {
      FLEET_REQUESTS: "100000",
      FLEET_RATE: "200",
    }),
    onBuilt("500 edits by two writers under load", "test/addon/fleet-edits.test.mjs", { FLEET_EDITS: "500" }),
    onBuilt("1000 kills while the store writes", "test/faults/kills.test.mjs", { KILLS: "1000" }),
    onBuilt("240 faults of a disk", "test/faults/disk.test.mjs", { FAULTS: "all" }),
    onBuilt("1000000 requests with mixed failures, three ledgers", "test/soak/soak.test.mjs", {
      SOAK_REQUESTS: "1000000",
    }),
    onBuilt("The heap after 40000 and after 160000 requests", "test/heap/heap.test.mjs", {}),
    ...fuzzSteps(),
    ...(mutants ? [mutantsStep(mutants)] : []),
  ];
}

/**
 * A scenario in Node, on what `npm test` has built.
 * @param {string} name @param {string} file @param {Record<string, string>} env
 * @returns {Step}
 */
function onBuilt(name, file, env) {
  const args = ["--test", "--test-reporter=spec", inRoot(...file.split("/"))];
  return { name, work: program(process.execPath, args, { timeoutMs: minutes(75), env, totals: nodeTestTotals }) };
}

/**
 * A Rust test whose count comes from the environment. Its first failure names the seed that repeats it.
 * @param {string} name @param {string} binary @param {string} filter @param {Record<string, string>} env
 * @returns {Step}
 */
function scenario(name, binary, filter, env) {
  const args = ["test", "-p", "aggregator-core", "--locked", "--test", binary, "--", filter, "--nocapture"];
  return {
    name,
    work: program(
      "cargo",
      args.filter((arg) => arg !== ""),
      {
        timeoutMs: minutes(30),
        env: { ...env, CARGO_TARGET_DIR: process.env.CARGO_TARGET_DIR ?? inRoot("target") },
        totals: libtestTotals,
      },
    ),
  };
}

// The report of `npm run test:long` as Markdown: when, which commit, which
// machine, what each run of each step gave, and the figures. It must not run or
// measure anything but the machine itself.

import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import {
  fleetTable,
  missedBounds,
  missedByFleet,
  missedByTranslation,
  mutantsTable,
  table,
  throughputTable,
  translationTable,
  tunnelsLine,
} from "./figures.mjs";
import { sumOf } from "./recorded-steps.mjs";

/** @typedef {import("./recorded-steps.mjs").Record} Record */
/**
 * @typedef {object} Report
 * @property {Date} at
 * @property {string} commit
 * @property {Record[][]} runs of the whole suite
 * @property {{records: Record[], mutants: import("./mutants.mjs").Mutants, left: string[]}} full what ran once, at full
 *   count, and the names of the steps that were left out
 * @property {Awaited<ReturnType<typeof import("../../test/load/throughput.mjs").measureThroughput>>} throughput
 * @property {import("./figures.mjs").Tunnels} tunnels
 * @property {import("./figures.mjs").Fleet[]} fleets
 * @property {import("./figures.mjs").Translation} translation
 */

/** @typedef {Pick<Report, "runs" | "full" | "tunnels" | "fleets" | "translation">} Judged */

/** @param {Report} report @returns {string} */
export function qualityReport({ at, commit, runs, full, throughput, tunnels, fleets, translation }) {
  return `# Quality

Written by \`npm run test:long\`; do not edit. It runs everything that \`npm test\` runs three times in a row, then the
seeded scenarios, mutants and tunnels at full count, then the benchmark (\`npm run bench\`). What was left out this time
is said below.

- Date: ${at.toISOString().slice(0, 16).replace("T", " ")} UTC
- Commit: ${commit}
- Machine: ${machine()}

## ${["The suite", "One run"][runs.length] ?? `${runs.length} runs in a row`}

${runs.length === 0 ? "The suite of `npm test` was left out this time." : runsTable(runs)}

## At full count

${runsTable([full.records])}
${leftOut(full.left)}${figuresOf(full.records)}
## Mutants

Small changes to the code, one at a time: how many of those that compile a unit test notices.

${full.mutants.files.length > 0 ? mutantsTable(full.mutants) : "Not run this time."}

## Tunnels

${tunnelsLine(tunnels)}

## A fleet of keys and proxies

${fleetTable(fleets)}

## The OpenAI dialect

CPU time of one core, without a socket.

${translationTable(translation)}

## Beside nginx

The same requests (small POST, 1.5 KB of JSON as answer, 16 connections) to the same nginx upstream; each way has the measured
program alone on one core.

${throughputTable(throughput.plain, "Plain upstream")}

${throughputTable(throughput.tls, "TLS upstream")}

## Verdict

${verdict({ runs, full, tunnels, fleets, translation })}
`;
}

/** Every fault as a sentence; empty when all is well. @param {Judged} report */
export function faults({ runs, full, tunnels, fleets, translation }) {
  const failed = (/** @type {Record[]} */ records, /** @type {string} */ what) => {
    const names = records.filter(({ totals }) => totals.failed > 0).map(({ name }) => name);
    return names.length > 0 ? [`${what} failed in: ${names.join(", ")}.`] : [];
  };
  const inRuns = runs.flatMap((records, index) => failed(records, `Run ${index + 1}`));
  const missed = [...missedBounds(tunnels), ...missedByFleet(fleets), ...missedByTranslation(translation)];
  return [...inRuns, ...failed(full.records, "The full count"), ...missed];
}

/** @param {Judged} report */
function verdict(report) {
  const all = faults(report);
  return all.length === 0 ? "Every run passed and no bound was missed." : all.map((fault) => `- ${fault}`).join("\n");
}

/** @param {Record[][]} runs */
function runsTable(runs) {
  const names = [...new Set(runs.flatMap((records) => records.map(({ name }) => name)))];
  const header = ["Step", ...runs.map((_, index) => (runs.length > 1 ? `run ${index + 1}` : "result"))];
  const rows = names.map((name) => [name, ...runs.map((records) => cell(records.find((r) => r.name === name)))]);
  const sums = runs.map((records) => {
    const { passed, failed, seconds } = sumOf(records);
    return `${passed} passed, ${failed} failed, ${seconds.toFixed(1)} s`;
  });
  return table([header, ...rows, ["All", ...sums]]);
}

/** @param {string[]} names */
function leftOut(names) {
  return names.length > 0 ? `\n${names.map((name) => `- Left out this time: ${name}.\n`).join("")}` : "";
}

/** What the steps told beside their totals, such as the memory of the soak. @param {Record[]} records */
function figuresOf(records) {
  const lines = records.flatMap(({ name, said = [] }) => said.map((words) => `- ${name}: ${words}\n`));
  return lines.length > 0 ? `\n${lines.join("")}` : "";
}

/** @param {Record | undefined} record */
function cell(record) {
  if (!record) return "not run";
  const { counted, totals, seconds } = record;
  return `${counted ? `${totals.passed} passed, ${totals.failed} failed, ` : ""}${seconds.toFixed(1)} s`;
}

function machine() {
  const cores = cpus();
  const memory = (totalmem() / 2 ** 30).toFixed(1);
  const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? type();
  return `${cores.length} cores (${cores[0]?.model.trim() ?? "unknown"}), ${memory} GiB memory, ${type()} ${release()}, ${system}, Node ${process.versions.node}`;
}

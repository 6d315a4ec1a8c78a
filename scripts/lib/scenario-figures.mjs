// The figures of the load scenarios as a table, with the machine's noise. It must
// not know how they were measured.

import { table } from "./figures.mjs";

/** @typedef {import("../../test/load/scenarios.mjs").Scenario} Scenario */

/** @param {Scenario[]} scenarios the first with nothing between */
export function scenariosTable(scenarios) {
  const ms = (/** @type {number} */ took) => took.toFixed(2);
  const rows = scenarios.map((one) => [
    one.name,
    one.perSecond.toFixed(1),
    ...[one.p50Ms, one.p99Ms, one.p999Ms, one.lateP99Ms].map(ms),
    one.cpuMicrosPerRequest?.toFixed(0) ?? "",
    one.residentMb?.toFixed(1) ?? "",
    String(one.descriptors ?? ""),
    String(one.failed),
  ]);
  const times = ["p50 ms", "p99 ms", "p99.9 ms", "sent late, p99 ms"];
  const header = ["Scenarios", "answered/s", ...times, "CPU µs/request", "memory MiB", "descriptors", "not served"];
  return `${table([header, ...rows])}\n\n${noise(scenarios[0])}`;
}

/** @param {Scenario | undefined} direct */
function noise(direct) {
  if (!direct) return "No scenario was run.";
  return (
    "Latency counts from the time a request was meant to be sent. Noise of the machine: with nothing between, one in a " +
    `hundred takes ${direct.p99Ms.toFixed(2)} ms, of which the load's own lateness is up to ${direct.lateP99Ms.toFixed(2)} ms.`
  );
}

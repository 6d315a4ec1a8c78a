// `npm run bench`: the gateway's cost beside nginx's on the same machine in the
// same minutes, what it adds to a request's latency, its start and idle memory, the scenarios under open-loop load,
// the tunnels that a thousand requests cost, and what a fleet of thousands of keys, the OpenAI dialect and a running
// VS Code cost, as tables.
// Exits non-zero when a promised bound is missed. Flags: --no-build, --rounds N,
// --seconds N (of each run). It must not know how anything is measured.

import { parseArgs } from "node:util";
import { measureEditor } from "../test/load/editor.mjs";
import { measureFleet } from "../test/load/fleet.mjs";
import { measureLatency } from "../test/load/latency.mjs";
import { measureScenarios } from "../test/load/scenarios.mjs";
import { measureStart } from "../test/load/start.mjs";
import { measureThroughput, ROUNDS } from "../test/load/throughput.mjs";
import { measureTranslation } from "../test/load/translation.mjs";
import { countTunnels } from "../test/load/tunnels.mjs";
import { buildProgram } from "./lib/build-native.mjs";
import {
  editorTable,
  fleetTable,
  latencyTable,
  missedBesideNginx,
  missedBounds,
  missedByEditor,
  missedByFleet,
  missedByLatency,
  missedByStart,
  missedByTranslation,
  startTable,
  throughputTable,
  translationTable,
  tunnelsLine,
} from "./lib/figures.mjs";
import { inRoot } from "./lib/paths.mjs";
import { checkPrerequisites } from "./lib/prerequisites.mjs";
import { must } from "./lib/processes.mjs";
import { scenariosTable } from "./lib/scenario-figures.mjs";
import { buildVsix } from "./lib/vsix.mjs";

const REQUESTS = 1000;
const EDITOR_SECONDS = 10;
const SCENARIO_SECONDS = 5;
const LATENCY_SECONDS = 20;
const PLAIN = "Plain upstream";
const TLS = "TLS upstream";
const { values } = parseArgs({
  options: {
    "no-build": { type: "boolean", default: false },
    rounds: { type: "string", default: String(ROUNDS.rounds) },
    seconds: { type: "string", default: String(ROUNDS.seconds) },
  },
});

try {
  if (!values["no-build"]) {
    await checkPrerequisites();
    const onOutput = (/** @type {string} */ text) => process.stderr.write(text);
    await must("bash", [inRoot("test", "setup.sh")], { timeoutMs: 600_000, onOutput });
    await buildProgram();
    await buildVsix(onOutput);
  }
  const log = (/** @type {string} */ line) => console.error(line);
  const throughput = await measureThroughput({ rounds: Number(values.rounds), seconds: Number(values.seconds), log });
  const latency = await measureLatency({ seconds: LATENCY_SECONDS });
  const start = await measureStart();
  const scenarios = await measureScenarios({ seconds: SCENARIO_SECONDS, log });
  const tunnels = await countTunnels(REQUESTS);
  const fleets = await measureFleet();
  const translation = await measureTranslation();
  const editor = await measureEditor({ seconds: EDITOR_SECONDS, log });
  const tables = [
    throughputTable(throughput.plain, PLAIN),
    throughputTable(throughput.tls, TLS),
    latencyTable(latency),
    startTable(start),
    scenariosTable(scenarios),
    tunnelsLine(tunnels),
    fleetTable(fleets),
    translationTable(translation),
    editorTable(editor),
  ];
  console.log(`\n${tables.join("\n\n")}`);
  const missed = [
    ...missedBesideNginx(throughput.plain, PLAIN),
    ...missedBesideNginx(throughput.tls, TLS),
    ...missedByLatency(latency),
    ...missedByStart(start),
    ...missedBounds(tunnels),
    ...missedByFleet(fleets),
    ...missedByTranslation(translation),
    ...missedByEditor(editor),
  ];
  for (const sentence of missed) {
    console.error(`Missed: ${sentence}`);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

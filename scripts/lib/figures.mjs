// Figures (of the benchmark, of the mutants) as tables that read well in a
// terminal and in Markdown, and the verdict on the bounds that the product
// promises. It must not know how anything was measured.

import { LONGEST_DELAY_MS, LONGEST_START_MS, MOST_PACKAGE_MB } from "../../test/load/editor.mjs";
import { LONGEST_LOOKUP_NS, LONGEST_REBALANCE_MS, MOST_GROWTH_PER_KEY } from "../../test/load/fleet.mjs";
import { LONGEST_ADDED_P50_US, LONGEST_ADDED_P99_US } from "../../test/load/latency.mjs";
import { quartiles } from "../../test/load/quartiles.mjs";
import { LONGEST_COLD_START_MS, MOST_IDLE_MB } from "../../test/load/start.mjs";
import { LEAST_PER_SECOND, MOST_CPU } from "../../test/load/throughput.mjs";
import {
  LONGEST_CHAT_US,
  LONGEST_CHUNK_US,
  MOST_COPIED_BYTES,
  MOST_GROWTH_PER_MESSAGE,
} from "../../test/load/translation.mjs";
import { MOST_TUNNELS } from "../../test/load/tunnels.mjs";
import { LEAST_CAUGHT, shareCaught } from "./mutants.mjs";

/** @typedef {import("../../test/load/throughput.mjs").Way} Way */
/** @typedef {Awaited<ReturnType<typeof import("../../test/load/tunnels.mjs").countTunnels>>} Tunnels */
/** @typedef {import("../../test/load/fleet.mjs").Fleet} Fleet */
/** @typedef {import("../../test/load/translation.mjs").Translation} Translation */
/** @typedef {Awaited<ReturnType<typeof import("../../test/load/editor.mjs").measureEditor>>} EditorFigures */
/** @typedef {import("../../test/load/throughput.mjs").Throughput} Throughput */
/** @typedef {Awaited<ReturnType<typeof import("../../test/load/latency.mjs").measureLatency>>} LatencyFigures */

/** @param {Throughput} figures @param {string} upstream how it is spoken to */
export function throughputTable({ direct, nginx, gateway, told }, upstream) {
  const header = [
    upstream,
    "requests/s",
    "of nginx",
    "middle half",
    "p50 ms",
    "p99 ms",
    "CPU µs/request",
    "of nginx",
    "memory MiB",
  ];
  const rows = [
    row("direct, nothing between", direct),
    row("through nginx", nginx),
    row("through the gateway", gateway),
    row("the same, all its events read", told),
  ];
  return `${table([header, ...rows])}\n\n${noise(direct)}`;
}

/** @param {string} name @param {Way} way */
function row(name, way) {
  const { perSecond, cpu } = way.ofNginx;
  return [
    name,
    String(Math.round(way.perSecond.median)),
    ratio(perSecond.median, 1),
    `${perSecond.low.toFixed(2)} to ${perSecond.high.toFixed(2)}`,
    way.p50Ms.toFixed(2),
    way.p99Ms.toFixed(2),
    way.cpuMicrosPerRequest?.toFixed(1) ?? "",
    ratio(cpu?.median ?? null, 1),
    way.residentMb?.toFixed(1) ?? "",
  ];
}

/** @param {Way} direct */
function noise({ perSecond: { low, median: middle, high } }) {
  const percent = Math.round(((high - low) / middle) * 100);
  return `"Of nginx" is the middle one of the rounds, each compared with nginx's turn in it. Noise of the machine: the middle half of the direct runs differs by ${percent} % of their median.`;
}

/** Every bound beside nginx that was missed, as a sentence. @param {Throughput} figures @param {string} upstream */
export function missedBesideNginx({ gateway }, upstream) {
  const perSecond = gateway.ofNginx.perSecond.median;
  const cpu = gateway.ofNginx.cpu?.median ?? Number.NaN;
  return [
    ...(perSecond >= LEAST_PER_SECOND
      ? []
      : [`${upstream}: the gateway serves ${perSecond.toFixed(2)} of nginx's requests/s, below ${LEAST_PER_SECOND}.`]),
    ...(cpu <= MOST_CPU
      ? []
      : [`${upstream}: a request costs ${cpu.toFixed(2)} times nginx's CPU time, beyond ${MOST_CPU}.`]),
  ];
}

/** @param {LatencyFigures} figures */
export function latencyTable({ perSecond, direct, through }) {
  const us = (/** @type {number} */ took) => `${took.toFixed(0)} µs`;
  const added = addedLatency({ perSecond, direct, through });
  return table([
    [`Latency at ${perSecond} requests/s, from the intended time`, "p50", "p99"],
    ["direct, nothing between", us(direct.p50Us), us(direct.p99Us)],
    ["through the gateway", us(through.p50Us), us(through.p99Us)],
    ["added", us(added.p50), us(added.p99)],
  ]);
}

/** Every bound on the added latency that was missed, as a sentence. @param {LatencyFigures} figures */
export function missedByLatency(figures) {
  const { p50, p99 } = addedLatency(figures);
  return [
    ...(p50 < LONGEST_ADDED_P50_US
      ? []
      : [`The gateway adds ${p50.toFixed(0)} µs at the median, beyond ${LONGEST_ADDED_P50_US} µs.`]),
    ...(p99 < LONGEST_ADDED_P99_US
      ? []
      : [`The gateway adds ${p99.toFixed(0)} µs at p99, beyond ${LONGEST_ADDED_P99_US} µs.`]),
  ];
}

/** @param {LatencyFigures} figures */
function addedLatency({ direct, through }) {
  return { p50: through.p50Us - direct.p50Us, p99: through.p99Us - direct.p99Us };
}

/** @param {Tunnels} tunnels */
export function tunnelsLine({ requests, tunnels, seconds }) {
  const verdict = tunnels <= MOST_TUNNELS ? "within" : "BEYOND";
  return `${requests} requests of one key through one CONNECT proxy: ${tunnels} tunnels (${verdict} the bound of ${MOST_TUNNELS}), ${seconds.toFixed(1)} s.`;
}

/** @param {Fleet[]} fleets from the smallest to the largest */
export function fleetTable(fleets) {
  const [smallest] = fleets;
  const rows = fleets.map((fleet, place) => [
    `${fleet.keys} keys over ${fleet.proxies} proxies`,
    `${fleet.rebalanceMs.toFixed(3)} ms`,
    String(fleet.moves),
    ratio(fleet.rebalanceMs, smallest?.rebalanceMs ?? null),
    `${fleet.failureMs.toFixed(3)} ms`,
    ...[fleet.editMs, fleet.startMs].map((took) => `${took.toFixed(3)} ms`),
    ratio(growthPerKey("editMs", fleet, fleets[place - 1]), 1),
    ratio(growthPerKey("startMs", fleet, fleets[place - 1]), 1),
    `${fleet.lookupNs.toFixed(0)} ns`,
    ratio(fleet.lookupNs, smallest?.lookupNs ?? null),
  ]);
  const spread = ["all spread from one proxy", "moves", "growth", "a proxy fails"];
  const edits = ["a key changes", "a start", "a change, per key", "a start, per key"];
  return table([["Fleet", ...spread, ...edits, "lookup", "growth"], ...rows]);
}

/**
 * How much more one key's share of the cost is than in the fleet before; null for the first.
 * @param {"editMs" | "startMs"} what @param {Fleet} fleet @param {Fleet} [before]
 */
function growthPerKey(what, fleet, before) {
  return before ? fleet[what] / fleet.keys / (before[what] / before.keys) : null;
}

/** Every bound that the largest fleet missed, as a sentence. @param {Fleet[]} fleets @returns {string[]} */
export function missedByFleet(fleets) {
  const largest = fleets.at(-1);
  if (!largest) return ["No fleet was measured."];
  const { rebalanceMs, lookupNs } = largest;
  const grows = (/** @type {"editMs" | "startMs"} */ what) => growthPerKey(what, largest, fleets.at(-2)) ?? 0;
  const tooSteep = (/** @type {string} */ name, /** @type {number} */ growth) =>
    growth < MOST_GROWTH_PER_KEY
      ? []
      : [
          `${name} costs ${growth.toFixed(1)} times as much for each key as in the fleet before, beyond ${MOST_GROWTH_PER_KEY}.`,
        ];
  return [
    ...tooSteep("Changing a key of the largest fleet", grows("editMs")),
    ...tooSteep("Starting with the largest fleet", grows("startMs")),
    ...(rebalanceMs < LONGEST_REBALANCE_MS
      ? []
      : [`Rebalancing the largest fleet took ${rebalanceMs.toFixed(1)} ms, beyond ${LONGEST_REBALANCE_MS} ms.`]),
    ...(lookupNs < LONGEST_LOOKUP_NS
      ? []
      : [`Finding a key's proxy took ${lookupNs.toFixed(0)} ns, beyond ${LONGEST_LOOKUP_NS} ns.`]),
  ];
}

/** @param {EditorFigures} figures */
export function editorTable({ starts, idle, loaded, perSecond, packageMb }) {
  const ms = (/** @type {number} */ took) => `${took.toFixed(1)} ms`;
  return table([
    ["In a real VS Code", "figure"],
    ["activation to listening, median of the starts", ms(quartiles(starts).median)],
    ["slowest of them", ms(Math.max(...starts))],
    ["event loop late, nothing to do: median, p99, worst", [idle.p50, idle.p99, idle.max].map(ms).join(", ")],
    [
      `the same at ${Math.round(perSecond)} requests/s, panel open`,
      [loaded.p50, loaded.p99, loaded.max].map(ms).join(", "),
    ],
    ["the package", `${packageMb.toFixed(2)} MB`],
  ]);
}

/** Every bound that the extension missed, as a sentence. @param {EditorFigures} figures @returns {string[]} */
export function missedByEditor({ starts, loaded, packageMb }) {
  const start = quartiles(starts).median;
  return [
    ...(start < LONGEST_START_MS
      ? []
      : [`The endpoint listened ${start.toFixed(0)} ms after activation, beyond ${LONGEST_START_MS} ms.`]),
    ...(loaded.p99 < LONGEST_DELAY_MS
      ? []
      : [`The extension host's event loop is ${loaded.p99.toFixed(1)} ms late at p99, beyond ${LONGEST_DELAY_MS} ms.`]),
    ...(packageMb < MOST_PACKAGE_MB
      ? []
      : [`The package has ${packageMb.toFixed(2)} MB, beyond ${MOST_PACKAGE_MB} MB.`]),
  ];
}

/** @param {Translation} translation */
export function translationTable({ requests, answers }) {
  const us = (/** @type {number} */ took) => `${took.toFixed(1)} µs`;
  const asked = requests.map(({ name, bytes, copiedBytes, us: took }) => {
    return [`${name}, as Gemini's`, `${bytes} bytes`, us(took), `${copiedBytes} bytes`];
  });
  return table([
    ["OpenAI dialect", "size", "CPU time", "copied"],
    ...asked,
    ["chunk of text, as OpenAI's", "", us(answers.textChunkUs), ""],
    ["chunk with a call", "", us(answers.callChunkUs), ""],
    ["answer of 4 KB", "", us(answers.whole4kUs), ""],
    ["answer with an image of 8 MiB", "", `${answers.image8mMs.toFixed(1)} ms`, ""],
  ]);
}

/** Every bound that the translation missed, as a sentence. @param {Translation} translation @returns {string[]} */
export function missedByTranslation({ requests, answers }) {
  const of = (/** @type {string} */ name) => requests.find((request) => request.name === name);
  const [chat, few, many, image] = ["4 KB chat", "10 messages", "1000 messages", "20 MB image"].map(of);
  if (!chat || !few || !many || !image) return ["The translation was not measured whole."];
  const both = chat.us + answers.whole4kUs;
  const chunk = Math.max(answers.textChunkUs, answers.callChunkUs);
  const growth = many.us / 1000 / (few.us / 10);
  /** @type {[boolean, string][]} */
  const bounds = [
    [both < LONGEST_CHAT_US, `A 4 KB chat and its answer took ${both.toFixed(1)} µs, beyond ${LONGEST_CHAT_US} µs.`],
    [chunk < LONGEST_CHUNK_US, `A chunk of a stream took ${chunk.toFixed(1)} µs, beyond ${LONGEST_CHUNK_US} µs.`],
    [
      growth < MOST_GROWTH_PER_MESSAGE,
      `A message of 1,000 costs ${growth.toFixed(1)} times one of 10, beyond ${MOST_GROWTH_PER_MESSAGE}.`,
    ],
    [
      image.copiedBytes < MOST_COPIED_BYTES,
      `Of a request with a large image ${image.copiedBytes} bytes were copied, beyond ${MOST_COPIED_BYTES}.`,
    ],
  ];
  return bounds.filter(([kept]) => !kept).map(([, sentence]) => sentence);
}

/** @param {import("./mutants.mjs").Mutants} mutants */
export function mutantsTable({ files, missed }) {
  const percent = (/** @type {number} */ share) => `${Math.floor(share * 100)} %`;
  const rows = files.map((file) => {
    const verdict = shareCaught(file) < LEAST_CAUGHT ? " BELOW THE BOUND" : "";
    return [file.file, String(file.caught), String(file.missed), `${percent(shareCaught(file))}${verdict}`];
  });
  const header = ["File", "noticed", "not noticed", `share (bound: ${percent(LEAST_CAUGHT)})`];
  const names = missed.map((name) => `- not noticed: \`${name}\``).join("\n");
  return `${table([header, ...rows])}${names === "" ? "" : `\n\n${names}`}`;
}

/** Every bound that was missed, as a sentence. @param {Tunnels} tunnels @returns {string[]} */
export function missedBounds(tunnels) {
  return tunnels.tunnels <= MOST_TUNNELS ? [] : [tunnelsLine(tunnels)];
}

/** @param {number | null} value @param {number | null} base */
function ratio(value, base) {
  return value === null || base === null ? "" : `${(value / base).toFixed(2)}×`;
}

/** A Markdown table with its columns in line. The first row is the header. @param {string[][]} rows */
export function table(rows) {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((cells) => (cells[column] ?? "").length)));
  const line = (/** @type {string[]} */ cells) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  const [header = [], ...body] = rows;
  return [line(header), rule, ...body.map(line)].join("\n");
}

/** @param {import("../../test/load/start.mjs").StartFigures} figures */
export function startTable({ medianMs, slowestMs, residentMb }) {
  return table([
    ["Start with 100 keys, then idle", "figure", "bound"],
    ["start to listening, median", `${medianMs.toFixed(0)} ms`, `${LONGEST_COLD_START_MS} ms`],
    ["the slowest", `${slowestMs.toFixed(0)} ms`, ""],
    ["memory when idle", `${residentMb.toFixed(1)} MB`, `${MOST_IDLE_MB} MB`],
  ]);
}

/** @param {import("../../test/load/start.mjs").StartFigures} figures @returns {string[]} */
export function missedByStart({ medianMs, residentMb }) {
  return [
    ...(medianMs < LONGEST_COLD_START_MS
      ? []
      : [`The program listens after ${medianMs.toFixed(0)} ms, beyond ${LONGEST_COLD_START_MS} ms.`]),
    ...(residentMb < MOST_IDLE_MB
      ? []
      : [`The idle program holds ${residentMb.toFixed(1)} MB, beyond ${MOST_IDLE_MB} MB.`]),
  ];
}

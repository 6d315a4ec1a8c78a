/**
 * heaptrack around the program: every allocation is written down while it runs, and afterwards read as what was in use over
 * time and what was never freed. The program must use the system's allocator, the only one that heaptrack sees. Knows no
 * bound.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../lib/processes.mjs";

/** Where Debian's package keeps its parts. */
const PARTS = "/usr/lib/heaptrack";
const UNITS = { B: 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/**
 * @typedef {object} Heap of one run of the program
 * @property {number} leftBytes allocated and never freed
 * @property {{seconds: number, bytes: number}[]} inUse over the run
 */

/**
 * A program that runs `program` under heaptrack; what it writes lies in the folder.
 * @param {ReturnType<typeof import("../lib/temp.mjs").makeTempDir>} folder @param {string} program
 * @returns {string} its path
 */
export function tracked(folder, program) {
  const lines = [
    "#!/bin/sh",
    `export DUMP_HEAPTRACK_OUTPUT="${folder.path}/raw.$$"`,
    `export LD_PRELOAD=${PARTS}/libheaptrack_preload.so`,
    `exec "${program}" "$@"`,
  ];
  const path = folder.write("tracked", `${lines.join("\n")}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** What the runs left in the folder, in the order in which they began. @param {string} folder @returns {Promise<Heap[]>} */
export async function heapsIn(folder) {
  const numbers = readdirSync(folder).flatMap((name) => /^raw\.(\d+)$/.exec(name)?.[1] ?? []);
  const heaps = [];
  for (const number of numbers.map(Number).sort((a, b) => a - b)) {
    heaps.push(await heapOf(join(folder, `raw.${number}`)));
  }
  return heaps;
}

/** @param {string} raw @returns {Promise<Heap>} */
async function heapOf(raw) {
  const [read, massif] = [`${raw}.read`, `${raw}.massif`];
  await interpret(raw, read);
  const quiet = ["--print-peaks", "0", "--print-allocators", "0", "--print-temporary", "0"];
  const massifs = ["--print-massif", massif, "--massif-threshold", "100"];
  const { stdout } = await run("heaptrack_print", ["--file", read, ...quiet, ...massifs], { timeoutMs: 300_000 });
  const [, figure, unit = "B"] = /^total memory leaked: ([\d.]+)([BKMG])/m.exec(stdout) ?? [];
  if (figure === undefined) throw new Error(`heaptrack told nothing:\n${stdout.slice(-500)}`);
  return { leftBytes: Number(figure) * (UNITS[/** @type {keyof UNITS} */ (unit)] ?? 1), inUse: readMassif(massif) };
}

/** @param {string} raw @param {string} read */
async function interpret(raw, read) {
  const [from, to] = [openSync(raw, "r"), openSync(read, "w")];
  const child = spawn(join(PARTS, "libexec", "heaptrack_interpret"), { stdio: [from, to, "ignore"] });
  closeSync(from);
  closeSync(to);
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`What heaptrack wrote cannot be read: exit code ${code}`);
}

/** @param {string} file @returns {Heap["inUse"]} */
function readMassif(file) {
  const text = readFileSync(file, "utf8");
  const found = text.matchAll(/^time=([\d.]+)\nmem_heap_B=(\d+)$/gm);
  return [...found].map(([, seconds, bytes]) => ({ seconds: Number(seconds), bytes: Number(bytes) }));
}

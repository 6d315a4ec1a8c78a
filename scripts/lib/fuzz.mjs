// libFuzzer on what reads texts of strangers, each target for a bounded time.
// What it finds on the way stays outside the checkout's own corpora; an input
// that breaks something is kept, and the step fails. What must hold is said in
// fuzz/src/checks and not known here.

import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { cacheDir, inRoot, root, runtimeDir } from "./paths.mjs";
import { must, run } from "./processes.mjs";

/** @typedef {import("./test-run.mjs").Step} Step */

const VERSION = "0.13.2";
const TARGETS = ["sse", "requests", "schema", "stream"];
const HOUR = 3_600_000;
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 60);
/** Inputs are small, answers quick: what is longer or slower than this is a finding. */
const LIMITS = ["-max_len=16384", "-timeout=20", "-rss_limit_mb=2048"];
const tool = join(cacheDir, "cargo", "bin", process.platform === "win32" ? "cargo-fuzz.exe" : "cargo-fuzz");

/** One step for each target. @returns {Step[]} */
export function fuzzSteps() {
  return TARGETS.map((target) => ({
    name: `Fuzzing for ${SECONDS} s: ${target}`,
    async work(show) {
      await ensureCargoFuzz(show);
      return fuzz(target, show);
    },
  }));
}

/** @param {string} target @param {(text: string) => void} show */
async function fuzz(target, show) {
  const [found, artifacts] = ["found", "artifacts"].map((name) => join(runtimeDir, "fuzz", name, target));
  for (const folder of [found, artifacts]) mkdirSync(folder, { recursive: true });
  const before = new Set(readdirSync(artifacts));
  // Without a sanitizer: there is no unsafe code here to watch, and a stable compiler is enough.
  const args = [
    "run",
    "--fuzz-dir",
    inRoot("fuzz"),
    "--sanitizer",
    "none",
    target,
    found,
    inRoot("fuzz", "corpus", target),
  ];
  const flags = [`-max_total_time=${SECONDS}`, `-artifact_prefix=${artifacts}/`, ...LIMITS];
  // Built with flags of its own, so never in the folder of the ordinary builds.
  const env = { ...process.env, CARGO_TERM_COLOR: "never", CARGO_TARGET_DIR: undefined };
  const options = { cwd: inRoot("fuzz"), env, timeoutMs: HOUR + SECONDS * 1000, onOutput: show };
  const { code, output } = await run(tool, [...args, "--", ...flags], options);
  const broke = readdirSync(artifacts).filter((name) => !before.has(name));
  const failed = code !== 0 || broke.length > 0 ? Math.max(broke.length, 1) : 0;
  return {
    totals: { passed: failed === 0 ? 1 : 0, failed, skipped: 0 },
    output: output + broke.map((name) => told(target, join(artifacts, name))).join(""),
  };
}

/** @param {string} target @param {string} file */
function told(target, file) {
  const input = readFileSync(file).subarray(0, 2000).toString("utf8");
  return `\n${relative(root, file)} breaks ${target}; put it into fuzz/corpus/${target} and mend it:\n${input}\n`;
}

/** Built from the registry once, inside the checkout. @param {(text: string) => void} show */
async function ensureCargoFuzz(show) {
  if (existsSync(tool)) return;
  show(`Installing cargo-fuzz ${VERSION} (once).\n`);
  const args = ["install", "cargo-fuzz", "--locked", "--version", VERSION, "--root", join(cacheDir, "cargo")];
  await must("cargo", args, { cwd: inRoot(), timeoutMs: HOUR, onOutput: show });
}

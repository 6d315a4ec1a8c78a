// What a machine must bring before anything here can be built: a new enough
// Node and a Rust toolchain. Says in plain sentences what is missing and where
// to get it. It must not install anything by itself and must run without
// node_modules.

import { readFileSync } from "node:fs";
import { inRoot } from "./paths.mjs";
import { findOnPath, run } from "./processes.mjs";

const OLDEST_NODE = 20;

/** Throws with every missing part named. */
export async function checkPrerequisites() {
  const problems = [nodeProblem(), await rustProblem()].filter((problem) => problem !== undefined);
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

function nodeProblem() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= OLDEST_NODE) return undefined;
  return `Node ${OLDEST_NODE} or newer is needed, and this is ${process.versions.node}. Get one from https://nodejs.org.`;
}

async function rustProblem() {
  const wanted = /rust-version = "([\d.]+)"/.exec(readFileSync(inRoot("Cargo.toml"), "utf8"))?.[1] ?? "1";
  const advice = "Install Rust from https://rustup.rs (or run `rustup update`), open a new terminal and try again.";
  if (!findOnPath("cargo") || !findOnPath("rustc")) {
    return `The Rust toolchain is missing: there is no \`cargo\` on PATH. ${advice}`;
  }
  const { output } = await run("rustc", ["--version"], { timeoutMs: 60_000 });
  const found = /rustc (\d+\.\d+)/.exec(output)?.[1];
  if (!found) return `\`rustc --version\` does not answer as it should: ${output.trim()} ${advice}`;
  return isOlder(found, wanted) ? `Rust ${wanted} or newer is needed, and this is ${found}. ${advice}` : undefined;
}

/** @param {string} found @param {string} wanted */
function isOlder(found, wanted) {
  const [a, b] = [found, wanted].map((version) => version.split(".").map(Number));
  return a[0] !== b[0] ? a[0] < b[0] : a[1] < b[1];
}

/**
 * A measuring program of the core's own (`native/core/examples`): built for release, run on one core, its one line of
 * JSON given back. What it measures is its own business.
 */
import { resolve } from "node:path";
import { run } from "../lib/processes.mjs";
import { pinned } from "./cores.mjs";

const BUILD_MS = 20 * 60_000;
const RUN_MS = 10 * 60_000;

/**
 * @param {string} name
 * @param {{role?: import("./cores.mjs").Role, args?: string[]}} [how]
 * @returns {Promise<any>}
 */
export async function measureExample(name, { role = "measured", args = [] } = {}) {
  const root = resolve(import.meta.dirname, "../..");
  const target = process.env.CARGO_TARGET_DIR ?? resolve(root, "target");
  const build = ["build", "--release", "--locked", "-p", "aggregator-core", "--example", name];
  await run("cargo", build, { cwd: root, timeoutMs: BUILD_MS });
  const { stdout } = await run(...pinned(role, resolve(target, "release/examples", name), args), { timeoutMs: RUN_MS });
  return JSON.parse(stdout);
}

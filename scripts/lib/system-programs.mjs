// Programs that come from the system, not from npm: a C compiler, a browser.
// Installs what is missing when it may (root, on Debian or Ubuntu) and otherwise
// says what to install. It must not know what the programs are used for.

import { findOnPath, must } from "./processes.mjs";

/** @typedef {{names: string[], package: string}} Need any of the names will do; the Debian package brings one of them */

/** @type {Record<"compiler" | "nativeModules" | "browser", Need[]>} */
export const needs = {
  compiler: [{ names: ["cc", "gcc", "clang"], package: "build-essential" }],
  nativeModules: [
    { names: ["g++", "clang++"], package: "build-essential" },
    { names: ["make"], package: "build-essential" },
    { names: ["python3"], package: "python3" },
  ],
  browser: [{ names: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"], package: "chromium" }],
};

/** The first of a need's programs that is on PATH. @param {Need} need */
export function findProgram(need) {
  return need.names.map(findOnPath).find((path) => path !== undefined);
}

/**
 * @param {Need[]} wanted @param {string} purpose completes "… is needed to"
 * @param {(line: string) => void} log
 */
export async function ensurePrograms(wanted, purpose, log) {
  const missing = wanted.filter((need) => findProgram(need) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((need) => need.package))];
  const words = missing.map((need) => need.names[0]).join(" and ");
  if (process.getuid?.() !== 0 || !findOnPath("apt-get")) {
    throw new Error(
      `To ${purpose}, ${words} must be on PATH. On Debian or Ubuntu: sudo apt-get install ${packages.join(" ")}. Then try again.`,
    );
  }
  log(`Installing ${packages.join(", ")} from Debian, to ${purpose}.`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await must("apt-get", ["update", "-q"], { env, timeoutMs: 300_000 });
  await must("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...packages], { env, timeoutMs: 900_000 });
}

/**
 * Which core does what during a measurement: one for the program that is measured, the others for the load and the
 * upstream, so that they do not take time from each other. On a machine with a single core, or without taskset,
 * everything shares. Knows no program.
 */
import { readFileSync } from "node:fs";

/** @typedef {"measured" | "load"} Role */

/** @returns {number[]} the cores this process may use */
function allowed() {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return list.split(",").flatMap((range) => {
    const [from = 0, to = from] = range.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/**
 * The command line that keeps a program on its cores.
 * @param {Role} role
 * @param {string} command
 * @param {string[]} args
 * @returns {[string, string[]]}
 */
export function pinned(role, command, args) {
  const [first, ...others] = allowed();
  if (others.length === 0) return [command, args];
  return ["taskset", ["--cpu-list", role === "measured" ? String(first) : others.join(","), command, ...args]];
}

/** What keeps a program that it runs on a single core. */
export const onOneCore = () => ["taskset", "--cpu-list", String(allowed()[0])];

/**
 * What the kernel says of a process: processor time used so far and memory held. All threads count; the kernel's ticks
 * are hundredths of a second, fine enough for runs of seconds. Knows no program.
 */
import { readFileSync } from "node:fs";

/** What /proc counts in, on every Linux. */
const MICROS_PER_TICK = 10_000;

/** @param {number} pid @returns {number} user and system time in microseconds */
export function cpuMicros(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The program's name, in parentheses, may hold anything; the figures follow it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK;
}

/** @param {number} pid @returns {number} resident memory in MiB */
export function residentMb(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}

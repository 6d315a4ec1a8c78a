/**
 * How fast the program is there and how little it holds: from its spawn to the line that says where it listens, with many
 * keys in its file, and its memory after two seconds in which nobody asked. Measures and judges nothing.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { programEnvironment, programPath } from "../contract/lib/program.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { residentMb } from "./process-figures.mjs";

/** With a hundred keys. */
export const LONGEST_COLD_START_MS = 50;
export const MOST_IDLE_MB = 15;

const IDLE_MS = 2_000;

/** @typedef {{medianMs: number, slowestMs: number, residentMb: number}} StartFigures */

/**
 * @param {{starts?: number, keys?: number}} [options]
 * @returns {Promise<StartFigures>} the memory is that of the last start
 */
export async function measureStart({ starts = 10, keys = 100 } = {}) {
  const dir = makeTempDir("start");
  try {
    const file = dir.write("keys.yaml", JSON.stringify(configuration(keys)));
    const times = [];
    let held = Number.NaN;
    for (let i = 0; i < starts; i += 1) {
      const { child, ms } = await start(file, dir.path);
      times.push(ms);
      if (i === starts - 1) {
        // Not a wait for something: idleness is what is measured.
        await pause(IDLE_MS);
        held = residentMb(Number(child.pid));
      }
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    times.sort((one, other) => one - other);
    return {
      medianMs: times[times.length >> 1] ?? Number.NaN,
      slowestMs: times.at(-1) ?? Number.NaN,
      residentMb: held,
    };
  } finally {
    dir.dispose();
  }
}

/** @param {number} count */
function configuration(count) {
  const keys = Array.from({ length: count }, (_, i) => ({
    name: `key-${i}`,
    key: `test-key-of-the-start-${String(i).padStart(4, "0")}`,
  }));
  const proxies = Array.from({ length: 10 }, (_, i) => ({
    name: `way-${i}`,
    url: `http://user:word@127.0.0.1:${9000 + i}`,
  }));
  return {
    server: { port: 0, accessTokens: ["token-of-the-start"] },
    // Nobody listens there: probes must not reach anybody.
    upstream: { baseUrl: "http://127.0.0.1:9" },
    keys,
    proxies,
  };
}

/** @param {string} file @param {string} cwd */
async function start(file, cwd) {
  const begun = process.hrtime.bigint();
  const child = spawn(programPath(), ["serve", "--config", file], {
    cwd,
    env: programEnvironment(),
    stdio: ["ignore", "pipe", "ignore"],
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = await once(lines, "line");
  const ms = Number(process.hrtime.bigint() - begun) / 1e6;
  if (!/^listening on /.test(line)) throw new Error(`The program said first: ${line}`);
  return { child, ms };
}

if (process.argv[1] === import.meta.filename) console.log(await measureStart());

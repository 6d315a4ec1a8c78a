/**
 * A SOCKS4 and SOCKS4a proxy that checks the userid: Twisted's implementation, run from the bench's Python environment.
 * Its log names user, target as asked for and outgoing port when a tunnel opens, and refusals too.
 */
import { join } from "node:path";
import { freePort } from "../lib/ports.mjs";
import { startProcess } from "../lib/processes.mjs";
import { pythonProgram } from "../lib/python.mjs";
import { describeProxy } from "./proxy.mjs";

/**
 * @param {{userid?: string | null, names?: string[], port?: number}} [options] `names` are known to this proxy alone
 * @returns {Promise<import("./proxy.mjs").Proxy>}
 */
export async function startSocks4({ userid = null, names = [], port: wanted } = {}) {
  const port = wanted ?? (await freePort());
  const who = userid === null ? [] : ["--user", userid];
  const script = join(import.meta.dirname, "socks4.py");
  const args = ["-u", script, "--port", String(port), ...who, ...names.flatMap((name) => ["--name", name])];
  const process = startProcess(pythonProgram(), args);
  await process.listening(port);
  return describeProxy({
    program: "socks4",
    scheme: "socks4a",
    port,
    credentials: userid === null ? null : { user: userid, password: "" },
    lines: process.stdout,
    read: (lines) => lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line)),
    stop: process.stop,
  });
}

/**
 * Tinyproxy as HTTP proxy, with or without credentials. Its log names the target of each CONNECT and whether the
 * connection was established, at the moment it happens; it names neither user nor outgoing port.
 */
import { freePort } from "../lib/ports.mjs";
import { daemonAccount, startProcess } from "../lib/processes.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { describeProxy } from "./proxy.mjs";

const REQUEST = /Request \(file descriptor \d+\): CONNECT (\S+)/;
const ESTABLISHED = /Established connection to host "([^"]+)"/;
const STAMP = /^\S+\s+(\w{3} \d+ [\d:.]+) /;

/**
 * @param {{credentials?: import("./proxy.mjs").Credentials | null, port?: number, leaveFrom?: string}} [options]
 *   `leaveFrom`: the loopback address of its outgoing connections, by which an upstream knows it
 * @returns {Promise<import("./proxy.mjs").Proxy>}
 */
export async function startTinyproxy({ credentials = null, port: wanted, leaveFrom } = {}) {
  const dir = makeTempDir("tinyproxy");
  const port = wanted ?? (await freePort());
  const settings = [
    `Port ${port}`,
    "Listen 127.0.0.1",
    "Timeout 600",
    "MaxClients 500",
    "LogLevel Info",
    "DisableViaHeader Yes",
  ];
  if (leaveFrom) settings.push(`Bind ${leaveFrom}`);
  if (credentials) settings.push(`BasicAuth ${credentials.user} ${credentials.password}`);
  const configFile = dir.write("tinyproxy.conf", `${settings.join("\n")}\n`);

  const process = startProcess("tinyproxy", ["-d", "-c", configFile], { as: daemonAccount() });
  await process.listening(port);
  return describeProxy({
    program: "tinyproxy",
    scheme: "http",
    port,
    credentials,
    lines: process.output,
    read: readLines,
    async stop() {
      await process.stop();
      dir.dispose();
    },
  });
}

/** @param {string[]} lines @returns {import("./proxy.mjs").Entry[]} */
function readLines(lines) {
  /** @type {import("./proxy.mjs").Entry[]} */
  const entries = [];
  for (const line of lines) {
    const target = REQUEST.exec(line)?.[1];
    if (target) entries.push({ at: timeOf(line), user: null, target, peerPort: null, granted: false });
    const host = ESTABLISHED.exec(line)?.[1];
    const waiting = host && entries.findLast((entry) => !entry.granted && entry.target.startsWith(`${host}:`));
    if (waiting) waiting.granted = true;
  }
  return entries;
}

/** The stamp has no year. @param {string} line */
function timeOf(line) {
  const stamp = STAMP.exec(line)?.[1];
  return stamp ? Date.parse(`${new Date().getFullYear()} ${stamp}`) : Date.now();
}

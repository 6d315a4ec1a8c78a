/**
 * Microsocks as SOCKS5 proxy, with or without user and password. Its log has one line for each connection it made,
 * with the target as it was asked for, so that names and addresses can be told apart. Refused clients leave no line.
 */
import { freePort } from "../lib/ports.mjs";
import { daemonAccount, startProcess } from "../lib/processes.mjs";
import { describeProxy } from "./proxy.mjs";

const CONNECTED = /^client\[\d+\] \S+: connected to (\S+)$/;

/**
 * @param {{credentials?: import("./proxy.mjs").Credentials | null, port?: number, leaveFrom?: string}} [options]
 *   `leaveFrom`: the loopback address of its outgoing connections, by which an upstream knows it
 * @returns {Promise<import("./proxy.mjs").Proxy>}
 */
export async function startMicrosocks({ credentials = null, port: wanted, leaveFrom } = {}) {
  const port = wanted ?? (await freePort());
  const who = credentials ? ["-u", credentials.user, "-P", credentials.password] : [];
  const from = leaveFrom ? ["-b", leaveFrom] : [];
  const args = ["-i", "127.0.0.1", "-p", String(port), ...who, ...from];
  const process = startProcess("microsocks", args, { as: daemonAccount() });
  await process.listening(port);
  /** @type {number[]} */
  const seenAt = [];
  return describeProxy({
    program: "microsocks",
    scheme: "socks5h",
    port,
    credentials,
    lines: process.output,
    read: (lines) =>
      lines
        .flatMap((line) => CONNECTED.exec(line)?.[1] ?? [])
        .map((target, i) => {
          // The program writes no time; the first reading of a line is the best there is.
          seenAt[i] ??= Date.now();
          return { at: seenAt[i], user: credentials?.user ?? null, target, peerPort: null, granted: true };
        }),
    stop: process.stop,
  });
}

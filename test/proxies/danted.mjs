/**
 * Dante as SOCKS4 and SOCKS5 proxy without credentials. Its log names the outgoing port when a tunnel opens. Debian's
 * build does not understand SOCKS4a and has no user check that works without root: see `socks4.mjs` and
 * `microsocks.mjs` for those.
 */
import { freePort } from "../lib/ports.mjs";
import { daemonAccount, startProcess } from "../lib/processes.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { describeProxy } from "./proxy.mjs";

const LINE = /\((\d+\.\d+)\).* (pass\(\d+\): tcp\/connect \[|block\(\d+\): tcp\/connect \]): (.*)$/;
/** `client proxy -> outgoing target`, each as `host.port`. */
const ROUTE = /^\S+ \S+ -> \S+\.(\d+) (\S+)\.(\d+)/;

/**
 * @param {{port?: number, leaveFrom?: string}} [options]
 *   `leaveFrom`: the loopback address of its outgoing connections, by which an upstream knows it
 * @returns {Promise<import("./proxy.mjs").Proxy>}
 */
export async function startDanted({ port: wanted, leaveFrom = "127.0.0.1" } = {}) {
  const dir = makeTempDir("danted");
  const port = wanted ?? (await freePort());
  const configFile = dir.write("danted.conf", configuration(port, leaveFrom));
  const process = startProcess("danted", ["-f", configFile], { as: daemonAccount(), cwd: dir.path });
  await process.listening(port);
  return describeProxy({
    program: "danted",
    scheme: "socks5",
    port,
    credentials: null,
    lines: process.output,
    read: (lines) => lines.flatMap(readLine),
    async stop() {
      await process.stop();
      dir.dispose();
    },
  });
}

/** Dante insists on one statement a line. @param {number} port @param {string} leaveFrom */
function configuration(port, leaveFrom) {
  return `logoutput: stderr
internal: 127.0.0.1 port = ${port}
external: ${leaveFrom}
clientmethod: none
socksmethod: none
client pass {
  from: 0.0.0.0/0 to: 0.0.0.0/0
  log: error
}
socks pass {
  from: 0.0.0.0/0 to: 0.0.0.0/0
  protocol: tcp
  log: connect error
}
`;
}

/** @param {string} line @returns {import("./proxy.mjs").Entry[]} */
function readLine(line) {
  const [, seconds, verdict, route] = LINE.exec(line) ?? [];
  const [, peerPort, host, port] = ROUTE.exec(route ?? "") ?? [];
  if (!verdict || !host) return [];
  const granted = verdict.startsWith("pass");
  return [
    {
      at: Number(seconds) * 1000,
      user: null,
      target: `${host}:${port}`,
      peerPort: granted ? Number(peerPort) : null,
      granted,
    },
  ];
}

/**
 * What every proxy of the bench has in common: its URL, its log read as entries, its end. Each program's own file says
 * how that program is started and what its log lines mean. Knows no program.
 */

/**
 * @typedef {{user: string, password: string}} Credentials
 * @typedef {object} Entry one request for a tunnel, as the proxy's own log tells it
 * @property {number} at milliseconds since the epoch
 * @property {string | null} user who asked, when the proxy writes that down
 * @property {string} target `host:port` as the proxy was asked for it
 * @property {number | null} peerPort the port of the proxy's outgoing connection: the peer port the upstream sees
 * @property {boolean} granted
 *
 * @typedef {object} Proxy
 * @property {string} program
 * @property {string} url with credentials, when the proxy asks for any
 * @property {number} port
 * @property {(scheme: string, credentials?: Credentials | null) => string} urlAs the same proxy under another scheme or other credentials
 * @property {() => Entry[]} log
 * @property {() => number} tunnels how many tunnels were granted so far (squid: those that have ended)
 * @property {(fits: (entry: Entry) => boolean, options?: {timeoutMs?: number}) => Promise<Entry>} waitForEntry
 * @property {() => Promise<void>} stop
 */

/**
 * @param {string} scheme
 * @param {number} port
 * @param {Credentials | null} credentials
 * @returns {string}
 */
export function proxyUrl(scheme, port, credentials) {
  if (!credentials) return `${scheme}://127.0.0.1:${port}`;
  const user = encodeURIComponent(credentials.user);
  const password = credentials.password ? `:${encodeURIComponent(credentials.password)}` : "";
  return `${scheme}://${user}${password}@127.0.0.1:${port}`;
}

/**
 * @param {object} parts
 * @param {string} parts.program
 * @param {string} parts.scheme
 * @param {number} parts.port
 * @param {Credentials | null} parts.credentials
 * @param {import("../lib/lines.mjs").LineLog} parts.lines
 * @param {(lines: string[]) => Entry[]} parts.read
 * @param {() => Promise<void>} parts.stop
 * @returns {Proxy}
 */
export function describeProxy({ program, scheme, port, credentials, lines, read, stop }) {
  const log = () => read(lines.all);
  return {
    program,
    port,
    url: proxyUrl(scheme, port, credentials),
    urlAs: (other, others = credentials) => proxyUrl(other, port, others),
    log,
    tunnels: () => log().filter((entry) => entry.granted).length,
    waitForEntry(fits, { timeoutMs = 5000 } = {}) {
      return lines.waitFor((all) => read(all).find(fits), {
        timeoutMs,
        what: `${program} never logged what was awaited`,
      });
    },
    stop,
  };
}

/**
 * HAProxy as TLS in front of another proxy: an HTTPS proxy made of two programs, as companies run them. It only
 * unwraps TLS; the log and the credentials are those of the proxy behind it, which it stops together with itself.
 */
import { freePort } from "../lib/ports.mjs";
import { daemonAccount, startProcess } from "../lib/processes.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { proxyUrl } from "./proxy.mjs";

/**
 * @param {import("./proxy.mjs").Proxy} inner
 * @param {import("../lib/authority.mjs").Authority} authority
 * @param {{credentials?: import("./proxy.mjs").Credentials | null, port?: number}} [options]
 * @returns {Promise<import("./proxy.mjs").Proxy>}
 */
export async function startTlsInFront(inner, authority, { credentials = null, port: wanted } = {}) {
  const dir = makeTempDir("haproxy");
  const port = wanted ?? (await freePort());
  const leaf = await authority.issue([]);
  const configFile = dir.write("haproxy.cfg", configuration(port, leaf.pemFile, inner.port));
  const process = startProcess("haproxy", ["-db", "-f", configFile], { as: daemonAccount() });
  await process.listening(port);
  return {
    ...inner,
    program: `haproxy before ${inner.program}`,
    port,
    url: proxyUrl("https", port, credentials),
    urlAs: (scheme, others = credentials) => proxyUrl(scheme, port, others),
    async stop() {
      await process.stop();
      await inner.stop();
      dir.dispose();
    },
  };
}

/** @param {number} port @param {string} pemFile @param {number} innerPort */
function configuration(port, pemFile, innerPort) {
  return `global
  maxconn 1000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend front
  bind 127.0.0.1:${port} ssl crt ${pemFile}
  default_backend inner
backend inner
  server inner 127.0.0.1:${innerPort}
`;
}

/**
 * Nginx twice: as the upstream that answers every request with the same 1.5 KB of JSON, and as the reverse proxy that
 * the gateway is compared with. One process each, without access logs, keeping connections alive on both sides.
 */
import { freePort } from "../lib/ports.mjs";
import { daemonAccount, startProcess } from "../lib/processes.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { pinned } from "./cores.mjs";

/** @typedef {{port: number, pid: number, stop: () => Promise<void>}} Nginx */

const ANSWER_BYTES = 1500;
const TEMP_PATHS = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

/** @param {import("../lib/authority.mjs").Leaf} [leaf] with one, TLS is spoken @returns {Promise<Nginx>} */
export function startNginxUpstream(leaf) {
  const parts = [{ text: "" }];
  const answer = { candidates: [{ content: { role: "model", parts }, finishReason: "STOP" }], modelVersion: "nginx" };
  parts[0] = { text: "a".repeat(ANSWER_BYTES - JSON.stringify(answer).length) };
  const site = `location / { default_type application/json; return 200 '${JSON.stringify(answer)}'; }`;
  const tls = leaf ? `ssl_certificate ${leaf.certFile}; ssl_certificate_key ${leaf.keyFile};` : "";
  return start("load", "", `${tls} ${site}`, leaf ? "ssl" : "");
}

/**
 * @param {number} upstreamPort
 * @param {string} [caFile] of the upstream's certificate, which is verified as the gateway does: then TLS is spoken
 * @returns {Promise<Nginx>}
 */
export function startNginxProxy(upstreamPort, caFile) {
  const pool = `upstream pool { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 1000000000; }`;
  const verified = `proxy_ssl_verify on; proxy_ssl_trusted_certificate ${caFile}; proxy_ssl_name localhost;`;
  const way = caFile ? `proxy_pass https://pool; ${verified}` : "proxy_pass http://pool;";
  const site = `location / { ${way} proxy_http_version 1.1; proxy_set_header Connection ""; }`;
  return start("measured", pool, site);
}

/**
 * @param {import("./cores.mjs").Role} role
 * @param {string} beside directives beside the server
 * @param {string} site directives inside it
 * @param {string} [listening] more words of its listening
 * @returns {Promise<Nginx>}
 */
async function start(role, beside, site, listening = "") {
  const account = daemonAccount();
  const dir = makeTempDir("nginx", { owner: account });
  const port = await freePort();
  const temp = TEMP_PATHS.map((name) => `${name}_temp_path ${dir.path}/${name};`).join(" ");
  const server = `server { listen 127.0.0.1:${port} ${listening}; ${site} }`;
  const http = `http { access_log off; keepalive_requests 1000000000; ${temp} ${beside} ${server} }`;
  // A single process, so that its figures are the whole program's.
  const main = `daemon off; master_process off; pid ${dir.path}/pid; error_log stderr crit;`;
  const file = dir.write("nginx.conf", `${main}\nevents { worker_connections 512; }\n${http}\n`);
  const [command, args] = pinned(role, "nginx", ["-e", "stderr", "-p", dir.path, "-c", file]);
  const process = startProcess(command, args, { as: account });
  await process.listening(port);
  return {
    port,
    pid: process.pid,
    async stop() {
      await process.stop();
      dir.dispose();
    },
  };
}

/**
 * Squid as HTTP or HTTPS proxy, with or without credentials. Its log names the user and the port of its outgoing
 * connection, which is the upstream's peer port: proof of who carried what. It writes a line when a tunnel has ended.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { followFile } from "../lib/lines.mjs";
import { freePort } from "../lib/ports.mjs";
import { daemonAccount, run, startProcess } from "../lib/processes.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { describeProxy } from "./proxy.mjs";

const SHARED_MEMORY = "/dev/shm";
const LOG_FORMAT = "%ts.%03tu %>Hs %rm %ru %<lp %un";
const LOG_LINE = /^(\d+\.\d+) (\d+) CONNECT (\S+) (\d+|-) (\S+)$/;

/**
 * @param {object} options
 * @param {import("./proxy.mjs").Credentials | null} [options.credentials]
 * @param {import("../lib/authority.mjs").Authority} [options.authority] given: the proxy itself speaks TLS
 * @param {string[]} [options.names] names that mean this machine, known to this proxy alone
 * @param {number} [options.port]
 * @param {string} [options.leaveFrom] the loopback address of its outgoing connections, by which an upstream knows it
 * @returns {Promise<import("./proxy.mjs").Proxy>}
 */
export async function startSquid({ credentials = null, authority, names = [], port: wanted, leaveFrom } = {}) {
  const account = daemonAccount();
  const dir = makeTempDir("squid", { owner: account });
  const port = wanted ?? (await freePort());
  const leaf = await authority?.issue([]);
  const listen = leaf
    ? `https_port 127.0.0.1:${port} tls-cert=${leaf.certFile} tls-key=${leaf.keyFile}`
    : `http_port 127.0.0.1:${port}`;
  const hostsFile = dir.write("hosts", `127.0.0.1 ${["localhost", ...names].join(" ")}\n`);
  const accessLog = dir.write("access.log", "");
  const access = credentials
    ? passwordRules(dir.write("passwords", await passwordLine(credentials)))
    : ["http_access allow all"];
  const configFile = dir.write(
    "squid.conf",
    [
      listen,
      ...access,
      ...(leaveFrom ? [`tcp_outgoing_address ${leaveFrom}`] : []),
      ...common(dir.path, hostsFile, accessLog),
      "",
    ].join("\n"),
  );

  // A name of its own: squids of one name share memory files, and of two that start at once one fails on them.
  const service = `bench${port}`;
  const file = followFile(accessLog);
  // SIGKILL: there is no cache to save, and a polite end takes squid a second.
  const args = ["-N", "-n", service, "-f", configFile];
  const process = startProcess("squid", args, { as: account, stopSignal: "SIGKILL" });
  const stop = async () => {
    await process.stop();
    file.stop();
    removeSharedMemory(service);
    dir.dispose();
  };
  try {
    await process.listening(port);
  } catch (error) {
    const words = readFileSync(join(dir.path, "cache.log"), { encoding: "utf8", flag: "a+" });
    await stop();
    throw new Error(`${error instanceof Error ? error.message : error}\n${words.slice(-2000)}`);
  }
  return describeProxy({
    program: "squid",
    scheme: leaf ? "https" : "http",
    port,
    credentials,
    lines: file.log,
    read: (lines) => lines.flatMap(readLine),
    stop,
  });
}

/** Killed, squid leaves these behind. @param {string} service */
function removeSharedMemory(service) {
  const names = existsSync(SHARED_MEMORY) ? readdirSync(SHARED_MEMORY) : [];
  for (const name of names.filter((name) => name.startsWith(`${service}-`))) {
    rmSync(join(SHARED_MEMORY, name), { force: true });
  }
}

/** @param {import("./proxy.mjs").Credentials} credentials */
async function passwordLine({ user, password }) {
  const { stdout } = await run("openssl", ["passwd", "-apr1", "-stdin"], { input: `${password}\n` });
  return `${user}:${stdout}`;
}

/** @param {string} file */
function passwordRules(file) {
  return [
    `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${file}`,
    "auth_param basic children 1 startup=1 idle=1",
    "auth_param basic casesensitive on",
    "acl known proxy_auth REQUIRED",
    "http_access allow known",
    "http_access deny all",
  ];
}

/** @param {string} dir @param {string} hostsFile @param {string} accessLog */
function common(dir, hostsFile, accessLog) {
  return [
    `logformat bench ${LOG_FORMAT}`,
    `access_log stdio:${accessLog} logformat=bench`,
    `cache_log ${join(dir, "cache.log")}`,
    `coredump_dir ${dir}`,
    `hosts_file ${hostsFile}`,
    "buffered_logs off",
    "cache deny all",
    "cache_mem 8 MB",
    "pid_filename none",
    "shutdown_lifetime 0 seconds",
    "pinger_enable off",
    "netdb_filename none",
    "visible_hostname localhost",
    "max_filedescriptors 4096",
    "connect_timeout 5 seconds",
  ];
}

/** @param {string} line @returns {import("./proxy.mjs").Entry[]} */
function readLine(line) {
  const [, seconds, status, target, peerPort, user] = LOG_LINE.exec(line) ?? [];
  if (!target) return [];
  return [
    {
      at: Number(seconds) * 1000,
      user: user && user !== "-" ? decodeURIComponent(user) : null,
      target,
      peerPort: peerPort && peerPort !== "-" ? Number(peerPort) : null,
      granted: status === "200",
    },
  ];
}

/**
 * The release build of `gemini-aggregator serve` as it is measured: one key, no proxy unless one is given, a quiet log.
 * It knows the program's command line and its configuration, nothing of what is measured.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { startProcess } from "../lib/processes.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { pinned } from "./cores.mjs";

export const TOKEN = "local-token-for-the-load";
export const ADMIN_TOKEN = "admin-token-for-the-load";
const KEY = { name: "alpha", key: "test-key-alpha-0001" };
const PROGRAM = resolve(import.meta.dirname, "../../target/release/gemini-aggregator");

/**
 * @param {{baseUrl: string, caFile?: string, proxyUrl?: string, keys?: {name: string, key: string}[]}} way
 * @returns {Promise<{url: string, pid: number, stop: () => Promise<void>}>}
 */
export async function startGateway({ baseUrl, caFile, proxyUrl, keys = [KEY] }) {
  if (!existsSync(PROGRAM)) throw new Error("The program is not built. Run: npm run build");
  const dir = makeTempDir("load");
  const config = {
    server: { port: 0, accessTokens: [TOKEN], adminToken: ADMIN_TOKEN, shutdownGraceSeconds: 1 },
    upstream: { baseUrl, caFile },
    keys,
    proxies: proxyUrl ? [{ name: "way-out", url: proxyUrl }] : [],
    persistence: { sqlitePath: join(dir.path, "state.sqlite") },
    log: { level: "warn" },
  };
  const file = dir.write("keys.yaml", JSON.stringify(config));
  const [command, args] = pinned("measured", PROGRAM, ["serve", "--config", file]);
  const process = startProcess(command, args, { cwd: dir.path, env: {} });
  const url = await process.stdout.waitFor(
    (lines) => lines.map((line) => /^listening on (\S+)$/.exec(line)?.[1]).find(Boolean),
    { what: "the program never said where it listens" },
  );
  return {
    url,
    pid: process.pid,
    async stop() {
      await process.stop();
      dir.dispose();
    },
  };
}

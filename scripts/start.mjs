// `npm start`: from a fresh clone to VS Code open, the extension active and its
// endpoint listening. Keeps running until Ctrl-C and leaves nothing behind but
// the profile in .runtime, so that keys are still there the next time. Flags:
// --headless (no window), --no-build (use the .vsix in dist/), --profile NAME.

import { openProduct, prepare, readFlags, untilStopped } from "./lib/open-product.mjs";
import { inRoot } from "./lib/paths.mjs";

const log = (/** @type {string} */ line) => console.log(line);

try {
  const flags = readFlags();
  const vsix = await prepare(flags, log);
  const { editor } = await openProduct({
    flags,
    folder: inRoot(".runtime", flags.profile ?? "start"),
    extensions: [vsix],
    settings: {},
    log,
  });
  log('Add your first key with the command "Gemini Aggregator: Add API Key". Press Ctrl-C here to stop.');
  await untilStopped(editor.closed);
  await editor.stop();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
process.exit(0);

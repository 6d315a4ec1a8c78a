// Variables for terminals in the real editor: none unless asked for, then those of the endpoint, the newest token, and none
// once the server has stopped. Each look opens a terminal of its own, because open ones keep what they have.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before } from "node:test";
import { pollUntil } from "../../lib/wait.mjs";
import { tell } from "../harness/story.mjs";
import { copyToken, startBench } from "./product.mjs";

const NAMES = ["GOOGLE_GEMINI_BASE_URL", "GEMINI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_KEY"];

/** @type {Awaited<ReturnType<typeof startBench>>} */
let bench;
/** @type {import("../harness/workbench.mjs").Workbench} */
let window;
let looks = 0;
const story = tell();
const { step } = story;

before(async () => {
  // The machine's own must not be taken for the product's.
  const none = Object.fromEntries(NAMES.map((name) => [name, undefined]));
  bench = await startBench("terminals", { env: none });
  window = await bench.editor.openWindow();
  await window.statusBar(/Gemini 0\/0/, 60_000);
});

after(async () => {
  await bench?.stop(story);
});

step("a terminal has none of them unless the person asked for it", async () => {
  assert.deepEqual(await inNewTerminal(), {});
});

step("with the setting, a new terminal has address and token for both kinds of clients", async () => {
  await bench.editor.server.writeMachineSettings({ "geminiAggregator.terminalEnvironment": true });
  const token = await copyToken(window);
  assert.deepEqual(await settled(4), {
    GOOGLE_GEMINI_BASE_URL: bench.url,
    GEMINI_API_KEY: token,
    OPENAI_BASE_URL: `${bench.url}/v1`,
    OPENAI_API_KEY: token,
  });
});

step("after the token was replaced, the next terminal has the new one", async () => {
  const old = await copyToken(window);
  await window.runCommand("Gemini Aggregator: Rotate Local Token");
  await window.confirm(/Replace the local token/, "Replace");
  await window.notification(/token/i);
  const token = await copyToken(window);
  assert.notEqual(token, old);
  const { GEMINI_API_KEY, OPENAI_API_KEY } = await inNewTerminal();
  assert.deepEqual([GEMINI_API_KEY, OPENAI_API_KEY], [token, token]);
});

step("only the clients that were chosen", async () => {
  await bench.editor.server.writeMachineSettings({ "geminiAggregator.terminalEnvironment": ["openai"] });
  assert.deepEqual(Object.keys(await settled(2)).sort(), ["OPENAI_API_KEY", "OPENAI_BASE_URL"]);
});

step("once the server has stopped, none is left", async () => {
  await window.runCommand("Gemini Aggregator: Stop Server");
  assert.deepEqual(await settled(0), {});
});

/** What new terminals have, once it is so many variables. @param {number} count */
async function settled(count) {
  return pollUntil(
    async () => {
      const seen = await inNewTerminal();
      return Object.keys(seen).length === count ? seen : undefined;
    },
    { timeoutMs: 60_000, what: `a new terminal has ${count} variables` },
  );
}

/** @returns {Promise<Record<string, string>>} those of the variables that a new terminal has */
async function inNewTerminal() {
  looks += 1;
  const file = join(bench.editor.server.workspace, `look-${looks}`);
  await window.runCommand("Terminal: Create New Terminal");
  // The one that has the focus: words typed a moment earlier would go to whatever had it before.
  const terminal = window.page.locator(".terminal-wrapper.active .xterm.focus .xterm-helper-textarea");
  await terminal.waitFor({ state: "attached", timeout: 30_000 });
  // Renamed into place, so that it is there as a whole or not at all. Typed early, it waits in the terminal for the shell.
  await terminal.pressSequentially(`env > ${file}.part; mv ${file}.part ${file}; exit\n`);
  const text = await pollUntil(() => readFile(file, "utf8").catch(() => undefined), {
    timeoutMs: 30_000,
    what: "the terminal wrote its variables",
  });
  // While it goes, the editor moves the focus, and that would close a palette that was opened too early.
  await window.page.locator(".part.panel").waitFor({ state: "hidden", timeout: 30_000 });
  const all = text.split("\n").map((line) => /** @type {[string, string]} */ (line.split(/=(.*)/s).slice(0, 2)));
  return Object.fromEntries(all.filter(([name]) => NAMES.includes(name)));
}

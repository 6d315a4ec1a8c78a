// The panel for people who do not use a mouse, do not see it, or need strong contrast: axe-core finds nothing wrong with
// it, empty and filled, in the four themes that VS Code ships for dark, light and high contrast, and Tab alone reaches
// every control. Pictures of each are left in .runtime/panel-pictures for whoever wants to look.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before } from "node:test";
import { runtimeDir } from "../../../scripts/lib/paths.mjs";
import { behave } from "../../upstream/index.mjs";
import { controls, violations, walk } from "../harness/accessibility.mjs";
import { tell } from "../harness/story.mjs";
import { MODEL } from "./clients.mjs";
import { addKey, addProxy, copyToken, openPanel, startBench } from "./product.mjs";

const THEMES = [
  { label: "Dark Modern", kind: "vscode-dark", id: "Dark Modern" },
  { label: "Light Modern", kind: "vscode-light", id: "Light Modern" },
  { label: "Dark High Contrast", kind: "vscode-high-contrast", id: "High Contrast" },
  { label: "Light High Contrast", kind: "vscode-high-contrast-light", id: "High Contrast Light" },
];
const KEYS = ["well", "resting", "refused", "off"];
const keyOf = (/** @type {string} */ name) => `test-key-${name}-0001`;

/** @type {Awaited<ReturnType<typeof startBench>>} */
let bench;
/** @type {import("../harness/workbench.mjs").Workbench} */
let window;
const story = tell();
const { step, look } = story;

before(async () => {
  bench = await startBench("accessibility");
  window = await bench.editor.openWindow();
  await window.statusBar(/Gemini 0\/0/, 60_000);
  await openPanel(window);
});

after(async () => {
  await bench?.stop(story);
});

for (const theme of THEMES) look(`empty, ${theme.label}: axe finds nothing`, () => examine("empty", theme));

look("with nothing in it, Tab alone reaches every control of the panel, in order, and leaves it again", tabThrough);

step("keys in several states, proxies and requests are there", async () => {
  for (const [index, proxy] of bench.proxies.entries()) await addProxy(window, `eu-${index}`, proxy.url);
  await addProxy(window, "nowhere", "socks5://somebody:open-sesame@127.0.0.1:9");
  for (const name of KEYS) await addKey(window, name, keyOf(name));
  await window.statusBar(/Gemini 4\/4/);
  const { script } = bench.upstream;
  script.key(keyOf("resting")).always(behave.quotaPerMinute({ retryDelay: "3600s" }));
  script.key(keyOf("refused")).always(behave.invalidKey());
  const token = await copyToken(window);
  for (let asked = 0; asked < 8; asked += 1) await generate(token);
  await row("off").getByTestId("disable-key").click();
  await window.runCommand("Gemini Aggregator: Test Proxy");
  await window.find("Test which proxy?", "nowhere");
  await state("well", /available/i);
  await state("resting", /cooling down/i);
  await state("refused", /disabled|invalid|not valid/i);
  await state("off", /disabled/i);
  await window.panel.getByTestId("proxy-last-error").first().waitFor({ timeout: 30_000 });
  await window.panel.getByTestId("request-row").nth(3).waitFor({ timeout: 30_000 });
  await window.clearNotifications();
});

for (const theme of THEMES) look(`filled, ${theme.label}: axe finds nothing`, () => examine("filled", theme));

look("filled, Tab alone reaches every control of the panel, in order, and leaves it again", tabThrough);

/** @param {string} name @param {typeof THEMES[number]} theme */
async function examine(name, theme) {
  await window.wearTheme(theme);
  await window.panel.getByTestId("panel").waitFor();
  await window.screenshot(join(runtimeDir, "panel-pictures", `${name}-${theme.kind}.png`));
  const found = await violations(await window.panelFrame());
  assert.deepEqual(found, [], `${theme.label}:\n${found.join("\n")}`);
}

async function tabThrough() {
  const frame = await window.panelFrame();
  const all = await controls(frame);
  assert.ok(all.length > 3, "the panel has no controls");
  const nameless = all.filter(({ name }) => name === "");
  assert.deepEqual(nameless, [], "controls without a name");
  const stops = await walk(window.page, frame);
  const reached = stops.filter(({ control }) => control >= 0);
  assert.deepEqual(
    reached.map(({ control }) => all[control].name),
    all.map(({ name }) => name),
  );
  const unseen = stops.filter(({ visible }) => !visible);
  assert.deepEqual(unseen, [], "stops without a visible focus");
}

/** @param {string} key */
const row = (key) => window.panel.locator(`[data-testid=key-row][data-key-name="${key}"]`);

/** @param {string} key @param {RegExp} words */
async function state(key, words) {
  await row(key).getByTestId("key-status").filter({ hasText: words }).waitFor({ timeout: 30_000 });
}

/** Any answer will do: some of the keys are refused. @param {string} token */
async function generate(token) {
  const answer = await fetch(`${bench.url}/v1beta/models/${MODEL}:generateContent`, {
    method: "POST",
    headers: { "x-goog-api-key": token, "content-type": "application/json" },
    body: JSON.stringify({ contents: [{ parts: [{ text: "hello" }] }] }),
  });
  await answer.arrayBuffer();
}

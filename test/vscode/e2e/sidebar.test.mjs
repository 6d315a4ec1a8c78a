// The sidebar as the place for a glance: it welcomes who has no key, shows what each key and proxy does without a click,
// and offers on each row what that row is good for.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { behave } from "../../upstream/index.mjs";
import { tell } from "../harness/story.mjs";
import { MODEL } from "./clients.mjs";
import { addProxy, copyToken, startBench } from "./product.mjs";

const KEY = "test-key-alpha-0001";
const DEADLINE = 30_000;

/** @type {Awaited<ReturnType<typeof startBench>>} */
let bench;
/** @type {import("../harness/workbench.mjs").Workbench} */
let window;
const story = tell();
const { step } = story;

before(async () => {
  bench = await startBench("sidebar");
  window = await bench.editor.openWindow();
  await window.statusBar(/Gemini 0\/0/, 60_000);
  await window.page
    .locator(
      '.activitybar .action-item[aria-label^="Gemini Aggregator"], .activitybar .action-label[aria-label^="Gemini Aggregator"]',
    )
    .first()
    .click();
});

after(async () => {
  await bench?.stop(story);
});

step("without a key there is a welcome, and its button adds the first one", async () => {
  await view().getByRole("button", { name: "Add API Key" }).last().click({ timeout: DEADLINE });
  await window.answer("Add API Key (1/2)", KEY);
  await window.answer("Add API Key (2/2)", "alpha");
  await row("alpha", "No Proxy");
  await row("API Keys", "1 of 1 available");
});

step("a proxy appears, and the key's row names it", async () => {
  await addProxy(window, "eu-1", bench.proxies[0].url);
  await row("eu-1", "1 key");
  await row("alpha", "eu-1");
});

step("the address is copied from its row", async () => {
  await press(bench.url, "Copy Endpoint Address");
  await window.statusBar(/Copied/);
  assert.equal(await window.clipboard(), bench.url);
});

step("a key is tested from its row", async () => {
  bench.upstream.ledger.clear();
  await press("alpha", "Test API Key");
  await bench.upstream.ledger.waitFor(() => true);
});

step("what is added from the title asks for a new one, whichever row has the focus", async () => {
  await (await row("alpha")).click();
  await view().getByRole("button", { name: "Add API Key" }).first().click({ timeout: DEADLINE });
  await window.answer("Add API Key (1/2)", "test-key-beta-0002");
  await window.answer("Add API Key (2/2)", "beta");
  await row("beta");
});

step("a key is switched off and on by its row's menu", async () => {
  await choose("beta", "Disable API Key");
  await row("beta", "disabled");
  await row("API Keys", "1 of 2 available");
  await choose("beta", "Enable API Key");
  await row("API Keys", "2 of 2 available");
});

step("a key that met its quota counts down by itself", async () => {
  bench.upstream.script.key(KEY).always(behave.quotaPerMinute());
  const token = await copyToken(window);
  for (let asked = 0; asked < 2; asked += 1) {
    const answer = await fetch(`${bench.url}/v1beta/models/${MODEL}:generateContent`, {
      method: "POST",
      headers: { "x-goog-api-key": token, "content-type": "application/json" },
      body: JSON.stringify({ contents: [{ parts: [{ text: "hello" }] }] }),
    });
    await answer.arrayBuffer();
  }
  const cooling = await row("alpha", /cooling down 0:\d\d/);
  const before = await cooling.textContent();
  await cooling.filter({ hasNotText: before ?? "" }).waitFor({ timeout: DEADLINE });
  await row("alpha", /cooling down 0:\d\d/);
});

function view() {
  return window.page.locator(".part.sidebar");
}

/**
 * Waits for the row with this label, saying so.
 * @param {string} label @param {string | RegExp} [says]
 */
async function row(label, says = "") {
  const exact = window.page.locator(".monaco-icon-label-container .label-name", { hasText: label });
  const found = view().getByRole("treeitem").filter({ has: exact }).filter({ hasText: says }).first();
  await found.waitFor({ timeout: DEADLINE });
  return found;
}

/** Presses a row's button. @param {string} label @param {string} action */
async function press(label, action) {
  const found = await row(label);
  await found.hover();
  await found.getByRole("button", { name: action }).click({ timeout: DEADLINE });
}

/** Chooses from a row's menu. @param {string} label @param {string} action */
async function choose(label, action) {
  const found = await row(label);
  await found.click({ button: "right" });
  // The menu takes no click in the moment it opens; the keyboard it takes at once.
  await window.page.getByRole("menuitem", { name: action }).hover({ timeout: DEADLINE });
  await window.page.keyboard.press("Enter");
}

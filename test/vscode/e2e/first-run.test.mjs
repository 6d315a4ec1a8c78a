// The first minutes: the walkthrough opens by itself, lists its steps and marks what is done. Then what goes wrong is told:
// once for many, with a way to the right section of the docs, and not again for whoever had enough of it.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { pollUntil } from "../../lib/wait.mjs";
import * as behave from "../../upstream/behaviour.mjs";
import { tell } from "../harness/story.mjs";
import { MODEL } from "./clients.mjs";
import { addKey, copyToken, startBench } from "./product.mjs";

const KEYS = ["test-key-alpha-0001", "test-key-beta-0002", "test-key-gamma-0003"];
/** Longer than keys that are refused one after the other are gathered. */
const GATHERED_MS = 5000;

/** @type {Awaited<ReturnType<typeof startBench>>} */
let bench;
/** @type {import("../harness/workbench.mjs").Workbench} */
let window;
/** @type {string} */
let token;
let keys = KEYS.length;
const story = tell();
const { step } = story;

before(async () => {
  // Anything but "none", with which nothing may open by itself; a workspace without a readme has nothing of its own to show.
  bench = await startBench("first-run", { userSettings: { "workbench.startupEditor": "readme" } });
  window = await bench.editor.openWindow();
});

after(async () => {
  if (story.failed) console.log(await bench.editor.server.readLogs("Gemini Aggregator"));
  await bench?.stop(story);
});

step("without keys the walkthrough opens by itself and lists its steps", async () => {
  await walkthrough().waitFor({ timeout: 60_000 });
  const titles = walkthrough().locator(".step-title");
  await titles.nth(2).waitFor({ timeout: 30_000 });
  assert.deepEqual(await titles.allTextContents(), [
    "Add an API key",
    "Add a proxy, if you want one",
    "Connect a tool",
  ]);
});

step("its picture is drawn in the theme's colours", async () => {
  const line = window.panel.locator("svg path").first();
  await line.waitFor({ timeout: 30_000, state: "attached" });
  const colour = await line.evaluate((path) => getComputedStyle(path).stroke);
  assert.match(colour, /^rgb/, "the colour is the theme's, not a word that nothing knows");
});

step("a key that is added marks its step as done", async () => {
  for (const [index, key] of KEYS.entries()) await addKey(window, `key-${index + 1}`, key);
  await window.statusBar(/Gemini 3\/3/);
  await done("Add an API key").waitFor({ timeout: 30_000 });
  assert.equal(await done("Connect a tool").count(), 0);
});

step("closed, it comes again by its command", async () => {
  await window.runCommand("View: Close All Editors");
  await walkthrough().waitFor({ state: "hidden", timeout: 30_000 });
  await window.runCommand("Gemini Aggregator: Get Started");
  await walkthrough().waitFor({ timeout: 30_000 });
});

step("a command that fails leads to its section of the docs", async () => {
  token = await copyToken(window);
  await window.runCommand("Gemini Aggregator: Stop Server");
  await pollUntil(async () => (await fetch(bench.url).catch(() => undefined)) === undefined, { what: "it is stopped" });
  await window.runCommand("Gemini Aggregator: Copy Endpoint Address");
  await window.pressInNotification(/The endpoint is stopped/, "Troubleshooting");
  await headingInSight("The server does not start");
  await window.runCommand("Gemini Aggregator: Start Server");
  await window.statusBar(/Gemini 3\/3/);
});

step("keys that Google refuses are told of together, with the way to the docs", async () => {
  bench.upstream.script.any().always(behave.invalidKey());
  await ask();
  const words = await window.notification(/API keys are disabled/);
  assert.match(words, /3 API keys are disabled because Google refuses them: key-\d, key-\d, key-\d\./);
  assert.equal((await window.notifications()).length, 1);
  await window.pressInNotification(/API keys are disabled/, "Troubleshooting");
  await headingInSight("A key is disabled");
});

step("Don't Show Again: not again, until notifications are taken back", async () => {
  await refusedOnceMore("fourth");
  await window.notification(/"fourth" is disabled/);
  await window.pressInNotification(/"fourth" is disabled/, "Don't Show Again");
  await refusedOnceMore("fifth");
  await pause(GATHERED_MS);
  assert.deepEqual(await window.notifications(), []);
  await window.runCommand("Gemini Aggregator: Show All Notifications Again");
  await window.statusBar(/All notifications are shown again/);
  await refusedOnceMore("sixth");
  await window.notification(/"sixth" is disabled/);
});

step("keys that the secret storage lost are said plainly, with what to do", async () => {
  await window.runCommand("View: Close All Editors");
  // The browser keeps the sealed secrets here; so it looks when a key ring was reset.
  const lost = await window.page.evaluate(() => {
    const names = Object.keys(localStorage).filter((name) => /secret/i.test(name));
    for (const name of names) localStorage.removeItem(name);
    return names.length;
  });
  assert.ok(lost > 0, "the browser kept no secrets");
  await window.page.reload();
  await window.notification(/no longer has the 6 API keys that you added before/);
  await window.pressInNotification(/no longer has/, "Troubleshooting");
  // Just after a reload the editor may draw a page twice and lose its place; that links scroll is shown above.
  await heading("The keys are gone after a restart").waitFor({ timeout: 30_000 });
});

const walkthrough = () => window.page.locator(".gettingStartedContainer .gettingStartedDetailsContent");

/** @param {string} title */
const done = (title) =>
  walkthrough().locator(".getting-started-step", { hasText: title }).locator(".codicon-getting-started-step-checked");

async function ask() {
  const url = `${bench.url}/v1beta/models/${MODEL}:generateContent`;
  const headers = { "x-goog-api-key": token, "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: '{"contents":[{"parts":[{"text":"Hi"}]}]}' });
  await answer.text();
}

/** Adds a key that Google refuses: whatever asks first, this or the editor's own chat. @param {string} name */
async function refusedOnceMore(name) {
  await window.clearNotifications();
  await addKey(window, name, `test-key-${name}-0009`);
  keys += 1;
  await window.statusBar(new RegExp(`Gemini \\d/${keys}`));
  await ask();
  await window.statusBar(new RegExp(`Gemini 0/${keys}`));
}

/** @param {string} name */
const heading = (name) => window.panel.getByRole("heading", { name, exact: true });

/** @param {string} name */
async function headingInSight(name) {
  await heading(name).waitFor({ timeout: 30_000 });
  // A page that was open at another section is drawn anew: while it is replaced, nothing of it is in sight.
  const inSight = () =>
    heading(name).evaluate((element) => {
      const { top, bottom } = element.getBoundingClientRect();
      // The editor scrolls to whole points: the edge of the heading may lie a fraction above.
      return top > -2 && bottom <= globalThis.innerHeight;
    });
  await pollUntil(() => inSight().catch(() => false), { what: `"${name}" is scrolled to` });
}

// Many keys at once, a tool connected, and the doctor: what a person does in the
// first minutes and when something fails. Secrets must go where they were meant
// to go and be seen nowhere else.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before } from "node:test";
import { promisify } from "node:util";
import { behave } from "../../upstream/index.mjs";
import { tell } from "../harness/story.mjs";
import { addKey, addProxy, openPanel, startBench } from "./product.mjs";

const KEYS = ["test-key-alpha-0001", "test-key-beta-0002"];

/** @type {Awaited<ReturnType<typeof startBench>>} */
let bench;
/** @type {import("../harness/workbench.mjs").Workbench} */
let window;
const story = tell();
const { step } = story;

before(async () => {
  bench = await startBench("tools");
  window = await bench.editor.openWindow();
  await window.statusBar(/Gemini 0\/0/, 60_000);
  await openPanel(window);
});

after(async () => {
  await bench?.stop(story);
});

step("keys of a copied .env are imported in one go, each row answered, none shown", async () => {
  await addKey(window, "first", KEYS[0]);
  await row("first").waitFor({ timeout: 30_000 });
  await window.panel.getByTestId("import-keys").click();
  await window.prompted("Import API Keys");
  // Asked where from, a person goes and copies them; the question must still be there then.
  await row("first").click();
  await window.putOnClipboard(`PORT=3000\nGEMINI_API_KEY=${KEYS[0]}\nGEMINI_API_KEY_WORK="${KEYS[1]}"\n`);
  await window.pick("From the Clipboard");
  await window.pick("Add without Checking");
  const words = await window.notification(/key added/);
  assert.match(words, /1 key added, 1 was there already, 1 line left out/);
  await row("work").waitFor({ timeout: 30_000 });
  await window.pressInNotification(/key added/, "Show Each Row");
  const rows = await window.document();
  assert.match(rows, /Line 1, left out.*Line 2, there already.*Line 3, added: Key "work" \(••••0002\)/s);
  const seen = rows + words;
  assert.ok(!KEYS.some((key) => seen.includes(key)), seen);
});

step("a key that Google refuses is told while the list is checked, and removed with one press", async () => {
  const refused = "test-key-gamma-0003";
  bench.upstream.script.key(refused).always(behave.invalidKey());
  await openPanel(window);
  await window.clearNotifications();
  await window.putOnClipboard(`GEMINI_API_KEY_BAD="${refused}"\n`);
  await window.panel.getByTestId("import-keys").click();
  await window.pick("From the Clipboard");
  await window.pick("Add and Check Each Key");
  const words = await window.notification(/Refused by Google/);
  assert.match(words, /1 key added\. Valid: 0\. Refused by Google: 1\. Not checked: 0\./);
  await row("bad").waitFor({ timeout: 30_000 });
  await window.pressInNotification(/Refused by Google/, "Remove Refused Keys");
  await row("bad").waitFor({ state: "detached", timeout: 30_000 });
  assert.ok(!words.includes(refused), words);
});

step("a key's test is one line when all is well, and its stages can be seen", async () => {
  await window.clearNotifications();
  await window.runCommand("Gemini Aggregator: Test API Key");
  await window.find("Test which API key?", "first");
  const words = await window.notification(/Key "first" works/);
  assert.match(words, /works: DNS \d+ ms, connection \d+ ms, TLS \d+ ms, Gemini \d+ ms/);
  await window.pressInNotification(/Key "first" works/, "Show Details");
  assert.match(await window.document(), /Name lookup.*Connection to Gemini.*TLS with Gemini.*Answer of Gemini/s);
});

step("a tool is connected: what is copied works as it is, and its first request is told of", async () => {
  await openPanel(window);
  await window.panel.getByTestId("connect-tool").click();
  await window.find("Connect a tool to this endpoint", "curl");
  await window.confirm(/Connect curl.*••••••••/s, "Copy");
  await window.notification(/Copied the set-up for curl/);
  const command = await window.clipboard();
  assert.ok(command.includes(bench.url) && !command.includes("••••"), command);
  const { stdout } = await promisify(execFile)("sh", ["-c", command.replace("curl ", "curl -sS --fail ")]);
  assert.ok(JSON.parse(stdout).candidates.length > 0, stdout);
  assert.match(
    await window.notification(/first request since you connected curl/),
    /POST .*:generateContent, answered \(200\)/,
  );
});

step("a tool's section of the docs opens, and nothing is copied", async () => {
  await window.putOnClipboard("mine");
  await window.runCommand("Gemini Aggregator: Connect a Tool…");
  await window.find("Connect a tool to this endpoint", "aider");
  await window.confirm(/Connect aider/, "Open Docs Section");
  await window.panel.getByRole("heading", { name: "aider" }).waitFor({ timeout: 30_000 });
  assert.equal(await window.clipboard(), "mine");
});

step("the doctor's report says what is well and what is not, and names nothing of mine", async () => {
  await addProxy(window, "nowhere", "socks5://somebody:open-sesame@127.0.0.1:9");
  await openPanel(window);
  await window.panel.locator(`[data-proxy-name="nowhere"]`).waitFor({ timeout: 30_000 });
  await window.clearNotifications();
  await window.runCommand("Gemini Aggregator: Doctor");
  await window.statusBar(/\d+ failures?, \d+ warnings?|Everything looked at is well/);
  const report = await window.document();
  assert.match(report, /\*\*ok\*\*: It listens on http/);
  assert.match(report, /\*\*ok\*\*: On port \d+ this product answers/);
  assert.match(report, /\*\*ok\*\*: The local token's file is there/);
  assert.match(report, /\*\*ok\*\*: What is written to it can be read back/);
  assert.match(report, /\*\*ok\*\*: 2 of 2 available/);
  assert.match(report, /\*\*warn\*\*: The key 1 fails at the stage "Connection to the proxy": The proxy refused/);
  assert.match(report, /\*\*ok\*\*: This machine's clock agrees with Gemini's/);
  assert.match(report, /\*\*warn\*\*: Requests and your keys go to another server/);
  for (const mine of [...KEYS, "nowhere", "somebody", "open-sesame", "••••0002"]) {
    assert.ok(!report.includes(mine), `${mine} is in the report:\n${report}`);
  }
});

/** @param {string} key */
const row = (key) => window.panel.locator(`[data-testid=key-row][data-key-name="${key}"]`);

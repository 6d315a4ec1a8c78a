// What a person does with many keys in the panel and the sidebar: looks for some, acts on several at once, takes a
// removal back, tests, evens out, reads the log of requests, uses the keyboard alone. Each change is looked for where
// it counts, too: in which proxy a request leaves through, or in what the clipboard holds.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before } from "node:test";
import { pollUntil } from "../../lib/wait.mjs";
import { behave } from "../../upstream/index.mjs";
import { tell } from "../harness/story.mjs";
import { MODEL } from "./clients.mjs";
import { addProxy, assignments, copyToken, openPanel, startBench } from "./product.mjs";

/** As they are entered, which is not the order of their names. */
const KEYS = {
  gamma: "test-key-gamma-0003",
  alpha: "test-key-alpha-0001",
  delta: "test-key-delta-0004",
  beta: "test-key-beta-0002",
};
const NAMES = Object.keys(KEYS);
const THREE = ["gamma", "alpha", "delta"];
const MANY = 1000;
const REQUESTS = 120;
/** The models of the oldest request in the log and of the only one that fails. */
const OLDEST = "gemini-2.5-pro";
const FAILING = "gemini-2.5-flash-lite";
/** The keys of a keybinding that runs `importApiKeys` with a text, as a person may have one. */
const IMPORT = { few: "Control+Alt+8", many: "Control+Alt+9" };

/** @type {Awaited<ReturnType<typeof startBench>>} */
let bench;
/** @type {import("../harness/workbench.mjs").Workbench} */
let window;
/** @type {string} */
let token;
const story = tell();
const { step } = story;

before(async () => {
  // So large that a second proxy moves no key by itself: that is left to the person.
  bench = await startBench("panel-flows", { settings: { "geminiAggregator.proxy.rebalanceThreshold": 5 } });
  await bindImports();
  window = await bench.editor.openWindow();
  await window.statusBar(/Gemini 0\/0/, 60_000);
});

after(async () => {
  if (story.failed) console.log(await bench?.editor.server.readLogs("Gemini Aggregator"));
  await bench?.stop(story);
});

step("without keys the sidebar says what to do, with buttons for it", async () => {
  await window.page.getByRole("tab", { name: "Gemini Aggregator" }).first().click();
  const welcome = window.page.locator(".welcome-view-content");
  await welcome.filter({ hasText: "There is no API key yet" }).waitFor({ timeout: 30_000 });
  await welcome.getByRole("button", { name: "Add API Key" }).click();
  await window.quickInput.locator(".quick-input-title", { hasText: "Add API Key (1/2)" }).waitFor({ timeout: 30_000 });
  await window.cancel();
});

step(
  "keys imported by a command with a text, and proxies: the sidebar's tree shows them with the endpoint",
  async () => {
    await window.page.keyboard.press(IMPORT.few);
    await window.statusBar(/Gemini 4\/4/);
    await addProxy(window, "eu-1", bench.proxies[0].url);
    await inTree(/alpha.*eu-1/);
    await addProxy(window, "us-1", bench.proxies[1].url);
    for (const row of [
      bench.url,
      /API Keys.*4 of 4 available/,
      /Proxies.*2 of 2 active/,
      /eu-1.*4 keys/,
      /us-1.*0 keys/,
    ]) {
      await inTree(row);
    }
    token = await copyToken(window);
    await window.clearNotifications();
    await openPanel(window);
    assert.deepEqual(await assignments(window, 4), Object.fromEntries(NAMES.map((name) => [name, "eu-1"])));
  },
);

step("a column's heading sorts up, then down, then not at all, and says so", async () => {
  const heading = () => window.panel.locator("th", { has: window.panel.getByTestId("sort-name") }).first();
  const press = async (/** @type {string} */ way, /** @type {string[]} */ names) => {
    await window.panel.locator("keys-table").getByTestId("sort-name").click();
    await pollUntil(async () => (await heading().getAttribute("aria-sort")) === way, { what: `sorted: ${way}` });
    assert.deepEqual(await shownKeys(), names);
  };
  await press("ascending", ["alpha", "beta", "delta", "gamma"]);
  await press("descending", ["gamma", "delta", "beta", "alpha"]);
  await press("none", NAMES);
});

step("the filter finds a key by a part of its name and by its status, and can be cleared", async () => {
  await window.panel.getByTestId("filter-keys").fill("BET");
  await window.panel.getByTestId("keys-shown").filter({ hasText: "1 of 4 shown" }).waitFor();
  assert.deepEqual(await shownKeys(), ["beta"]);
  await window.panel.getByTestId("filter-status").selectOption({ label: "Disabled" });
  await window.panel.getByTestId("keys-none-fit").getByRole("button").click();
  await row("gamma").waitFor();
  assert.deepEqual(await shownKeys(), NAMES);
});

step("a rebalancing is shown before it happens; applied, exactly the keys shown have moved", async () => {
  const plan = window.panel.getByTestId("plan");
  await window.panel.getByTestId("rebalance").click();
  await plan.filter({ hasText: "2 keys would move" }).waitFor({ timeout: 30_000 });
  const moves = (await plan.getByTestId("plan-move").allTextContents()).map((text) => text.split(":")[0]);
  assert.equal(moves.length, 2);
  assert.ok(Object.values(await assignments(window, 4)).every((proxy) => proxy === "eu-1"));
  await plan.getByTestId("plan-apply").click();
  await toast(/2 keys moved/);
  for (const name of NAMES) await sees(name, "key-proxy", moves.includes(name) ? "us-1" : "eu-1");
  assert.equal(await plan.count(), 0);
  await window.panel.getByTestId("rebalance").click();
  await plan.filter({ hasText: "none would move" }).waitFor({ timeout: 30_000 });
  assert.equal(await plan.getByTestId("plan-apply").count(), 0);
  await plan.getByTestId("plan-close").click();
  await plan.waitFor({ state: "detached" });
});

step("several keys selected with Shift are disabled, enabled and given a proxy together", async () => {
  await select("gamma");
  await select("delta", ["Shift"]);
  await window.panel.getByTestId("bulk-bar").filter({ hasText: "3 keys selected" }).waitFor();
  await window.panel.getByTestId("bulk-disable").click();
  for (const name of THREE) await sees(name, "key-status", "Disabled");
  await sees("beta", "key-status", "Available");
  await window.panel.getByTestId("bulk-enable").click();
  for (const name of THREE) await sees(name, "key-status", "Available");
  await window.panel.getByTestId("bulk-assign").selectOption({ label: "us-1" });
  for (const name of THREE) {
    await sees(name, "key-proxy", "us-1");
    await sees(name, "key-proxy-mode", "manual");
  }
  assert.equal((await ask({ key: "alpha", model: OLDEST })).headers.get("x-aggregator-proxy"), "us-1");
});

step("removed together they are gone at once; Undo brings them back, each with its proxy", async () => {
  await window.panel.getByTestId("bulk-remove").click();
  await row("alpha").waitFor({ state: "detached", timeout: 30_000 });
  assert.deepEqual(await shownKeys(), ["beta"]);
  await window.statusBar(/Gemini 1\/1/);
  assert.equal(await window.panel.getByTestId("bulk-bar").count(), 0);
  await toast(/3 keys removed/);
  await window.panel.getByTestId("undo").click();
  for (const name of THREE) {
    await sees(name, "key-proxy", "us-1");
    await sees(name, "key-proxy-mode", "manual");
  }
  const answer = await ask({ key: "alpha" });
  assert.deepEqual([answer.status, answer.headers.get("x-aggregator-proxy")], [200, "us-1"]);
});

step("a removed proxy's keys move on at once; Undo brings the proxy back", async () => {
  const proxy = window.panel.locator('[data-testid=proxy-row][data-proxy-name="us-1"]');
  await proxy.getByTestId("remove-proxy").click();
  await proxy.waitFor({ state: "detached", timeout: 30_000 });
  for (const name of THREE) await sees(name, "key-proxy", "eu-1");
  await toast(/1 proxy removed/);
  await window.panel.getByTestId("undo").click();
  await proxy.waitFor({ timeout: 30_000 });
  for (const name of THREE) await sees(name, "key-proxy", "us-1");
});

step("a test's stages are shown under the row that was tested, of a key and of a proxy, until closed", async () => {
  await row("alpha").getByTestId("test-key").click();
  const below = row("alpha").locator("xpath=following-sibling::tr[1]");
  await below.getByTestId("tested-stage").filter({ hasText: "Answer of Gemini" }).waitFor({ timeout: 30_000 });
  await below.getByTestId("tested-stage").filter({ hasText: "Tunnel through the proxy" }).waitFor();
  await below.getByTestId("tested-close").click();
  await window.panel.getByTestId("tested").waitFor({ state: "detached" });
  await window.panel.locator('[data-proxy-name="eu-1"]').getByTestId("test-proxy").click();
  await window.panel
    .locator('[data-proxy-name="eu-1"] + [data-testid=tested]')
    .getByTestId("tested-stage")
    .first()
    .waitFor({ timeout: 30_000 });
  await window.panel.getByTestId("tested-close").click();
  await window.clearNotifications();
});

step("of many requests the oldest is reached by scrolling, while only some rows are drawn", async () => {
  await fillLog();
  // Opened anew it knows the newest only.
  await window.runCommand("View: Close All Editors");
  await openPanel(window);
  const table = window.panel.getByTestId("requests-table");
  const rows = table.getByTestId("request-row");
  await window.panel.getByTestId("more-requests").click();
  await window.panel.getByTestId("more-requests").waitFor({ state: "detached", timeout: 30_000 });
  await window.panel.locator("request-log .scroll").focus();
  await window.page.keyboard.press("End");
  const all = await table.getAttribute("aria-rowcount");
  await pollUntil(async () => (await rows.last().getAttribute("aria-rowindex")) === all, {
    what: "the end of the log is drawn",
  });
  await table.getByTestId("request-model").filter({ hasText: OLDEST }).waitFor();
  assert.ok(Number(all) > REQUESTS, `${all}`);
  await standsForRows("request-log");
  assert.ok((await rows.count()) < 90, `${await rows.count()} rows are drawn`);
});

step("the log is filtered by a text and by how requests ended", async () => {
  const count = (/** @type {RegExp} */ words) =>
    window.panel.getByTestId("requests-count").filter({ hasText: words }).waitFor({ timeout: 30_000 });
  const only = async (/** @type {string} */ model) => {
    assert.deepEqual(await window.panel.getByTestId("request-model").allTextContents(), [model]);
  };
  await window.panel.getByTestId("filter-requests").fill("2.5-PRO");
  await count(/^1 of \d+ fit/);
  await only(OLDEST);
  await window.panel.getByTestId("filter-requests").fill("");
  await window.panel.getByTestId("filter-outcome").selectOption({ label: "Failed" });
  await count(/^1 of \d+ fit/);
  await only(FAILING);
  await window.panel.getByTestId("filter-outcome").selectOption({ label: "Tried more than once" });
  await count(/^1 of \d+ fit/);
  await window.panel.getByTestId("request-attempts").filter({ hasText: "503" }).waitFor();
  await window.panel.getByTestId("filter-outcome").selectOption({ label: "Every outcome" });
  await count(/kept/);
});

step("a request's details are opened and copied; no key, token or password goes along", async () => {
  const answer = await fetch(`${bench.url}/v1beta/models/${MODEL}:generateContent?key=${token}`, question());
  const id = answer.headers.get("x-aggregator-request-id") ?? "";
  const request = window.panel.locator(`[data-testid=request-row][data-request-id="${id}"]`);
  await request.getByTestId("request-details").click();
  const details = window.panel.getByTestId("request-opened");
  await details.filter({ hasText: `POST /v1beta/models/${MODEL}:generateContent` }).waitFor({ timeout: 30_000 });
  await window.putOnClipboard("");
  await details.getByTestId("copy-request").click();
  await window.statusBar(/Copied the request's details/);
  const copied = await window.clipboard();
  assert.match(copied, new RegExp(`${id}[^]*${MODEL}:generateContent[^]*→ 200`));
  for (const secret of [...Object.values(KEYS), token, "open-sesame"]) assert.ok(!copied.includes(secret), copied);
});

step("the help of a section opens its text, and from there the section of the guide", async () => {
  await window.panel.getByTestId("help-rotating").click();
  await window.panel.getByTestId("help-text-rotating").waitFor({ state: "visible" });
  await window.panel.getByTestId("learn-more-rotating").click();
  // The panel's own heading is another.
  const heading = window.panel.getByRole("heading", { name: "The rotating proxy", exact: true });
  await heading.waitFor({ timeout: 30_000 });
  await pollUntil(
    () =>
      heading.evaluate((element) => {
        const { top } = element.getBoundingClientRect();
        return top > -2 && top < globalThis.innerHeight;
      }),
    { what: "the section is scrolled to" },
  );
  await window.runCommand("View: Close Editor");
  // It was behind the guide.
  await window.panel.getByTestId("panel").waitFor({ timeout: 30_000 });
});

step("by keyboard alone a key is disabled and enabled again, and the focus stays on its button", async () => {
  await row("delta").waitFor({ timeout: 30_000 });
  await tabTo("Disable delta");
  await window.page.keyboard.press("Enter");
  await sees("delta", "key-status", "Disabled");
  assert.equal(await focused(), "Enable delta");
  await window.page.keyboard.press("Enter");
  await sees("delta", "key-status", "Available");
});

step("a thousand keys imported at once: a few rows are drawn, and the last is reached", async () => {
  await window.page.keyboard.press(IMPORT.many);
  await window.statusBar(/Gemini 1004\/1004/);
  const table = window.panel.getByTestId("keys-table");
  await pollUntil(async () => (await table.getAttribute("aria-rowcount")) === String(MANY + NAMES.length + 1), {
    what: "the panel knows all keys",
  });
  const rows = window.panel.getByTestId("key-row");
  assert.ok((await rows.count()) < 90, `${await rows.count()} rows are drawn`);
  await window.panel.locator("keys-table .scroll").focus();
  await window.page.keyboard.press("End");
  await row(`many_${number(MANY - 1)}`).waitFor({ timeout: 30_000 });
  assert.ok((await rows.count()) < 90, `${await rows.count()} rows are drawn`);
  await standsForRows("keys-table");
  await window.panel.getByTestId("filter-keys").fill("0777");
  await window.panel.getByTestId("keys-shown").filter({ hasText: "1 of 1004 shown" }).waitFor();
  await row("many_0777").waitFor();
});

/** @param {string} key */
const row = (key) => window.panel.locator(`[data-testid=key-row][data-key-name="${key}"]`);

/** Waits until a key's row says so. @param {string} key @param {string} part @param {string} text */
async function sees(key, part, text) {
  await row(key).getByTestId(part).filter({ hasText: text }).waitFor({ timeout: 30_000 });
}

/** The names of the keys as they are drawn. */
function shownKeys() {
  return window.panel.getByTestId("key-name").allTextContents();
}

/** @param {RegExp} words */
async function toast(words) {
  await window.panel.getByTestId("toast").filter({ hasText: words }).waitFor({ timeout: 30_000 });
}

/** The room left for rows not drawn is as high as they would be; else reading jumps. @param {string} part */
async function standsForRows(part) {
  const [each, drawn] = await window.panel.locator(`${part} .scroll`).evaluate((box) => {
    const [standIn, first] = ["tr.stand-in", "tbody tr:not(.stand-in)"].map((name) => box.querySelector(name));
    const left = Number(first?.getAttribute("aria-rowindex")) - 2;
    return [(standIn?.clientHeight ?? 0) / left, first?.getBoundingClientRect().height ?? 0];
  });
  assert.ok(Math.abs(each - drawn) < 0.5, `a row is ${drawn} px high, and ${each} px are left for one`);
}

/** @param {string} key @param {("Shift")[]} [modifiers] */
async function select(key, modifiers = []) {
  await row(key).getByTestId("select-key").click({ modifiers });
}

/** Waits for a row of the sidebar's tree. @param {string | RegExp} text */
async function inTree(text) {
  const rows = window.page.locator(".sidebar .monaco-list-row");
  await rows.filter({ hasText: text }).first().waitFor({ timeout: 30_000 });
}

/** Lists of keys, imported by pressing a keybinding's keys: its argument is the list. */
async function bindImports() {
  /** @param {string} keys @param {string[][]} list */
  const binding = (keys, list) => ({
    key: keys.toLowerCase().replace("control", "ctrl"),
    command: "geminiAggregator.importApiKeys",
    args: { text: list.map(([name, key]) => `${name},${key}`).join("\n") },
  });
  const many = Array.from({ length: MANY }, (_, index) => [`many_${number(index)}`, `test-key-many-${number(index)}`]);
  const bindings = [binding(IMPORT.few, Object.entries(KEYS)), binding(IMPORT.many, many)];
  await writeFile(join(bench.editor.server.userData, "User", "keybindings.json"), JSON.stringify(bindings));
}

/** @param {number} index */
function number(index) {
  return String(index + 1).padStart(4, "0");
}

/** Presses Tab until something of that name has the focus. @param {string} name */
async function tabTo(name) {
  for (let pressed = 0; pressed < 200; pressed += 1) {
    if ((await focused()) === name) return;
    await window.page.keyboard.press("Tab");
  }
  assert.fail(`Tab never came to "${name}".`);
}

/** The spoken name of what has the focus in the panel. */
function focused() {
  return window.panel.locator("html").evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element?.getAttribute("aria-label") ?? "";
  });
}

function question() {
  const body = JSON.stringify({ contents: [{ parts: [{ text: "hello" }] }] });
  return { method: "POST", headers: { "content-type": "application/json" }, body };
}

/** @param {{key?: string, model?: string}} [asked] */
async function ask({ key, model = MODEL } = {}) {
  const { headers, ...rest } = question();
  const pin = key === undefined ? {} : { "x-aggregator-key": key };
  const url = `${bench.url}/v1beta/models/${model}:generateContent`;
  const answer = await fetch(url, { ...rest, headers: { ...headers, ...pin, "x-goog-api-key": token } });
  await answer.arrayBuffer();
  return answer;
}

/** One that fails, then many, of which one is tried twice. */
async function fillLog() {
  bench.upstream.script.when(({ path }) => path.includes(FAILING)).once(behave.badRequest());
  assert.equal((await ask({ model: FAILING })).status, 400);
  bench.upstream.script.when(({ path }) => path.includes(MODEL)).once(behave.overloaded());
  for (let sent = 0; sent < REQUESTS; sent += 10) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask()));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  }
}

// The panel as the place where keys and proxies are looked after: added,
// assigned by hand, watched while requests run, removed. What it shows must be
// what happens on the wire, so each assignment is checked by a real request and
// the upstream's ledger.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { pollUntil } from "../../lib/wait.mjs";
import { behave } from "../../upstream/index.mjs";
import { tell } from "../harness/story.mjs";
import { MODEL } from "./clients.mjs";
import { copyToken, openPanel, startBench } from "./product.mjs";

const KEYS = { alpha: "test-key-alpha-0001", beta: "test-key-beta-0002" };

/** @type {Awaited<ReturnType<typeof startBench>>} */
let bench;
/** @type {import("../harness/workbench.mjs").Workbench} */
let window;
/** @type {string} */
let token;
const story = tell();
const { step } = story;

before(async () => {
  // It matters in the last step only: no proxy dies before.
  bench = await startBench("panel", {
    settings: { "geminiAggregator.proxy.failurePolicy": "reassignThenDirect" },
  });
  window = await bench.editor.openWindow();
  await window.statusBar(/Gemini 0\/0/, 60_000);
  await openPanel(window);
});

after(async () => {
  await bench?.stop(story);
});

step("a key added from the panel is there at once, with no proxy as long as there is none", async () => {
  await window.panel.getByTestId("add-key").click();
  await window.answer("Add API Key (1/2)", KEYS.alpha);
  await window.answer("Add API Key (2/2)", "alpha");
  await sees("alpha", "key-proxy", "No Proxy");
  token = await copyToken(window);
  assert.equal((await generate()).headers.get("x-aggregator-proxy"), "direct");
});

step("a proxy added from the panel is given to the key that has none", async () => {
  await addProxyFromPanel("eu-1", bench.proxies[0].url);
  await sees("alpha", "key-proxy", "eu-1");
  await sees("alpha", "key-proxy-mode", "automatic");
  assert.equal((await generate()).headers.get("x-aggregator-proxy"), "eu-1");
});

step("a proxy chosen by hand is the one that carries the next request", async () => {
  await addProxyFromPanel("us-1", bench.proxies[1].url);
  await choose("alpha", "us-1");
  await sees("alpha", "key-proxy", "us-1");
  await sees("alpha", "key-proxy-mode", "manual");
  bench.upstream.ledger.clear();
  assert.equal((await generate()).headers.get("x-aggregator-proxy"), "us-1");
  const [{ peerPort }] = bench.upstream.ledger.requests;
  bench.upstream.dropConnections();
  assert.equal((await bench.proxies[1].waitForEntry((tunnel) => tunnel.peerPort === peerPort)).user, "two");
});

step("No Proxy by hand means direct, although proxies are there; Automatic gives one again", async () => {
  await choose("alpha", "No Proxy");
  await sees("alpha", "key-proxy", "No Proxy");
  assert.equal((await generate()).headers.get("x-aggregator-proxy"), "direct");
  await choose("alpha", "Automatic");
  await sees("alpha", "key-proxy-mode", "automatic");
  assert.notEqual((await generate()).headers.get("x-aggregator-proxy"), "direct");
});

step("one key answers 429: the client sees 200, and panel and log show both attempts with key and proxy", async () => {
  await window.panel.getByTestId("add-key").click();
  await window.answer("Add API Key (1/2)", KEYS.beta);
  await window.answer("Add API Key (2/2)", "beta");
  await row("beta").waitFor({ timeout: 30_000 });
  bench.upstream.script.key(KEYS.alpha).always(behave.quotaPerMinute());
  // Two requests: in turn, so that one of them meets the exhausted key first.
  const answers = [await generate(), await generate()];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  );
  await sees("alpha", "key-status", /cooling down/i);
  const twice = window.panel.getByTestId("request-attempts").filter({ hasText: "429" }).first();
  await twice.waitFor({ timeout: 30_000 });
  const attempts = (await twice.locator("li").allTextContents()).map((text) => text.replace(/\s+/g, " ").trim());
  assert.equal(attempts.length, 2);
  assert.match(attempts[0], /alpha.*(eu|us)-1.*429/);
  assert.match(attempts[1], /beta.*(eu|us)-1.*200/);
  const logged = async () => {
    const log = await bench.editor.server.readLogs("Gemini Aggregator");
    return /alpha.*(eu|us)-1.*429/.test(log) && /beta.*(eu|us)-1.*200/.test(log);
  };
  await pollUntil(logged, { what: "the log tells of both attempts" });
});

step("a removed key is gone at once, and Undo brings it back; removed again, it stays away", async () => {
  await row("beta").getByTestId("remove-key").click();
  await row("beta").waitFor({ state: "detached", timeout: 30_000 });
  await window.panel.getByTestId("toast").filter({ hasText: "1 key removed" }).getByTestId("undo").click();
  await row("beta").waitFor({ timeout: 30_000 });
  await row("beta").getByTestId("remove-key").click();
  await row("beta").waitFor({ state: "detached", timeout: 30_000 });
});

step("a key with a space in it is refused with words, and nothing is added", async () => {
  await window.panel.getByTestId("add-key").click();
  await window.answer("Add API Key (1/2)", "two words");
  await window.answer("Add API Key (2/2)", "spaced");
  assert.match(await window.complaint("Add API Key"), /space/i);
  await window.cancel();
  assert.equal(await window.panel.getByTestId("key-row").count(), 1);
});

step("traffic, tunnels and errors of a proxy are shown, and how evenly the keys are spread", async () => {
  const shown = (/** @type {string} */ part) => window.panel.getByTestId(part).first();
  await shown("proxy-traffic")
    .filter({ hasText: /↑ [\d.]+ k?B ↓ [\d.]+ k?B/ })
    .waitFor({ timeout: 30_000 });
  await shown("proxy-traffic")
    .filter({ hasText: /[1-9]\d* tunnels?, reused \d+ times?/ })
    .waitFor();
  await shown("balance")
    .filter({ hasText: /2 of 2 active, keys evenly spread/ })
    .waitFor({ timeout: 30_000 });
});

step(
  "when every proxy is dead and direct is allowed, the panel says which key went direct, and so does the log",
  async () => {
    bench.upstream.script.clear();
    for (const proxy of bench.proxies) await proxy.stop();
    // Its quota of the other model is used up since the step before.
    const answer = await generate("gemini-2.5-flash");
    assert.deepEqual([answer.status, answer.headers.get("x-aggregator-proxy")], [200, "direct"]);
    await sees("alpha", "key-direct", /\d+ direct/);
    await window.panel.getByTestId("request-attempts").filter({ hasText: "direct, no proxy works" }).first().waitFor();
    const logged = async () =>
      /alpha → direct, no proxy works → 200/.test(await bench.editor.server.readLogs("Gemini Aggregator"));
    await pollUntil(logged, { what: "the log tells of the direct request" });
  },
);

/** @param {string} key */
const row = (key) => window.panel.locator(`[data-testid=key-row][data-key-name="${key}"]`);

/** Waits until a key's row says so. @param {string} key @param {string} part @param {string | RegExp} text */
async function sees(key, part, text) {
  await row(key).getByTestId(part).filter({ hasText: text }).waitFor({ timeout: 30_000 });
}

/** @param {string} key @param {string} label */
async function choose(key, label) {
  await row(key).getByTestId("assign-select").selectOption({ label });
}

/** @param {string} name @param {string} url */
async function addProxyFromPanel(name, url) {
  await window.panel.getByTestId("add-proxy").click();
  await window.answer("Add Proxy (1/2)", url);
  await window.answer("Add Proxy (2/2)", name);
  await window.panel.locator(`[data-proxy-name="${name}"]`).waitFor({ timeout: 30_000 });
}

async function generate(model = MODEL) {
  const answer = await fetch(`${bench.url}/v1beta/models/${model}:generateContent`, {
    method: "POST",
    headers: { "x-goog-api-key": token, "content-type": "application/json" },
    body: JSON.stringify({ contents: [{ parts: [{ text: "hello" }] }] }),
  });
  await answer.arrayBuffer();
  return answer;
}

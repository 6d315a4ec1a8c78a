// Three windows of one VS Code: what is done in one is seen in all of them, and when the one that serves is closed, or
// its extension host is killed, another serves within a second. Nothing that a window confirmed is lost, not even after
// all of them were closed, although each window keeps a copy of the secrets of its own.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { accepts, pollUntil } from "../../lib/wait.mjs";
import { tell } from "../harness/story.mjs";
import { clients } from "./clients.mjs";
import { addKey, addProxy, assignments, copyToken, openPanel, startBench } from "./product.mjs";

/** @typedef {import("../harness/workbench.mjs").Workbench} Workbench */

/** @type {Awaited<ReturnType<typeof startBench>>} */
let bench;
/** @type {Workbench[]} */
let windows;
/** @type {Record<string, string>} */
let assigned;

const story = tell();
const { step } = story;

before(async () => {
  bench = await startBench("windows");
  windows = [];
});

after(async () => {
  if (story.failed) console.log(await bench?.editor.server.readLogs("Gemini Aggregator"));
  await bench?.stop(story);
});

step("three windows open one after another, and none complains", async () => {
  for (let n = 0; n < 3; n += 1) {
    const window = await bench.editor.openWindow();
    windows.push(window);
    await window.statusBar(/Gemini 0\/0/, 60_000);
    await openPanel(window);
    assert.equal(await window.panel.getByTestId("endpoint-url").textContent(), bench.url);
    assert.deepEqual(await window.notifications(), []);
  }
});

step("a proxy added in the third window and a key in the second are seen in every panel", async () => {
  await addProxy(await inFront(at(2)), "first", bench.proxies[0].url);
  await addKey(await inFront(at(1)), "alpha", "test-key-alpha-0001");
  for (const window of windows) {
    assert.deepEqual(await assignments(await inFront(window), 1), { alpha: "first" });
    await window.statusBar(/Gemini 1\/1/);
  }
});

step("stopped in the third window, started in the second: there is one server", async () => {
  await (await inFront(at(2))).runCommand("Gemini Aggregator: Stop Server");
  await pollUntil(async () => !(await accepts(port())), { what: "the endpoint is stopped" });
  await (await inFront(at(1))).runCommand("Gemini Aggregator: Start Server");
  await pollUntil(() => accepts(port()), { what: "the endpoint listens" });
  await (await inFront(at(0))).statusBar(/Gemini 1\/1/);
  await answers(at(0), "three windows");
});

step("the window that serves is closed: another serves within a second, and all is there", async () => {
  const silence = measureSilence();
  const served = servingPid();
  // As a person closes it: the page says goodbye to its extension host.
  await at(0).page.goto("about:blank");
  await at(0).page.close();
  windows = windows.slice(1);
  await pollUntil(() => ![served, -1].includes(servingPid()), { timeoutMs: 30_000, what: "another window serves" });
  assertShort(await silence.end());
  for (const window of windows) {
    assert.deepEqual(await assignments(await inFront(window), 1), { alpha: "first" });
    await window.statusBar(/Gemini 1\/1/);
  }
  await answers(at(1), "one window less");
});

step(
  "killed right after a change was confirmed: another window serves within a second, the change is there",
  async () => {
    windows.push(await bench.editor.openWindow());
    await openPanel(await inFront(at(2)));
    await addKey(at(2), "beta", "test-key-beta-0002");
    await at(2).panel.getByTestId("key-row").nth(1).waitFor({ timeout: 30_000 });
    const served = servingPid();
    const silence = measureSilence();
    process.kill(served, "SIGKILL");
    await pollUntil(() => ![served, -1].includes(servingPid()), { timeoutMs: 30_000, what: "another window serves" });
    assertShort(await silence.end());
    assigned = await assignments(await inFront(at(2)), 2);
    assert.deepEqual(assigned, { alpha: "first", beta: "first" });
    await at(2).statusBar(/Gemini 2\/2/);
    await answers(at(2), "after a kill");
    assert.match(await bench.editor.server.readLogs("Gemini Aggregator"), /This window now serves the endpoint/);
  },
);

step("closed and opened again, one window has everything", async () => {
  await bench.editor.restart();
  windows = [await bench.editor.openWindow()];
  await at(0).statusBar(/Gemini 2\/2/, 60_000);
  await openPanel(at(0));
  assert.deepEqual(await assignments(at(0), 2), assigned);
  await answers(at(0), "after all");
});

/** @param {number} index */
function at(index) {
  const window = windows[index];
  if (!window) throw new Error(`There is no window ${index}.`);
  return window;
}

/** Keys and the clipboard go to the page in front. @param {Workbench} window */
async function inFront(window) {
  await window.page.bringToFront();
  return window;
}

function port() {
  return Number(new URL(bench.url).port);
}

/** The extension host that serves, as it says in the file the windows share; -1 while none does. */
function servingPid() {
  const folder = join(bench.editor.server.userData, "User/globalStorage/gemini-aggregator.gemini-api-key-aggregator");
  try {
    return Number(JSON.parse(readFileSync(join(folder, "leader.json"), "utf8")).pid) || -1;
  } catch {
    return -1;
  }
}

/** Looks all the time; tells the longest time for which nothing listened, once something does again. */
function measureSilence() {
  let going = true;
  let longest = 0;
  const looking = (async () => {
    let heard = performance.now();
    while (going) {
      const listens = await accepts(port());
      longest = Math.max(longest, performance.now() - heard);
      if (listens) heard = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return {
    async end() {
      await pollUntil(() => accepts(port()), { what: "the endpoint listens again" });
      going = false;
      await looking;
      return Math.round(longest);
    },
  };
}

/** @param {number} silence */
function assertShort(silence) {
  console.log(`Nothing listened for ${silence} ms.`);
  assert.ok(silence < 1_000, `nothing listened for ${silence} ms`);
}

/** @param {Workbench} window @param {string} question */
async function answers(window, question) {
  const heard = await clients[0].ask({ url: bench.url, token: await copyToken(await inFront(window)) }, question);
  assert.equal(heard.text, `echo: ${question}`);
}

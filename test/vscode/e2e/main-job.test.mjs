// The main job, end to end, in a real VS Code driven through a real browser: two
// proxies and two keys are added by hand, real client libraries are answered,
// each key leaves through its own proxy only, and a restart loses nothing. The
// packaged .vsix is what runs; nothing is reached behind the user's back.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { tell } from "../harness/story.mjs";
import { clients, MODEL } from "./clients.mjs";
import { addKey, addProxy, assignments, copyToken, openPanel, panelMarkup, startBench } from "./product.mjs";

const KEYS = { alpha: "test-key-alpha-0001", beta: "test-key-beta-0002" };

/** @type {Awaited<ReturnType<typeof startBench>>} */
let bench;
/** @type {import("../harness/workbench.mjs").Workbench} */
let window;
/** @type {Record<string, string>} */
let paired;

const story = tell();
const { step } = story;

before(async () => {
  bench = await startBench("main-job");
  window = await bench.editor.openWindow();
});

after(async () => {
  if (story.failed) console.log(await bench.editor.server.readLogs("Gemini Aggregator"));
  await bench?.stop(story);
});

step("with the window open the extension is active and its endpoint listens", async () => {
  await window.statusBar(/Gemini 0\/0/, 60_000);
  const health = await fetch(`${bench.url}/health`);
  assert.equal(health.status, 200);
  assert.equal((await health.json()).service, "gemini-aggregator");
});

step("a proxy with an unknown scheme is refused in the box it was typed into, and not added", async () => {
  await window.runCommand("Gemini Aggregator: Add Proxy");
  await window.answer("Add Proxy (1/2)", "ftp://127.0.0.1:21");
  await window.answer("Add Proxy (2/2)", "wrong");
  const words = await window.complaint("Add Proxy");
  assert.match(words, /ftp/);
  await window.cancel();
  await openPanel(window);
  assert.equal(await window.panel.getByTestId("proxy-row").count(), 0);
});

step("two proxies and two keys added through the palette: the panel shows one proxy for each key", async () => {
  await addProxy(window, "first", bench.proxies[0].url);
  await addProxy(window, "second", bench.proxies[1].url);
  await addKey(window, "alpha", KEYS.alpha);
  await addKey(window, "beta", KEYS.beta);
  await window.statusBar(/Gemini 2\/2/);
  paired = await assignments(window, 2);
  assert.deepEqual(Object.keys(paired).sort(), ["alpha", "beta"]);
  assert.deepEqual(Object.values(paired).sort(), ["first", "second"]);
  assert.equal(await window.panel.getByTestId("endpoint-url").textContent(), bench.url);
});

step("neither keys nor passwords are in the panel or the log", async () => {
  const shown = await panelMarkup(window);
  const logged = await bench.editor.server.readLogs("Gemini Aggregator");
  for (const secret of [KEYS.alpha, KEYS.beta, "open-sesame"]) {
    assert.ok(!shown.includes(secret), "the panel shows a secret");
    assert.ok(!logged.includes(secret), "the log shows a secret");
  }
});

for (const { name, ask } of clients) {
  step(`${name}: a whole answer and a streamed one come back right`, async () => {
    const prompt = `a question from ${name}`;
    const heard = await ask({ url: bench.url, token: await copyToken(window) }, prompt);
    assert.equal(heard.text, `echo: ${prompt}`);
    assert.ok(heard.chunks.length > 1, "the stream came as one piece");
    assert.equal(heard.chunks.join(""), `echo: ${prompt}`);
  });
}

step("each key left through its own proxy only, by the proxies' logs and the upstream's ledger", async () => {
  const generations = bench.upstream.ledger.requests.filter(({ path }) => path.includes(`models/${MODEL}:`));
  assert.equal(generations.length, 4);
  assert.deepEqual([...new Set(generations.map(({ key }) => key))].sort(), Object.values(KEYS).sort());
  // Squid writes a tunnel down when it has ended.
  bench.upstream.dropConnections();
  for (const { key, peerPort } of bench.upstream.ledger.requests.filter((request) => request.key)) {
    const own = ownProxy(String(key));
    const entry = await own.proxy.waitForEntry((tunnel) => tunnel.peerPort === peerPort);
    assert.equal(entry.user, own.user);
    assert.ok(!own.other.log().some((tunnel) => tunnel.peerPort === peerPort), "another proxy carried this key");
  }
});

step(
  "after a restart of VS Code keys, proxies and assignments are still there, and a request is answered",
  async () => {
    await bench.editor.restart();
    window = await bench.editor.openWindow();
    await window.statusBar(/Gemini 2\/2/, 60_000);
    await openPanel(window);
    assert.deepEqual(await assignments(window, 2), paired);
    const heard = await clients[0].ask({ url: bench.url, token: await copyToken(window) }, "are you still there?");
    assert.equal(heard.text, "echo: are you still there?");
  },
);

step("a second window on the same machine shows the same and can act, and the first goes on serving", async () => {
  const second = await bench.editor.openWindow();
  await openPanel(second);
  assert.deepEqual(await assignments(second, 2), paired);
  assert.equal(await second.panel.getByTestId("endpoint-url").textContent(), bench.url);
  assert.deepEqual(await second.notifications(), []);
  const heard = await clients[0].ask({ url: bench.url, token: await copyToken(second) }, "and you?");
  assert.equal(heard.text, "echo: and you?");
});

/** @param {string} key */
function ownProxy(key) {
  const name = Object.entries(KEYS).find(([, value]) => value === key)?.[0] ?? "";
  const index = paired[name] === "first" ? 0 : 1;
  return { proxy: bench.proxies[index], other: bench.proxies[1 - index], user: ["one", "two"][index] };
}

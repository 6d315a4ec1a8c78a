// The endpoint's port is taken by a foreign program: the person is told in plain
// words and offered a way out that works. A refused request tells its sender
// what to do, too. What a second window of the same product does is part of the
// main story.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before } from "node:test";
import { freePort } from "../../lib/ports.mjs";
import { pollUntil } from "../../lib/wait.mjs";
import { tell } from "../harness/story.mjs";
import { MODEL } from "./clients.mjs";
import { startBench } from "./product.mjs";

const foreign = createServer((_, answer) => answer.end("not yours"));

/** @type {Awaited<ReturnType<typeof startBench>>} */
let bench;
/** @type {import("../harness/workbench.mjs").Workbench} */
let window;
const story = tell();
const { step } = story;

before(async () => {
  const port = await freePort();
  foreign.listen(port, "127.0.0.1");
  await once(foreign, "listening");
  bench = await startBench("taken-port", { port });
  window = await bench.editor.openWindow();
});

after(async () => {
  await bench?.stop(story);
  foreign.close();
});

step("the person is told which port is taken, and the foreign program is left alone", async () => {
  const words = await window.notification(/port/i);
  assert.ok(words.includes(new URL(bench.url).port), `The port is not named: ${words}`);
  assert.equal(await (await fetch(bench.url)).text(), "not yours");
});

step("another port chosen from the notification: the endpoint listens there", async () => {
  const port = await freePort();
  await window.pressInNotification(/port/i, "Choose Another Port");
  await window.answer("Choose Another Port", "70000");
  assert.match(await window.complaint("Choose Another Port"), /1 to 65535/);
  await window.answer("Choose Another Port", String(port));
  await window.statusBar(/Gemini 0\/0/);
  const health = await pollUntil(async () => (await fetch(`http://127.0.0.1:${port}/health`)).json(), {
    what: "the endpoint answers",
  });
  assert.equal(health.service, "gemini-aggregator");

  const refused = await fetch(`http://127.0.0.1:${port}/v1beta/models/${MODEL}:generateContent`, {
    method: "POST",
    body: "{}",
  });
  assert.equal(refused.status, 401);
  assert.match((await refused.json()).error.message, /token/i);
  assert.equal(bench.upstream.ledger.requests.length, 0);
});

// The endpoint's port is taken, by a foreign program or by this product in another
// editor: the person is told in plain words and offered a way out that works. A
// refused request tells its sender what to do, too. Several windows of one editor
// are a story of their own.

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
/** Answers as this product does in another editor or profile. */
const other = createServer((_, answer) => answer.end('{"service":"gemini-aggregator","version":"0.0.1"}'));

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
  other.close();
});

step("the person is told which port is taken, and the foreign program is left alone", async () => {
  const words = await window.notification(/port/i);
  assert.ok(words.includes(new URL(bench.url).port), `The port is not named: ${words}`);
  assert.equal(await (await fetch(bench.url)).text(), "not yours");
});

step("another port that this product holds in another editor: the person is told so", async () => {
  const port = await freePort();
  other.listen(port, "127.0.0.1");
  await once(other, "listening");
  await window.pressInNotification(/port/i, "Choose Another Port");
  await window.answer("Choose Another Port", String(port));
  const words = await window.notification(/another editor, profile or terminal/);
  assert.ok(words.includes(String(port)), words);
});

step("another port chosen from the notification: the endpoint listens there", async () => {
  const port = await freePort();
  await window.pressInNotification(/another editor/i, "Choose Another Port");
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

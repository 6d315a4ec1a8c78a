// Gemini in the editor's own chat, used as any extension uses a model: what the
// editor lists, what of a request reaches the upstream, and what comes back. The
// models come and go with the keys.

import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, before } from "node:test";
import { pollUntil } from "../../lib/wait.mjs";
import { behave, createGate } from "../../upstream/index.mjs";
import { tell } from "../harness/story.mjs";
import { prepareDriver } from "./chatDriver.mjs";
import { MODEL } from "./clients.mjs";
import { addKey, startBench } from "./product.mjs";

const KEY = "test-key-chat-0001";
/** One grey point. A real one: the editor looks at pictures before it hands them on. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
const TOOL = {
  name: "read_weather",
  description: "The weather of a place.",
  inputSchema: { type: "object", properties: { place: { type: "string" } }, required: ["place"] },
};
const QUESTION = says("What is the weather in Oslo?");
/** The simulated model calls what a line of this form names. */
const CALLING = says(`call ${TOOL.name} {"place":"Oslo"}`);

/** @type {Awaited<ReturnType<typeof startBench>>} */
let bench;
/** @type {Awaited<ReturnType<typeof prepareDriver>>} */
let drivers;
/** In the first window. @type {Awaited<ReturnType<Awaited<ReturnType<typeof prepareDriver>>["inNewWindow"]>>} */
let chat;
/** @type {import("../harness/workbench.mjs").Workbench} */
let window;
/** @type {import("./chatDriver.mjs").Call} */
let call;
const story = tell();
const { step } = story;

before(async () => {
  drivers = await prepareDriver("gemini-aggregator");
  bench = await startBench("chat", {
    extensions: [drivers.vsix],
    env: drivers.env,
    userSettings: { "chat.disableAIFeatures": false },
  });
  window = await bench.editor.openWindow();
  await window.statusBar(/Gemini 0\/0/, 60_000);
  chat = await drivers.inNewWindow();
});

after(async () => {
  await bench?.stop(story);
  if (drivers) await rm(drivers.folder, { recursive: true, force: true });
});

step("without a key there is no model, and Google is not asked for any", async () => {
  assert.deepEqual(await chat.models(), []);
  assert.deepEqual(bench.upstream.ledger.requests, []);
});

step("with a key its chat models are there, with their limits, and no other", async () => {
  await addKey(window, "alpha", KEY);
  const models = await modelsWithin((found) => found.length > 0);
  assert.deepEqual(models.map(({ id }) => id).sort(), ["gemini-2.5-flash", "gemini-3.8-flash", "gemini-3.8-pro"]);
  assert.deepEqual(
    models.find(({ id }) => id === MODEL),
    { id: MODEL, name: "Gemini 3.8 Flash", family: MODEL, version: "001", maxInputTokens: 1048576 },
  );
  assert.equal(await chat.count(MODEL, "12345678"), 2);
});

step("an answer comes piece by piece, each before the next is sent", async () => {
  const gate = createGate();
  bench.upstream.script.when(isChat).once(behave.answer({ gate, pieces: 3, text: "one two three" }));
  const reader = await opened(new AbortController().signal);
  let heard = "";
  for (const soFar of ["one t", "one two th", "one two three"]) {
    await gate.next();
    while (spoken(heard) !== soFar) heard += (await reader.read()).value ?? assert.fail("The answer ended early.");
  }
  gate.open();
  assert.equal((await reader.read()).done, true);
});

step("an image and the words about it reach Google together", async () => {
  const image = { mimeType: "image/png", base64: PNG };
  const [heard] = await asks([{ role: "User", parts: [{ text: "What is this?" }, { image }] }]);
  assert.deepEqual(heard.contents, [
    {
      role: "user",
      parts: [{ text: "What is this?" }, { inlineData: { mimeType: "image/png", data: image.base64 } }],
    },
  ]);
});

step("a tool is offered, its call comes back as one", async () => {
  const [heard, lines] = await asks([CALLING], { tools: [TOOL], toolMode: 2, modelOptions: { temperature: 0.5 } });
  assert.deepEqual(heard.tools, [
    {
      functionDeclarations: [
        { name: TOOL.name, description: TOOL.description, parametersJsonSchema: TOOL.inputSchema },
      ],
    },
  ]);
  assert.deepEqual(heard.toolConfig, { functionCallingConfig: { mode: "ANY" } });
  assert.deepEqual(heard.generationConfig, { temperature: 0.5 });
  assert.equal(lines.length, 1);
  call = lines[0]?.call ?? assert.fail("There is no call.");
  assert.deepEqual([call.name, call.input], [TOOL.name, { place: "Oslo" }]);
});

step("the tool's result goes back with the thought signature of its call", async () => {
  const result = { callId: call.callId, text: "Rain" };
  const [heard, lines] = await asks(
    [CALLING, { role: "Assistant", parts: [{ call }] }, { role: "User", parts: [{ result }] }],
    { tools: [TOOL] },
  );
  // The simulated model knows its own signatures, and refuses any other as Google does.
  const { thoughtSignature, functionCall } = heard.contents[1].parts[0];
  const { id } = functionCall;
  assert.notEqual(thoughtSignature, "skip_thought_signature_validator");
  assert.deepEqual(heard.contents.slice(1), [
    { role: "model", parts: [{ functionCall: { id, name: TOOL.name, args: call.input }, thoughtSignature }] },
    { role: "user", parts: [{ functionResponse: { id, name: TOOL.name, response: { output: "Rain" } } }] },
  ]);
  assert.equal(heard.toolConfig, undefined);
  assert.deepEqual(
    lines.filter(({ error }) => error !== undefined),
    [],
  );
});

step("a call whose signature nobody has goes with the word for that", async () => {
  const lost = { ...call, callId: "of another window" };
  const [heard] = await asks([
    QUESTION,
    { role: "Assistant", parts: [{ call: lost }] },
    { role: "User", parts: [{ result: { callId: lost.callId, text: "Rain" } }] },
  ]);
  assert.equal(heard.contents[1].parts[0].thoughtSignature, "skip_thought_signature_validator");
});

step("a cancelled request ends at Google, too", async () => {
  bench.upstream.ledger.clear();
  const gate = createGate();
  bench.upstream.script.when(isChat).once(behave.answer({ gate, pieces: 3, text: "one two three" }));
  const abort = new AbortController();
  const reader = await opened(abort.signal);
  await gate.next();
  await reader.read();
  abort.abort();
  await bench.upstream.ledger.waitFor(({ answer }) => answer.state === "client gone");
});

step("a refusal is told in words, with the editor's own kind where it has one", async () => {
  const sentence = "The picture is too large.";
  bench.upstream.script.when(isChat).once(refusing(400, "INVALID_ARGUMENT", sentence));
  const [, refused] = await asks([QUESTION]);
  assert.match(refused.at(-1)?.error?.message ?? "", new RegExp(sentence));

  bench.upstream.script.when(isChat).always(behave.quotaPerMinute());
  const [, exhausted] = await asks([QUESTION]);
  bench.upstream.script.clear();
  assert.equal(exhausted.at(-1)?.error?.code, "Blocked");
  assert.match(exhausted.at(-1)?.error?.message ?? "", /quota|rest/i);
});

step("a second window has the models of the one that serves", async () => {
  await bench.editor.openWindow();
  const other = await drivers.inNewWindow();
  await modelsWithin((found) => found.length === 3, other);
  // Another model: the quota of the first is at rest.
  const lines = await other.send("gemini-2.5-flash", [QUESTION]);
  assert.match(lines.map(({ text }) => text ?? "").join(""), /^echo: What is the weather/);
});

step("with the last key the models go", async () => {
  await window.runCommand("Gemini Aggregator: Remove API Key");
  await window.pick("alpha");
  await window.confirm(/Remove the API key "alpha"/, "Remove");
  await window.statusBar(/Gemini 0\/0/);
  await modelsWithin((found) => found.length === 0);
});

/** @param {string} text @returns {import("./chatDriver.mjs").Message} */
function says(text) {
  return { role: "User", parts: [{ text }] };
}

/** @param {{path: string}} request */
function isChat({ path }) {
  return path.endsWith(":streamGenerateContent");
}

/** @param {number} code @param {string} status @param {string} message */
function refusing(code, status, message) {
  return behave.say({ status: code, pieces: [JSON.stringify({ error: { code, status, message } })] });
}

/**
 * What the upstream got of a request, and what came back.
 * @param {import("./chatDriver.mjs").Message[]} messages @param {object} [options]
 * @returns {Promise<[any, import("./chatDriver.mjs").Line[]]>}
 */
async function asks(messages, options) {
  bench.upstream.ledger.clear();
  const lines = await chat.send(MODEL, messages, options);
  const sent = bench.upstream.ledger.requests.find(isChat);
  assert.ok(sent, `Nothing reached the upstream: ${JSON.stringify(lines)}`);
  return [JSON.parse(sent.body.text ?? ""), lines];
}

/** @param {AbortSignal} signal */
function opened(signal) {
  return chat.stream(MODEL, [says("Count.")], signal);
}

/** @param {string} lines */
function spoken(lines) {
  const whole = lines.slice(0, lines.lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .map((line) => (line === "" ? "" : JSON.parse(line).text))
    .join("");
}

/** @param {(found: {id: string}[]) => boolean} fits */
function modelsWithin(fits, driver = chat) {
  return pollUntil(
    async () => {
      const found = await driver.models();
      return fits(found) && found;
    },
    { timeoutMs: 30_000, what: "the editor lists the models" },
  );
}

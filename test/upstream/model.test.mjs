/**
 * Proves the simulated model: function calls with signatures that must come back, JSON by schema, pictures, thoughts,
 * candidates and their ends, and that it takes no field Gemini does not have.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { fetchRaw } from "../lib/fetch.mjs";
import { behave, startUpstream } from "./index.mjs";

const KEY = "test-key-alpha-0001";
const MODEL = "gemini-3.8-flash";
const TOOLS = [
  {
    functionDeclarations: [
      { name: "weather", parametersJsonSchema: { type: "object", properties: { city: { type: "string" } } } },
      { name: "clock", parametersJsonSchema: { type: "object", properties: {} } },
    ],
  },
];
const user = (/** @type {string} */ text) => ({ role: "user", parts: [{ text }] });

/** @type {import("./index.mjs").Running} */
let upstream;
before(async () => {
  upstream = await startUpstream();
});
after(() => upstream?.close());
beforeEach(() => {
  upstream.script.clear();
  upstream.world.callIds = true;
});

/** @param {object} body @param {{model?: string, call?: string}} [options] */
async function ask(body, { model = MODEL, call = "generateContent" } = {}) {
  const answer = await fetchRaw(`${upstream.httpUrl}/v1beta/models/${model}:${call}`, {
    headers: { "x-goog-api-key": KEY },
    body,
  });
  return { status: answer.status, text: await answer.text() };
}

/** @param {object} body @param {{model?: string, call?: string}} [options] */
async function json(body, options) {
  const { status, text } = await ask(body, options);
  return { status, ...JSON.parse(text) };
}

/** @param {object} body @param {{model?: string}} [options] @returns {Promise<any>} the first candidate's parts */
async function partsOf(body, options) {
  return (await json(body, options)).candidates[0].content.parts;
}

/** @param {any[]} parts with the answer to each call of `parts` */
function answered(parts) {
  const calls = parts.map((part) => part.functionCall).filter(Boolean);
  const responses = calls.map(({ id, name, args }) => ({ functionResponse: { id, name, response: { told: args } } }));
  return [
    { role: "model", parts },
    { role: "user", parts: responses },
  ];
}

describe("functions", () => {
  const steps = user('please\ncall weather {"city":"Paris"} and weather {"city":"Rome"}\ncall clock {}');

  test("the prompt's steps are called one after another, and their results are told at the end", async () => {
    const contents = [steps];
    const first = await partsOf({ contents, tools: TOOLS });
    assert.deepEqual(
      first.map((/** @type {any} */ part) => part.functionCall.args),
      [{ city: "Paris" }, { city: "Rome" }],
    );
    contents.push(...answered(first));
    const second = await partsOf({ contents, tools: TOOLS });
    assert.equal(second[0].functionCall.name, "clock");
    contents.push(...answered(second));
    const [{ text }] = await partsOf({ contents, tools: TOOLS });
    assert.equal(text, 'results: [{"told":{}}]');
  });

  test("the first call of a step is signed, each with its own signature, and ids are given or not", async () => {
    const [first, second] = await partsOf({ contents: [steps], tools: TOOLS });
    const [again] = await partsOf({ contents: [steps], tools: TOOLS });
    assert.ok(first.thoughtSignature && !second.thoughtSignature);
    assert.notEqual(again.thoughtSignature, first.thoughtSignature);
    assert.ok(first.functionCall.id && first.functionCall.id !== second.functionCall.id);
    upstream.world.callIds = false;
    const [unnamed] = await partsOf({ contents: [steps], tools: TOOLS });
    assert.equal(unnamed.functionCall.id, undefined);
    const [old] = await partsOf({ contents: [steps], tools: TOOLS }, { model: "gemini-2.5-flash" });
    assert.equal(old.thoughtSignature, undefined);
  });

  test("a signature that is missing, foreign or another call's is refused; the sentinel is not", async () => {
    const parts = await partsOf({ contents: [steps], tools: TOOLS });
    const other = await partsOf({ contents: [user('call weather {"city":"Oslo"}')], tools: TOOLS });
    const signed = (/** @type {string | undefined} */ thoughtSignature) => {
      const [first, ...more] = parts;
      return { contents: [steps, ...answered([{ ...first, thoughtSignature }, ...more])], tools: TOOLS };
    };
    const missing = await json(signed(undefined));
    assert.equal(missing.status, 400);
    assert.match(missing.error.message, /^Function call is missing a thought_signature in functionCall parts/);
    for (const wrong of ["made up", other[0].thoughtSignature]) {
      assert.equal((await json(signed(wrong))).error.message, "Corrupted thought signature.");
    }
    assert.equal((await ask(signed("skip_thought_signature_validator"))).status, 200);
    assert.equal((await ask(signed(parts[0].thoughtSignature))).status, 200);
    assert.equal((await ask(signed(undefined), { model: "gemini-2.5-flash" })).status, 200, "it signs nothing");
  });

  test("calls without all their answers are refused", async () => {
    const parts = await partsOf({ contents: [steps], tools: TOOLS });
    const [calls, responses] = answered(parts);
    const short = { role: "user", parts: responses?.parts.slice(1) };
    const refused = await json({ contents: [steps, calls, short], tools: TOOLS });
    assert.match(refused.error.message, /number of function response parts is equal/);
  });

  test("none is called when none may be, one when one must be", async () => {
    const config = (/** @type {object} */ functionCallingConfig) => ({
      contents: [user("Hi")],
      tools: TOOLS,
      toolConfig: { functionCallingConfig },
    });
    const [named] = await partsOf(config({ mode: "ANY", allowedFunctionNames: ["clock"] }));
    assert.equal(named.functionCall.name, "clock");
    assert.equal((await partsOf(config({ mode: "NONE" })))[0].text, "echo: Hi");
    assert.equal((await partsOf({ contents: [steps] }))[0].functionCall, undefined);
  });

  test("in a stream each call is an event, and an empty text with STOP follows", async () => {
    const { text } = await ask({ contents: [steps], tools: TOOLS }, { call: "streamGenerateContent?alt=sse" });
    const events = text.split("\r\n\r\n").filter(Boolean);
    const candidates = events.map((event) => JSON.parse(event.slice("data: ".length)).candidates[0]);
    assert.deepEqual(
      candidates.map(({ content, finishReason }) => [Object.keys(content.parts[0])[0], finishReason]),
      [
        ["functionCall", undefined],
        ["functionCall", undefined],
        ["text", "STOP"],
      ],
    );
  });
});

describe("what is asked for", () => {
  const about = (/** @type {object} */ generationConfig, text = "Hi") => ({ contents: [user(text)], generationConfig });

  test("JSON follows its schema, references and all", async () => {
    const schema = {
      type: "object",
      properties: {
        steps: { type: "array", items: { $ref: "#/$defs/Step" } },
        mood: { enum: ["good", "bad"] },
        count: { anyOf: [{ type: "integer" }, { type: "null" }] },
      },
      $defs: { Step: { type: "object", properties: { text: { type: "string" }, done: { type: "boolean" } } } },
    };
    const asked = { responseMimeType: "application/json", responseJsonSchema: schema };
    const [{ text }] = await partsOf(about(asked));
    assert.deepEqual(JSON.parse(text), { steps: [{ text: "a text", done: true }], mood: "good", count: 7 });
    assert.equal((await partsOf(about({ responseMimeType: "application/json" })))[0].text, '{"echo":"Hi"}');
  });

  test("media are echoed by type, size and hash", async () => {
    const inlineData = { mimeType: "image/png", data: Buffer.from("a picture").toString("base64") };
    const contents = [{ role: "user", parts: [{ text: "what is it" }, { inlineData }] }];
    assert.match((await partsOf({ contents }))[0].text, /^echo: what is it \[image\/png, 9 bytes, [0-9a-f]{8}\]$/);
  });

  test("pictures come from Gemini's image models and from Imagen", async () => {
    const [{ inlineData }] = await partsOf({ contents: [user("a cat")] }, { model: "gemini-3.1-flash-image" });
    assert.match(Buffer.from(inlineData.data, "base64").toString("latin1"), /^\x89PNG.*a cat$/s);
    const predict = { instances: [{ prompt: "a cat" }], parameters: { sampleCount: 2 } };
    const { predictions } = await json(predict, { model: "imagen-4.0-generate-001", call: "predict" });
    assert.equal(new Set(predictions.map((/** @type {any} */ one) => one.bytesBase64Encoded)).size, 2);
    const many = { ...predict, parameters: { sampleCount: 5 } };
    assert.equal((await ask(many, { model: "imagen-4.0-generate-001", call: "predict" })).status, 400);
  });

  test("thoughts come first and are counted apart", async () => {
    const { candidates, usageMetadata } = await json(about({ thinkingConfig: { includeThoughts: true } }));
    const [thought, answer] = candidates[0].content.parts;
    assert.deepEqual([thought.thought, thought.text, answer.text], [true, "thinking about: Hi", "echo: Hi"]);
    assert.ok(usageMetadata.thoughtsTokenCount > 0);
  });

  test("candidates, the length and the end are as asked for", async () => {
    const { candidates } = await json(about({ candidateCount: 2 }));
    assert.deepEqual(
      candidates.map((/** @type {any} */ one) => one.content.parts[0].text),
      ["echo: Hi", "echo: Hi (2)"],
    );
    const [short] = (await json(about({ maxOutputTokens: 1 }))).candidates;
    assert.deepEqual([short.content.parts[0].text, short.finishReason], ["echo", "MAX_TOKENS"]);
    upstream.script.any().once(behave.answer({ finishReason: "SAFETY" }));
    assert.equal((await json(about({}))).candidates[0].finishReason, "SAFETY");
  });

  test("fields that Gemini does not have are refused", async () => {
    const strange = await json({ ...about({}), messages: [] });
    assert.match(strange.error.message, /Unknown name "messages": Cannot find field/);
    assert.match((await json(about({ max_tokens: 3 }))).error.message, /"max_tokens" at 'generation_config'/);
    assert.equal((await ask(about({ max_output_tokens: 3 }))).status, 200, "both spellings are Gemini's");
  });
});

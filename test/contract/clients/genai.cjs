/**
 * A user's program with @google/genai, as unmodified as its library: it asks what it is told to ask and prints what it
 * got as one JSON object. Started with the library's name, the endpoint and the token in its environment; knows of no
 * keys.
 */
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const { LIBRARY, ENDPOINT, TOKEN, CALLS, SMALL_FILE, LARGE_FILE, DOWNLOAD } = process.env;
const fromClients = createRequire(join(__dirname, "../../clients/package.json"));
const { GoogleGenAI, createPartFromUri } = fromClients(LIBRARY);
const model = "gemini-3.8-flash";

/** @param {string} apiKey @param {object} [options] */
function clientWith(apiKey, options = {}) {
  return new GoogleGenAI({ apiKey, httpOptions: { baseUrl: ENDPOINT, ...options } });
}

const ai = clientWith(TOKEN);

/** @param {AsyncIterable<{name: string}>} pager */
async function namesOf(pager) {
  const names = [];
  for await (const one of pager) names.push(one.name);
  return names;
}

async function uploadSmall() {
  return await ai.files.upload({ file: SMALL_FILE, config: { mimeType: "text/plain" } });
}

/** @param {any} interaction */
function saidIn(interaction) {
  return interaction.steps[0].content[0].text;
}

/** @param {any} client */
async function talkLive(client) {
  let heard = "";
  /** @type {() => void} */
  let complete = () => {};
  const completed = new Promise((resolve) => {
    complete = () => resolve(undefined);
  });
  /** @type {(event: any) => void} */
  let close = () => {};
  const closed = new Promise((resolve) => {
    close = resolve;
  });
  const callbacks = {
    onmessage(message) {
      heard += (message.serverContent?.modelTurn?.parts ?? []).map((part) => part.text).join("");
      if (message.serverContent?.turnComplete) complete();
    },
    onclose: close,
  };
  const session = await client.live.connect({ model, config: { responseModalities: ["TEXT"] }, callbacks });
  session.sendClientContent({ turns: "Hi, live", turnComplete: true });
  await completed;
  session.close();
  const { code } = await closed;
  return { heard, code };
}

const calls = {
  async generate() {
    return (await ai.models.generateContent({ model, contents: "Hi from JavaScript" })).text;
  },
  async stream() {
    const chunks = [];
    for await (const chunk of await ai.models.generateContentStream({ model, contents: "streamed, piece by piece" })) {
      chunks.push(chunk.text);
    }
    return chunks;
  },
  async countTokens() {
    return (await ai.models.countTokens({ model, contents: "Hi from JavaScript" })).totalTokens;
  },
  async embed() {
    const answer = await ai.models.embedContent({ model: "gemini-embedding-001", contents: ["one", "two"] });
    return answer.embeddings.map((embedding) => embedding.values.length);
  },
  async models() {
    return await namesOf(await ai.models.list({ config: { pageSize: 2 } }));
  },
  async uploadSmall() {
    return (await uploadSmall()).sizeBytes;
  },
  async uploadLarge() {
    const file = await ai.files.upload({ file: LARGE_FILE, config: { mimeType: "application/octet-stream" } });
    return { size: file.sizeBytes, hash: file.sha256Hash };
  },
  async files() {
    const made = [await uploadSmall(), await uploadSmall(), await uploadSmall()].map((file) => file.name);
    const read = [];
    for (const name of made) read.push((await ai.files.get({ name })).name);
    const listed = await namesOf(await ai.files.list({ config: { pageSize: 2 } }));
    for (const name of made) await ai.files.delete({ name });
    const left = await namesOf(await ai.files.list());
    const inList = (names) => made.map((name) => names.filter((other) => other === name).length);
    return { read: read.join() === made.join(), listed: inList(listed), left: inList(left) };
  },
  async useFile() {
    const { uri } = await uploadSmall();
    const contents = [createPartFromUri(uri, "text/plain"), "read it"];
    const said = [];
    for (let turn = 0; turn < 3; turn += 1) said.push((await ai.models.generateContent({ model, contents })).text);
    return said;
  },
  async cache() {
    const { name } = await ai.caches.create({ model, config: { contents: "long", ttl: "300s" } });
    const said = [];
    for (const contents of ["one", "two"]) {
      said.push((await ai.models.generateContent({ model, contents, config: { cachedContent: name } })).text);
    }
    const read = await ai.caches.get({ name });
    await ai.caches.delete({ name });
    return { said, read: read.name === name };
  },
  async batchInline() {
    const src = [{ contents: [{ parts: [{ text: "Hi" }], role: "user" }] }];
    const { name } = await ai.batches.create({ model, src, config: { displayName: "inline" } });
    const { state } = await ai.batches.get({ name });
    await ai.batches.cancel({ name });
    const listed = await namesOf(await ai.batches.list());
    await ai.batches.delete({ name });
    return { state, listed: listed.includes(name) };
  },
  async batchFile() {
    const file = await uploadSmall();
    const { name } = await ai.batches.create({ model, src: file.name, config: { displayName: "from file" } });
    return (await ai.batches.get({ name })).state;
  },
  async interactions() {
    const first = await ai.interactions.create({ model, input: "one" });
    const second = await ai.interactions.create({ model, input: "two", previous_interaction_id: first.id });
    const read = [saidIn(await ai.interactions.get(first.id)), saidIn(await ai.interactions.get(second.id))];
    const events = [];
    const streaming = { model, input: "three", previous_interaction_id: second.id, stream: true };
    for await (const event of await ai.interactions.create(streaming)) events.push(event);
    const { id } = events.at(-1).interaction;
    await ai.interactions.delete(id);
    return { read, events: events.map((event) => event.event_type), text: events[2].delta.text };
  },
  async store() {
    const { name } = await ai.fileSearchStores.create({ config: { displayName: "s1" } });
    const config = { mimeType: "text/plain" };
    await ai.fileSearchStores.uploadToFileSearchStore({ fileSearchStoreName: name, file: SMALL_FILE, config });
    const documents = await namesOf(await ai.fileSearchStores.documents.list({ parent: name }));
    const read = await ai.fileSearchStores.get({ name });
    await ai.fileSearchStores.delete({ name, config: { force: true } });
    return { read: read.name === name, documents: documents.map((document) => document.startsWith(name)) };
  },
  async video() {
    let operation = await ai.models.generateVideos({ model: "veo-3.1-generate-preview", source: { prompt: "a cat" } });
    while (!operation.done) operation = await ai.operations.getVideosOperation({ operation });
    const [made] = operation.response.generatedVideos;
    await ai.files.download({ file: made, downloadPath: DOWNLOAD });
    return readFileSync(DOWNLOAD, "utf8");
  },
  async live() {
    return await talkLive(ai);
  },
  async liveWithToken() {
    const maker = clientWith(TOKEN, { apiVersion: "v1alpha" });
    const { name } = await maker.authTokens.create({ config: { uses: 1 } });
    return await talkLive(clientWith(name, { apiVersion: "v1alpha" }));
  },
  async refused() {
    return clientWith("no-such-token")
      .models.generateContent({ model, contents: "Hi" })
      .then(
        () => "served",
        (error) => ({ status: error.status, message: error.message }),
      );
  },
};

/** Words for what went wrong, in place of a result. @param {unknown} error */
function failure(error) {
  return { failed: String(error) };
}

/** @param {Promise<unknown>} call */
function inTime(call) {
  const late = new Promise((resolve) => setTimeout(resolve, 20_000, failure("no answer in time")).unref());
  return Promise.race([call.catch(failure), late]);
}

(async () => {
  const results = {};
  for (const name of CALLS.split(",")) results[name] = await inTime(calls[name]());
  // Not left to an empty event loop: a call that hangs must not keep this program.
  process.stdout.write(JSON.stringify(results), () => process.exit(0));
})();

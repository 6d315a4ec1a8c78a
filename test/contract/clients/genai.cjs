/**
 * A user's program with @google/genai, as unmodified as its library: it asks everything once and prints what it got as
 * one JSON object. Started with the library's name, the endpoint and the token in its environment; knows of no keys.
 */
const { createRequire } = require("node:module");
const { join } = require("node:path");

const { LIBRARY, ENDPOINT, TOKEN, CALLS, SMALL_FILE, LARGE_FILE } = process.env;
const fromClients = createRequire(join(__dirname, "../../clients/package.json"));
const { GoogleGenAI } = fromClients(LIBRARY);
const ai = new GoogleGenAI({ apiKey: TOKEN, httpOptions: { baseUrl: ENDPOINT } });
const model = "gemini-3.8-flash";

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
    const names = [];
    for await (const one of await ai.models.list({ config: { pageSize: 2 } })) names.push(one.name);
    return names;
  },
  async uploadSmall() {
    return (await ai.files.upload({ file: SMALL_FILE, config: { mimeType: "text/plain" } })).sizeBytes;
  },
  async uploadLarge() {
    const file = await ai.files.upload({ file: LARGE_FILE, config: { mimeType: "application/octet-stream" } });
    return { size: file.sizeBytes, hash: file.sha256Hash };
  },
  async refused() {
    const stranger = new GoogleGenAI({ apiKey: "no-such-token", httpOptions: { baseUrl: ENDPOINT } });
    return stranger.models.generateContent({ model, contents: "Hi" }).then(
      () => "served",
      (error) => ({ status: error.status, message: error.message }),
    );
  },
};

(async () => {
  const results = {};
  for (const name of CALLS.split(",")) results[name] = await calls[name]();
  console.log(JSON.stringify(results));
})();

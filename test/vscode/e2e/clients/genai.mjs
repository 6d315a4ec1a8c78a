// The unmodified @google/genai client, as a user's own program would call it:
// address and token come from the environment, and the prompt from the command
// line. Prints one line of JSON with what came back. Runs under the Node that
// the client asks for, not under the suite's.

import { createRequire } from "node:module";

const { GoogleGenAI } = createRequire(new URL("../../../clients/package.json", import.meta.url))("@google/genai");

const [, , model, prompt] = process.argv;
// Address and key are taken from GOOGLE_GEMINI_BASE_URL and GEMINI_API_KEY.
const client = new GoogleGenAI({});
const whole = await client.models.generateContent({ model, contents: prompt });
const chunks = [];
for await (const chunk of await client.models.generateContentStream({ model, contents: prompt }))
  chunks.push(chunk.text ?? "");
console.log(JSON.stringify({ text: whole.text, chunks }));

/**
 * Chat and the completions before it with openai from npm: whole and streamed, its helpers included. Each call gives
 * back the same as its namesake in `chat.py`.
 */
const PNG = `data:image/png;base64,${Buffer.from("a picture").toString("base64")}`;

/** @param {string | object[]} content */
const user = (content) => [{ role: "user", content }];

module.exports = ({ client, z, zodResponseFormat, model }) => {
  const Answer = z.object({ mood: z.enum(["good", "bad"]), steps: z.array(z.object({ text: z.string() })) });
  const response_format = zodResponseFormat(Answer, "answer");

  /** @param {object} request */
  const create = (request) => client.chat.completions.create({ model, ...request });

  /** @param {string | object[]} content @param {object} [request] */
  async function said(content, request = {}) {
    const { choices } = await create({ messages: user(content), ...request });
    return choices[0].message.content;
  }

  return {
    async plain() {
      const { data, response } = await create({ messages: user("Hi") }).withResponse();
      const [{ message, finish_reason: finish }] = data.choices;
      const own = [...response.headers.keys()].filter((name) => name.startsWith("x-aggregator-"));
      const { prompt_tokens, completion_tokens, total_tokens } = data.usage;
      const counted = prompt_tokens > 0 && completion_tokens > 0 && total_tokens === prompt_tokens + completion_tokens;
      return { text: message.content, role: message.role, finish, model: data.model, counted, own: own.sort() };
    },
    async stream() {
      const stream_options = { include_usage: true };
      const chunks = [];
      for await (const chunk of await create({ messages: user("in pieces"), stream: true, stream_options })) {
        chunks.push(chunk);
      }
      const texts = chunks.map((chunk) => chunk.choices[0]?.delta.content).filter(Boolean);
      const ends = chunks.map((chunk) => chunk.choices[0]?.finish_reason).filter(Boolean);
      const last = chunks.at(-1);
      return { texts, ends, usageLast: last.choices.length === 0 && last.usage.total_tokens > 0 };
    },
    async streamHelper() {
      const stream = client.chat.completions.stream({ model, messages: user("with events") });
      let deltas = "";
      let done = "";
      stream.on("content.delta", ({ delta }) => {
        deltas += delta;
      });
      stream.on("content.done", ({ content }) => {
        done = content;
      });
      const { choices } = await stream.finalChatCompletion();
      return { deltas, done, final: choices[0].message.content, finish: choices[0].finish_reason };
    },
    async parse() {
      const parsed = await client.chat.completions.parse({ model, messages: user("how"), response_format });
      return parsed.choices[0].message.parsed;
    },
    async parseStream() {
      const stream = client.chat.completions.stream({ model, messages: user("how"), response_format });
      return (await stream.finalChatCompletion()).choices[0].message.parsed;
    },
    async jsonObject() {
      return JSON.parse(await said("as JSON", { response_format: { type: "json_object" } }));
    },
    async image() {
      const image = { type: "image_url", image_url: { url: PNG } };
      return await said([{ type: "text", text: "what is it" }, image]);
    },
    async audio() {
      const data = Buffer.from("a sound").toString("base64");
      return await said([{ type: "input_audio", input_audio: { data, format: "wav" } }]);
    },
    async settings() {
      const messages = [{ role: "system", content: "Be brief." }, ...user("Hi")];
      const sampling = { temperature: 0.5, top_p: 0.9, seed: 7, stop: ["END"], max_completion_tokens: 100 };
      return (await create({ messages, ...sampling, reasoning_effort: "low" })).choices[0].message.content;
    },
    async several() {
      const { choices } = await create({ messages: user("Hi"), n: 2 });
      return choices.map((choice) => [choice.index, choice.message.content]);
    },
    async length() {
      const [choice] = (await create({ messages: user("a long answer"), max_tokens: 1 })).choices;
      return [choice.message.content, choice.finish_reason];
    },
    async filtered() {
      const [choice] = (await client.chat.completions.create({ model: "gemini-3.8-flash-safe", messages: user("Hi") }))
        .choices;
      return choice.finish_reason;
    },
    async thoughts() {
      const extra_body = { google: { thinking_config: { include_thoughts: true } } };
      const { choices, usage } = await create({ messages: user("Hi"), extra_body });
      const { content, reasoning_content: thought } = choices[0].message;
      return { content, thought, counted: usage.completion_tokens_details.reasoning_tokens > 0 };
    },
    async pinned() {
      const keys = [];
      for (let turn = 0; turn < 3; turn += 1) {
        const request = client.chat.completions.create(
          { model, messages: user("Hi") },
          { headers: { "x-aggregator-key": "beta" } },
        );
        const { response } = await request.withResponse();
        keys.push(response.headers.get("x-aggregator-key"));
      }
      return keys;
    },
    async ways() {
      const seen = [];
      for (let turn = 0; turn < 4; turn += 1) {
        const { response } = await client.chat.completions.create({ model, messages: user("Hi") }).withResponse();
        seen.push(["key", "proxy"].map((name) => response.headers.get(`x-aggregator-${name}`)).join(" by "));
      }
      return seen;
    },
    async completion() {
      const { object, choices } = await client.completions.create({ model, prompt: "Once" });
      return [object, choices[0].text, choices[0].finish_reason];
    },
    async completionStream() {
      let text = "";
      for await (const chunk of await client.completions.create({ model, prompt: "Once", stream: true })) {
        text += chunk.choices[0]?.text ?? "";
      }
      return text;
    },
  };
};

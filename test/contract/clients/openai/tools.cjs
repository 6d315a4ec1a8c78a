/**
 * Tools with openai from npm: conversations over several turns by hand, whole and streamed, with all that the answers
 * held or only with what OpenAI's own have; and its runners. Each call gives back the same as its namesake in
 * `tools.py`.
 */
const THREE_TURNS = 'call weather {"city":"Paris"}\ncall clock {"zone":"UTC"}\ncall weather {"city":"Rome"}';
const PARALLEL = 'call weather {"city":"Paris"} and weather {"city":"Rome"} and clock {"zone":"UTC"}';

/** @param {string} name @param {string} parameter */
function tool(name, parameter) {
  const properties = { [parameter]: { type: "string" } };
  const parameters = { type: "object", properties, required: [parameter], additionalProperties: false };
  return { type: "function", function: { name, description: `The ${name}`, parameters, strict: true } };
}

const tools = [tool("weather", "city"), tool("clock", "zone")];

/** @param {{function: {name: string, arguments: string}}} call */
function answerOf({ function: { name, arguments: written } }) {
  return JSON.stringify({ [name]: Object.values(JSON.parse(written))[0] });
}

/** Only what OpenAI's own messages have, as many programs keep it. @param {any} message */
function bare({ role, content, tool_calls: calls }) {
  const kept = calls?.map(({ id, type, function: { name, arguments: written } }) => {
    return { id, type, function: { name, arguments: written } };
  });
  return { role, content, ...(kept ? { tool_calls: kept } : {}) };
}

module.exports = ({ client, z, zodFunction, model }) => {
  const { HISTORY } = process.env;

  /** @param {any[]} messages */
  async function whole(messages) {
    return (await client.chat.completions.create({ model, messages, tools })).choices[0];
  }

  /** @param {any[]} messages */
  async function streamed(messages) {
    return (await client.chat.completions.stream({ model, messages, tools }).finalChatCompletion()).choices[0];
  }

  /**
   * Goes on until the model has no more to call, or for so many turns.
   * @param {any[]} messages
   * @param {{ask?: typeof whole, keep?: (message: any) => any, turns?: number}} [how]
   */
  async function converse(messages, { ask = whole, keep = (message) => message, turns = 9 } = {}) {
    const called = [];
    for (let turn = 0; turn < turns; turn += 1) {
      const { message, finish_reason: finish } = await ask(messages);
      messages.push(keep(message));
      if (finish !== "tool_calls") return { called, text: message.content };
      called.push(message.tool_calls.map((call) => call.function.name).join("+"));
      for (const call of message.tool_calls) {
        messages.push({ role: "tool", tool_call_id: call.id, content: answerOf(call) });
      }
    }
    return { called, messages };
  }

  const begin = (/** @type {string} */ content) => [{ role: "user", content }];

  const runnable = [
    zodFunction({ name: "weather", parameters: z.object({ city: z.string() }), function: ({ city }) => city }),
    zodFunction({ name: "clock", parameters: z.object({ zone: z.string() }), function: ({ zone }) => zone }),
  ];

  return {
    kept: () => converse(begin(THREE_TURNS)),
    keptStreamed: () => converse(begin(THREE_TURNS), { ask: streamed }),
    bare: () => converse(begin(THREE_TURNS), { keep: bare }),
    bareStreamed: () => converse(begin(THREE_TURNS), { ask: streamed, keep: bare }),
    parallel: () => converse(begin(PARALLEL)),
    parallelStreamed: () => converse(begin(PARALLEL), { ask: streamed, keep: bare }),
    firstTurn: () => converse(begin(THREE_TURNS), { keep: bare, turns: 1 }),
    firstTurnKept: () => converse(begin(THREE_TURNS), { turns: 1 }),
    goOn: () => converse(JSON.parse(HISTORY)),
    async runner() {
      const runner = client.chat.completions.runTools({ model, messages: begin(THREE_TURNS), tools: runnable });
      return await runner.finalContent();
    },
    async streamingRunner() {
      const asked = { model, messages: begin(THREE_TURNS), tools: runnable, stream: true };
      return await client.chat.completions.runTools(asked).finalContent();
    },
    async parsed() {
      const asked = { model, messages: begin('call weather {"city":"Oslo"}'), tools: runnable };
      const { choices } = await client.chat.completions.parse(asked);
      return choices[0].message.tool_calls.map((call) => call.function.parsed_arguments);
    },
    async argumentEvents() {
      const stream = client.chat.completions.stream({ model, messages: begin(PARALLEL), tools });
      const seen = [];
      stream.on("tool_calls.function.arguments.done", ({ name, index, arguments: written }) => {
        seen.push([name, index, JSON.parse(written)]);
      });
      await stream.finalChatCompletion();
      return seen;
    },
    async chosen() {
      const choices = ["required", "none", { type: "function", function: { name: "clock" } }];
      const finishes = [];
      for (const tool_choice of choices) {
        const asked = { model, messages: begin("Hi"), tools, tool_choice };
        const [{ message }] = (await client.chat.completions.create(asked)).choices;
        finishes.push(message.tool_calls?.[0].function.name ?? message.content);
      }
      return finishes;
    },
  };
};

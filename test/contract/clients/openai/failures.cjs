/**
 * What can go wrong with openai from npm: refusals, quotas, outages, streams that fail in the middle, clients that leave.
 * Each model's name says what the upstream does to it. Each call gives back the same as its namesake in `failures.py`.
 */
module.exports = ({ client, clientWith, library }) => {
  const messages = [{ role: "user", content: "Hi" }];
  const once = clientWith({ maxRetries: 0 });

  /** @param {any} error */
  function told(error) {
    const { constructor, status, code, type, param, headers, message } = error;
    const marked = headers?.has("x-aggregator-request-id");
    return { kind: constructor.name, status, code, type, param, marked, message };
  }

  /** @param {object} request @param {any} [by] */
  async function asked(request, by = once) {
    try {
      const create = by.chat.completions.create({ messages, ...request });
      const { data, response } = await create.withResponse();
      const [attempts, key] = ["attempts", "key"].map((name) => response.headers.get(`x-aggregator-${name}`));
      return { text: data.choices[0].message.content, attempts, key };
    } catch (error) {
      return told(error);
    }
  }

  /** @param {string} model */
  async function streamed(model) {
    let text = "";
    try {
      for await (const chunk of await once.chat.completions.create({ model, messages, stream: true })) {
        text += chunk.choices[0]?.delta.content ?? "";
      }
      return { text, ended: "in silence" };
    } catch (error) {
      return { text, ...told(error) };
    }
  }

  /** @param {(seconds: number) => Promise<any>} work */
  async function timed(work) {
    const begun = Date.now();
    return { ...(await work()), seconds: (Date.now() - begun) / 1000 };
  }

  return {
    wrongToken: () => asked({ model: "gemini-3.8-flash" }, clientWith({ apiKey: "no-such-token", maxRetries: 0 })),
    unfit: () => asked({ model: "gemini-3.8-flash", logit_bias: { 50256: -100 } }),
    unfitInside: () =>
      asked({
        model: "gemini-3.8-flash",
        messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "picture.png" } }] }],
      }),
    badName: () => asked({ model: "a/b c" }),
    unknownModel: () => asked({ model: "nonsense" }),
    refusedThere: () => asked({ model: "gemini-refused" }),
    busyKey: () => asked({ model: "gemini-busy-key" }),
    busy: () => asked({ model: "gemini-busy" }),
    busyRetried: () => timed(() => asked({ model: "gemini-busy-retried" }, clientWith({ maxRetries: 2 }))),
    usedUp: () => asked({ model: "gemini-used-up" }),
    overloadedOnce: () => asked({ model: "gemini-overloaded-once" }),
    overloaded: () => asked({ model: "gemini-overloaded" }),
    withheld: () => asked({ model: "gemini-withheld" }),
    errorInStream: () => streamed("gemini-error-in-stream"),
    bareErrorInStream: () => streamed("gemini-bare-error-in-stream"),
    errorAtOnce: () => streamed("gemini-error-at-once"),
    endsEarly: () => streamed("gemini-ends-early"),
    brokenOff: () => streamed("gemini-broken-off"),
    refusedStream: () => streamed("gemini-refused"),
    silentStream: () => streamed("gemini-silent-stream"),
    silent: () => asked({ model: "gemini-silent" }),
    async hasNoPatience() {
      return (await asked({ model: "gemini-slow" }, clientWith({ maxRetries: 0, timeout: 300 }))).kind;
    },
    async leaves() {
      const stream = await client.chat.completions.create({ model: "gemini-left", messages, stream: true });
      for await (const chunk of stream) {
        if (!chunk.choices[0]?.delta.content) continue;
        stream.controller.abort();
        break;
      }
      return "left";
    },
    async leavesHelper() {
      const stream = client.chat.completions.stream({ model: "gemini-left", messages });
      stream.on("content.delta", () => stream.abort());
      return await stream.done().then(
        () => "finished",
        (error) => (error instanceof library.APIUserAbortError ? "left" : String(error)),
      );
    },
  };
};

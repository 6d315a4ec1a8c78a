/**
 * Embeddings, models and pictures with openai from npm, and what this endpoint does not serve. Each call gives back the
 * same as its namesake in `data.py`.
 */
module.exports = ({ client, library, model }) => {
  /** @param {object} request */
  async function embedded(request) {
    const { data, usage, model } = await client.embeddings.create({ model: "gemini-embedding-001", ...request });
    const vectors = data.map(({ embedding }) => embedding.map((value) => Math.round(value * 100) / 100));
    return { vectors, order: data.map(({ index }) => index), counted: usage.prompt_tokens > 0, model };
  }

  /** @param {object} request */
  async function drawn(request) {
    const { data } = await client.images.generate({ prompt: "a cat", ...request });
    return data.map((one) => Buffer.from(one.b64_json, "base64").toString("latin1").replace(/^.*\x82/s, "…"));
  }

  /** @param {() => Promise<unknown>} call */
  async function refusal(call) {
    return await call().then(
      () => "served",
      ({ constructor, status, type, message }) => [constructor.name, status, type, /is not served/.test(message)],
    );
  }

  return {
    embeddings: () => embedded({ input: ["one", "two"] }),
    embeddingsFloat: () => embedded({ input: "one", encoding_format: "float" }),
    embeddingsShort: () => embedded({ input: "one", dimensions: 2 }),
    async models() {
      const listed = [];
      for await (const one of client.models.list()) listed.push([one.id, one.object]);
      return listed;
    },
    async oneModel() {
      const { id, object, owned_by: owner } = await client.models.retrieve(model);
      return [id, object, owner];
    },
    async noModel() {
      return await client.models.retrieve("nonsense").catch(({ constructor, status, code }) => {
        return [constructor.name, status, code];
      });
    },
    picture: () => drawn({ model: "gemini-3.1-flash-image", size: "1024x1024" }),
    pictures: () => drawn({ model: "imagen-4.0-generate-001", n: 2, response_format: "b64_json" }),
    responses: () => refusal(() => client.responses.create({ model, input: "Hi" })),
    speech: () => refusal(() => client.audio.speech.create({ model, input: "Hi", voice: "alloy" })),
    moderations: () => refusal(() => client.moderations.create({ input: "Hi" })),
    async transcriptions() {
      const file = await library.toFile(Buffer.from("a sound"), "a.wav");
      return await refusal(() => client.audio.transcriptions.create({ file, model }));
    },
  };
};

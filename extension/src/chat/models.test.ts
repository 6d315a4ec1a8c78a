// Which models are offered, and when the endpoint is asked for them. The endpoint is a real server of one line.

import { once } from "node:events";
import { createServer } from "node:http";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { EndpointView, KeyView, Snapshot } from "../../../native/addon/types.gen";
import { nothingYet } from "../core/nothingYet";
import type { ApiModel } from "./gemini";
import { ModelList, servedBy } from "./modelList";
import { chatModels } from "./models";

const generates = { supportedGenerationMethods: ["generateContent"] };

it("models that answer in words are offered, with what they can do", () => {
  const listed: ApiModel[] = [
    {
      name: "models/gemini-3.8-flash",
      displayName: "Gemini 3.8 Flash",
      description: "Fast",
      version: "001",
      ...generates,
    },
    { name: "models/gemma-4-27b-it", inputTokenLimit: 1000, outputTokenLimit: 100, ...generates },
    { name: "models/gemini-2.5-flash-image", ...generates },
    { name: "models/gemini-2.5-pro-preview-tts", ...generates },
    { name: "models/imagen-4", ...generates },
    { name: "models/gemini-embedding-001", supportedGenerationMethods: ["embedContent"] },
    { name: "models/gemini-live" },
  ];
  expect(chatModels(listed)).toMatchObject([
    {
      id: "gemini-3.8-flash",
      name: "Gemini 3.8 Flash",
      tooltip: "Fast",
      maxInputTokens: 32_768,
      capabilities: { imageInput: true, toolCalling: true },
    },
    {
      id: "gemma-4-27b-it",
      maxInputTokens: 1000,
      maxOutputTokens: 100,
      capabilities: { imageInput: false, toolCalling: false },
    },
  ]);
});

const key = (id: string, status: KeyView["status"] = "available") => ({ id, masked_key: "…", status }) as KeyView;
const asked: string[] = [];
let status = 200;
const server = createServer((request, response) => {
  asked.push(`${request.headers["x-goog-api-key"]} ${request.url}`);
  const second = request.url?.includes("pageToken=more");
  const page = { models: [{ name: second ? "models/b" : "models/a" }], ...(second ? {} : { nextPageToken: "more" }) };
  response.writeHead(status).end(JSON.stringify(status === 200 ? page : { error: { message: "No key works." } }));
});
let url = "";

beforeEach(async () => {
  asked.length = 0;
  status = 200;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  url = typeof address === "object" && address ? `http://127.0.0.1:${address.port}` : "";
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

function stage(...keys: KeyView[]) {
  const state = { now: 0, snapshot: seen({ kind: "listening", url, port: 1, local_auth: "token" }, ...keys) };
  const list = new ModelList({
    snapshot: () => state.snapshot,
    endpoint: async () => ({ geminiBaseUrl: url, openaiBaseUrl: "", token: "local" }),
    now: () => state.now,
  });
  return { state, list };
}

function seen(endpoint: EndpointView, ...keys: KeyView[]): Snapshot {
  return { ...nothingYet, endpoint, keys };
}

it("all pages are read with the local token, once for all who ask, until the keys are others", async () => {
  const { state, list } = stage(key("k1"));
  const [first, again] = await Promise.all([list.get(), list.get()]);
  expect(first.map(({ name }) => name)).toEqual(["models/a", "models/b"]);
  expect(again).toBe(first);
  expect(asked).toEqual(["local /v1beta/models?pageSize=1000", "local /v1beta/models?pageSize=1000&pageToken=more"]);
  await list.get();
  expect(asked.length).toBe(2);
  state.snapshot = seen(state.snapshot.endpoint, key("k1"), key("k2"));
  await list.get();
  expect(asked.length).toBe(4);
  state.now = 3_600_000;
  await list.get();
  expect(asked.length).toBe(6);
});

it("nobody is asked without a key that works or an endpoint", async () => {
  expect(await stage().list.get()).toEqual([]);
  expect(await stage(key("k1", "disabled")).list.get()).toEqual([]);
  expect(asked).toEqual([]);
  expect(servedBy(seen({ kind: "stopped" }, key("k1")))).toBeUndefined();
});

it("a failure is told in words, unless models of these keys are known", async () => {
  status = 503;
  const { state, list } = stage(key("k1"));
  await expect(list.get()).rejects.toThrow("No key works.");
  status = 200;
  expect((await list.get()).length).toBe(2);
  status = 503;
  state.now = 3_600_000;
  expect((await list.get()).length).toBe(2);
});

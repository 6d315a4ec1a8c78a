// After a tool was connected, the first request that can be its own is told of, once.

import { expect, it } from "vitest";
import type { RequestView } from "../../../native/addon/types.gen";
import { FirstRequest, speaks } from "./firstRequest";
import { type Tool, tools } from "./tools";

const GEMINI = "/v1beta/models/gemini-2.5-flash:generateContent";

function request(id: string, path = GEMINI, status = 200): RequestView {
  const attempts = [{ key_name: "alpha" }] as RequestView["attempts"];
  const unknown = { model: null, client: null, tokens: null, first_byte_ms: null, error: null };
  return { id, at: 0, method: "POST", path, dialect: "gemini", status, duration_ms: 1, attempts, ...unknown };
}

function waitingFor(id: string, ...before: RequestView[]) {
  const told: string[] = [];
  const first = new FirstRequest((message) => told.push(message));
  const tool = tools.find((one) => one.id === id) as Tool;
  first.expect(tool, { requests: before }, 0);
  return { first, told };
}

it("tells of the oldest new request, once, and not of those before", () => {
  const old = request("1");
  const { first, told } = waitingFor("gemini-cli", old);
  first.seen({ requests: [old] }, 1);
  expect(told).toEqual([]);
  first.seen({ requests: [request("3"), request("2", GEMINI, 503), old] }, 2);
  first.seen({ requests: [request("4")] }, 3);
  expect(told).toEqual([
    `The first request since you connected Gemini CLI is here: POST ${GEMINI}, and the answer was an error (503) through the key "alpha".`,
  ]);
});

it("passes over requests of the other dialect", () => {
  const { first, told } = waitingFor("aider");
  first.seen({ requests: [request("1")] }, 1);
  expect(told).toEqual([]);
  first.seen({ requests: [request("2", "/v1/chat/completions"), request("1")] }, 2);
  expect(told).toEqual([expect.stringContaining("connected aider is here: POST /v1/chat/completions, answered (200)")]);
});

it("waits for half an hour", () => {
  const { first, told } = waitingFor("curl");
  first.seen({ requests: [request("1")] }, 31 * 60_000);
  first.seen({ requests: [request("1")] }, 1);
  expect(told).toEqual([]);
});

it.each<[string, boolean, boolean]>([
  ["/v1beta/models/x:generateContent", true, false],
  ["/v1/models/x:streamGenerateContent", true, false],
  ["/v1/chat/completions", false, true],
  ["//chat/completions", false, true],
  ["/v1beta/openai/chat/completions", false, true],
  ["/v1/models", true, true],
  ["/v1beta/files", true, false],
])("%s: Gemini %s, OpenAI %s", (path, gemini, openai) => {
  expect([speaks("gemini", path), speaks("openai", path)]).toEqual([gemini, openai]);
});

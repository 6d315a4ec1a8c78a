// Terminals hold the token only when the user asked for it, only while the endpoint listens, and never an old one.

import { expect, it } from "vitest";
import type { EndpointView } from "../../../native/addon/types.gen";
import { TerminalEnvironment } from "./terminalEnvironment";
import { type Client, chosenClients } from "./variables";

const listening = (port: number): EndpointView => ({
  kind: "listening",
  url: `http://127.0.0.1:${port}`,
  port,
  local_auth: "token",
});

function stage(clients: readonly Client[] = ["gemini", "openai"]) {
  const state = { clients, endpoint: listening(3146), token: "token-one" as string | undefined };
  const given = new Map<string, string>([["OPENAI_API_KEY", "left by an earlier window"]]);
  let touches = 0;
  const collection = {
    replace: (name: string, value: string) => void given.set(name, value),
    clear() {
      touches += 1;
      given.clear();
    },
  };
  const terminals = new TerminalEnvironment(collection, {
    clients: () => state.clients,
    endpoint: () => state.endpoint,
    token: async () => state.token,
    fault: (error) => {
      throw error;
    },
  });
  return { state, given, terminals, touches: () => touches };
}

it("gives address and token, each client its own", async () => {
  const { given, terminals } = stage();
  await terminals.update();
  expect(Object.fromEntries(given)).toEqual({
    GOOGLE_GEMINI_BASE_URL: "http://127.0.0.1:3146",
    GEMINI_API_KEY: "token-one",
    OPENAI_BASE_URL: "http://127.0.0.1:3146/v1",
    OPENAI_API_KEY: "token-one",
  });
  const one = stage(["openai"]);
  await one.terminals.update();
  expect([...one.given.keys()]).toEqual(["OPENAI_BASE_URL", "OPENAI_API_KEY"]);
});

it("follows a new token and a new port", async () => {
  const { state, given, terminals } = stage(["gemini"]);
  await terminals.update();
  state.token = "token-two";
  state.endpoint = listening(4000);
  await terminals.update();
  expect([...given.values()]).toEqual(["http://127.0.0.1:4000", "token-two"]);
});

it.each<[string, (state: { clients: readonly Client[]; endpoint: EndpointView }) => void]>([
  ["the server stops", (state) => Object.assign(state, { endpoint: { kind: "stopped" } })],
  ["the server fails", (state) => Object.assign(state, { endpoint: { kind: "failed", message: "x" } })],
  ["the setting goes off", (state) => Object.assign(state, { clients: [] })],
])("takes all of it out when %s", async (_what, change) => {
  const { state, given, terminals } = stage();
  await terminals.update();
  change(state);
  await terminals.update();
  expect(given.size).toBe(0);
});

it("touches open terminals only for a difference", async () => {
  const { terminals, touches } = stage();
  await terminals.update();
  const before = touches();
  await Promise.all([terminals.update(), terminals.update()]);
  expect(touches()).toBe(before);
});

it("a change while it asks for the token is not lost", async () => {
  const { state, given, terminals } = stage(["gemini"]);
  const first = terminals.update();
  state.token = "token-two";
  void terminals.update();
  await first;
  expect(given.get("GEMINI_API_KEY")).toBe("token-two");
});

it.each([
  [false, []],
  [true, ["gemini", "openai"]],
  [["openai", "nobody"], ["openai"]],
  ["true", []],
  [null, []],
])("reads the setting %j as %j", (value, clients) => {
  expect(chosenClients(<T>() => value as T)).toEqual(clients);
});

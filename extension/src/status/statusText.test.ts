// The status bar counts what is available and marks failures, and failures alone.

import { expect, it } from "vitest";
import type { EndpointView, KeyView, Snapshot } from "../../../native/addon/types.gen";
import { nothingYet } from "../core/nothingYet";
import { statusText } from "./statusText";

const listening: EndpointView = { kind: "listening", url: "http://127.0.0.1:3146", port: 3146, local_auth: "token" };

function snapshot(endpoint: EndpointView, ...statuses: KeyView["status"][]): Snapshot {
  const keys = statuses.map((status) => ({ status })) as KeyView[];
  return { ...nothingYet, endpoint, keys };
}

it("counts the available keys", () => {
  const { text, spoken } = statusText(snapshot(listening, "available", "cooling_down", "disabled"));
  expect(text).toBe("$(key) Gemini 1/3");
  expect(spoken).toContain("http://127.0.0.1:3146");
  expect(spoken).toContain("available: 1 of 3");
});

it("marks a failure and says why", () => {
  const failed = statusText(snapshot({ kind: "failed", message: "Port 3146 is taken." }));
  expect(failed).toMatchObject({ failed: true, spoken: "Gemini Aggregator: Port 3146 is taken." });
});

it.each<EndpointView>([{ kind: "starting" }, { kind: "stopped" }, listening])("$kind is no failure", (endpoint) => {
  expect(statusText(snapshot(endpoint)).failed).toBe(false);
});

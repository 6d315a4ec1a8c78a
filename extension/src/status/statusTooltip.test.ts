// The tooltip counts by state, leads on, and lets no text of others become a link that runs something.

import { expect, it } from "vitest";
import type { EndpointView, KeyView, ProxyView, Snapshot } from "../../../native/addon/types.gen";
import { commands, PREFIX } from "../commands/table";
import { nothingYet } from "../core/nothingYet";
import { COMMANDS, statusTooltip } from "./statusTooltip";

const listening: EndpointView = { kind: "listening", url: "http://127.0.0.1:3146", port: 3146, local_auth: "token" };
const keys = ["available", "available", "cooling_down"].map((status) => ({ status })) as KeyView[];
const proxies = ["active", "error"].map((status) => ({ status })) as ProxyView[];
const shown = (changes: Partial<Snapshot>) => statusTooltip({ ...nothingYet, ...changes }, "leader");

it("shows the address and counts by state", () => {
  const tooltip = shown({ endpoint: listening, keys, proxies });
  expect(tooltip).toContain("`http://127.0.0.1:3146`");
  expect(tooltip).toContain("API keys: 2 available, 1 resting");
  expect(tooltip).toContain("Proxies: 1 active, 1 in error");
});

it("leads to the next step when there is no key, and to a new start after a failure", () => {
  expect(shown({ endpoint: listening })).toContain("(command:geminiAggregator.addApiKey)");
  expect(shown({ endpoint: { kind: "failed", message: "x" } })).toContain("(command:geminiAggregator.restartServer)");
});

it("a failure's words cannot become a link", () => {
  const tooltip = shown({ endpoint: { kind: "failed", message: "[here](command:evil) <b>$(x)" } });
  expect(tooltip).not.toMatch(/[^\\]\]\\?\(command:evil/);
  expect(tooltip).not.toContain("<b>\\$(");
});

it("may run only commands that there are, and all that it links to", () => {
  const known = commands.map(({ id }) => PREFIX + id);
  expect(COMMANDS.filter((command) => !known.includes(command))).toEqual([]);
  const states: EndpointView[] = [
    listening,
    { kind: "stopped" },
    { kind: "failed", message: "" },
    { kind: "starting" },
  ];
  const linked = states.flatMap((endpoint) =>
    [keys, []].flatMap((some) =>
      [...shown({ endpoint, keys: some }).matchAll(/\(command:([^)]+)\)/g)].map(([, id]) => id),
    ),
  );
  expect(linked.length).toBeGreaterThan(0);
  expect(linked.filter((id) => !COMMANDS.includes(id ?? ""))).toEqual([]);
});

it("says in a follower that another window serves", () => {
  expect(statusTooltip(nothingYet, "follower")).toContain("Another window serves it");
  expect(statusTooltip(nothingYet, "leader")).not.toContain("Another window");
});

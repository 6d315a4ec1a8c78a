// What the user is shown of a test: one line when all is well, else the stage that failed with a way to see all stages and
// to the right section of the docs. And that waiting can be stopped.

import { readFileSync } from "node:fs";
import { expect, it, vi } from "vitest";
import type { Reply, TestFault } from "../../../native/addon/types.gen";
import type { CoreSession } from "../core/session";
import type { Ui } from "../ui/ui";
import type { App } from "./command";
import { runTest, showTest, stagesOf, type TestReply } from "./testing";

const dns = { stage: "dns", ms: 2, ok: true, words: "Found." } as const;
const closed = { stage: "proxy_connect", ms: 31, ok: false, words: "The proxy refused | the connection." } as const;
const well: TestReply = { kind: "tested", works: true, message: "It works.", stages: [dns], address: "203.0.113.9" };
const ill: TestReply = {
  kind: "tested",
  works: false,
  message: "Proxy eu-1 failed. The proxy refused the connection.",
  fault: "proxy",
  stages: [dns, closed],
  address: null,
};

async function shown(reply: TestReply, press?: string) {
  const seen: string[] = [];
  const ui: Partial<Ui> = {
    async tell(level, message, ...actions) {
      seen.push(`${level}: ${message}`, ...actions);
      return press;
    },
    showDocument: async (_language, text) => void seen.push(text),
  };
  const openDocs: App["openDocs"] = async (page, section) => void seen.push(`${page}#${section}`);
  await showTest({ ui, openDocs } as Pick<App, "ui" | "openDocs">, reply);
  return seen;
}

it("is one line when all is well, and names the failed stage otherwise", async () => {
  expect(await shown(well)).toEqual(["info: It works.", "Show Details"]);
  expect(await shown(ill)).toEqual([
    `error: Connection to the proxy: ${ill.message}`,
    "Show Details",
    "Troubleshooting",
  ]);
});

it("every stage stands in the document with its time, whatever it holds", async () => {
  expect(await shown(ill, "Show Details")).toContain(stagesOf(ill));
  expect(stagesOf(ill)).toContain("| Name lookup | well | 2 ms | Found. |");
  expect(stagesOf(ill)).toContain(
    "| Connection to the proxy | failed | 31 ms | The proxy refused \\| the connection. |",
  );
  expect(stagesOf(well)).toContain("203.0.113.9");
  expect(stagesOf(ill)).not.toContain("address");
});

it.each<TestFault>(["key", "quota", "proxy", "upstream"])("leads to a section that exists: %s", async (fault) => {
  const link = (await shown({ ...ill, fault }, "Troubleshooting")).at(-1) ?? "";
  const page = readFileSync(new URL("../../../docs/troubleshooting.md", import.meta.url), "utf8");
  const sections = [...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title?.toLowerCase().replaceAll(" ", "-"));
  expect(sections).toContain(link.replace("troubleshooting#", ""));
});

it("stops waiting when told to, and takes the answer otherwise", async () => {
  const stop = new AbortController();
  const ui: Partial<Ui> = { progress: (_title, work) => work({ say: () => {}, signal: stop.signal }) };
  const command = vi.fn(() => new Promise<Reply>(() => {}));
  const app = { ui, session: { command } as Partial<CoreSession> } as App;
  const waiting = runTest(app, "Testing…", { kind: "test_rotating" });
  stop.abort();
  expect(await waiting).toBeUndefined();
  expect(command).toHaveBeenCalledTimes(1);
});

// What the user is asked when the server cannot start, and that the answers lead somewhere.

import { expect, it } from "vitest";
import type { EndpointView } from "../../../native/addon/types.gen";
import { Notices, parsePort } from "./notices";

const failed: EndpointView = { kind: "failed", message: "Port 3146 is taken." };

/** A user who answers notifications and input boxes as told. */
function stage(press: string | undefined, ...typed: string[]) {
  const seen: string[] = [];
  const called: string[] = [];
  const ui = {
    tell: async (_level: string, message: string) => {
      seen.push(message);
      return press;
    },
    askText: async (_question: unknown, _step: string, problem?: string) => {
      if (problem !== undefined) seen.push(problem);
      return typed.shift();
    },
  };
  const notices = new Notices(ui, {
    choosePort: async (port) => void called.push(`port ${port}`),
    retry: async () => void called.push("retry"),
    showLog: () => void called.push("log"),
    doctor: async () => void called.push("doctor"),
    allowDirect: async () => void called.push("direct"),
  });
  return { seen, called, notices };
}

it("asks for another port until it is one", async () => {
  const { seen, called, notices } = stage("Choose Another Port", "99999", "4000");
  await notices.endpoint(failed);
  expect(seen).toEqual(["Port 3146 is taken.", expect.stringContaining("from 1 to 65535")]);
  expect(called).toEqual(["port 4000"]);
});

it("tries again when asked to", async () => {
  const { called, notices } = stage("Retry");
  await notices.endpoint(failed);
  expect(called).toEqual(["retry"]);
});

it("tells a failure once, however often the state comes by, and again after another try", async () => {
  const { seen, notices } = stage(undefined);
  await notices.endpoint(failed);
  await notices.endpoint(failed);
  expect(seen).toHaveLength(1);
  await notices.endpoint({ kind: "starting" });
  await notices.endpoint(failed);
  expect(seen).toHaveLength(2);
});

it("lets the user allow direct connections when no proxy works", async () => {
  const { seen, called, notices } = stage("Allow Direct Until a Proxy Is Back");
  await notices.proxiesDown("No proxy works any more.");
  expect([seen, called]).toEqual([["No proxy works any more."], ["direct"]]);
});

it("says nothing while all is well", async () => {
  const { seen, notices } = stage(undefined);
  await notices.endpoint({ kind: "stopped" });
  expect(seen).toEqual([]);
});

it.each([
  ["1", 1],
  [" 65535 ", 65535],
  ["0", undefined],
  ["65536", undefined],
  ["-1", undefined],
  ["80a", undefined],
])("reads the port %j as %j", (text, port) => {
  expect(parsePort(text)).toBe(port);
});

it("runs the doctor where something fails", async () => {
  const { called, notices } = stage("Run Doctor");
  await notices.endpoint(failed);
  await notices.warning("The stored secret is damaged.");
  await notices.proxiesDown("No proxy works any more.");
  expect(called).toEqual(["doctor", "doctor", "doctor"]);
});

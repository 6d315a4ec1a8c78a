// What the doctor looks at is looked at for real: a port with this product, another program or nobody; a file and its
// rights; a secret storage that keeps, forgets or refuses.

import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import type { Command, KeyView, ProxyView, Reply, RotatingView } from "../../../native/addon/types.gen";
import { nothingYet } from "../core/nothingYet";
import { lookAt, probe, putToTest, tryOut } from "./gather";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

it.each([
  ["this product", '{"service":"gemini-aggregator","version":"0.1.0"}', { kind: "ours", version: "0.1.0" }],
  ["another service", '{"service":"other","version":"1"}', { kind: "foreign" }],
  ["a page", "<html>", { kind: "foreign" }],
  ["null", "null", { kind: "foreign" }],
])("on the port answers %s", async (_what, body, expected) => {
  expect(await probe(await listening(createHttpServer((_, answer) => answer.end(body))))).toEqual(expected);
});

it("a program that speaks no HTTP is another one, and a closed port is silent", async () => {
  const mute = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end("no http here\r\n\r\n", () => socket.destroy()));
  });
  const port = await listening(mute);
  expect(await probe(port)).toEqual({ kind: "foreign" });
  await new Promise((resolve) => mute.close(resolve));
  expect(await probe(port)).toEqual({ kind: "silent", why: "ECONNREFUSED" });
});

it("the token's file: private, open to others, missing, in the way", async () => {
  const folder = await mkdtemp(join(tmpdir(), "doctor-"));
  ends.push(() => rm(folder, { recursive: true }));
  const file = join(folder, "local-token");
  expect(await lookAt(file)).toEqual({ kind: "missing" });
  await writeFile(file, "x", { mode: 0o600 });
  expect(await lookAt(file)).toEqual({ kind: "present", private: true });
  await chmod(file, 0o644);
  expect(await lookAt(file)).toEqual({ kind: "present", private: false });
  expect(await lookAt(join(file, "deeper"))).toEqual({ kind: "unreadable", why: "ENOTDIR" });
});

function storage(keeps: boolean) {
  const kept = new Map<string, string>();
  return {
    kept,
    get: async (name: string) => kept.get(name),
    store: async (name: string, value: string) => void (keeps && kept.set(name, value)),
    delete: async (name: string) => void kept.delete(name),
  };
}

it("the secret storage is tried out and left as it was", async () => {
  const good = storage(true);
  expect(await tryOut(good)).toEqual({ kind: "works" });
  expect(good.kept.size).toBe(0);
  expect(await tryOut(storage(false))).toEqual({ kind: "forgets" });
  const locked = { ...storage(true), store: async () => Promise.reject(new Error("locked")) };
  expect(await tryOut(locked)).toEqual({ kind: "fails", why: "locked" });
});

it("one key that should work is tested, proxies that do not, and the rotating one while it is on", async () => {
  const sent: Command[] = [];
  const command = async (it: Command): Promise<Reply> => {
    sent.push(it);
    if (it.kind === "test_rotating") return { kind: "refused", code: "not_found", message: "Gone." };
    return { kind: "tested", works: true, message: "", stages: [], address: null };
  };
  const keys = [
    { id: "k1", status: "disabled" },
    { id: "k2", status: "available" },
    { id: "k3", status: "available" },
  ];
  const down = Array.from({ length: 6 }, (_, place) => ({ id: `p${place + 1}`, status: "error" }));
  const tested = await putToTest(
    { command },
    {
      ...nothingYet,
      keys: keys as KeyView[],
      proxies: [{ id: "p0", status: "active" }, ...down] as ProxyView[],
      rotating: { mode: "on" } as RotatingView,
    },
  );
  expect(sent.map((it) => ("id" in it ? it.id : it.kind))).toEqual(["k2", "p1", "p2", "p3", "p4", "test_rotating"]);
  expect(tested.map(({ of }) => of)).toEqual([
    { kind: "key", place: 1 },
    ...[1, 2, 3, 4].map((place) => ({ kind: "proxy", place })),
  ]);
  expect(await putToTest({ command }, nothingYet)).toEqual([]);
});

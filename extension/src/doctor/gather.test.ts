// What the doctor looks at is looked at for real: a port with this product, another program or nobody; a file and its
// rights; a secret storage that keeps, forgets or refuses.

import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { lookAt, probe, tryOut } from "./gather";

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

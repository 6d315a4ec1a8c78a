/**
 * One window in a process of its own: opens the addon in a shared folder and does what its parent asks. Its secret store
 * is as in the browser: read once, and each write keeps this window's whole copy, whatever others have written. Decides
 * nothing.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { Host } from "./host.mjs";

const { folder, settings, storeFile } = JSON.parse(process.argv[2] ?? "{}");
const kept = existsSync(storeFile) ? JSON.parse(readFileSync(storeFile, "utf8")) : {};
const host = new Host({
  folder,
  shared: true,
  settings,
  store: new Map(Object.entries(kept)),
  vault: (write, answer) =>
    host.keep(write, () => {
      const fresh = `${storeFile}.${process.pid}`;
      writeFileSync(fresh, JSON.stringify(Object.fromEntries(host.store)));
      renameSync(fresh, storeFile);
      answer();
    }),
});

/** @type {Record<string, (argument: any) => unknown>} */
const asked = {
  command: (command) => host.command(command),
  applySettings: (change) => host.applySettings(change),
  start: () => host.start(),
  stop: async () => JSON.parse(await host.core.stopServer()),
  snapshot: () => host.snapshot(),
  token: () => host.core.localToken(),
  writes: () => host.writes.length,
  messages: () => host.events().map(({ message }) => message),
  close: () => host.close(),
};

process.on("message", async (/** @type {{id: number, ask: string, argument: unknown}} */ { id, ask, argument }) => {
  try {
    process.send?.({ id, value: await asked[ask]?.(argument) });
  } catch (error) {
    process.send?.({ id, error: String(error) });
  }
});
const { role } = await host.open();
if (role === "leader") await host.start();
process.send?.({ ready: role });

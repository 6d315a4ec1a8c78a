/**
 * A thread that opens a core, adds one key, serves, says where, and then does nothing: its end is the test's. When told
 * so it leaves a second key waiting for a vault that does not answer. Knows only what it is given.
 */
import { parentPort, workerData } from "node:worker_threads";
import { tokenOf } from "./bench.mjs";
import { Host } from "./host.mjs";

let answering = true;
const host = new Host({
  folder: workerData.folder,
  settings: { upstream: { baseUrl: workerData.baseUrl } },
  vault: (write, answer) => answering && host.keep(write, answer),
});
const url = await host.serve();
await host.done({ kind: "add_key", key: workerData.key });
if (workerData.amidChange) {
  answering = false;
  void host.command({ kind: "add_key", key: `${workerData.key}-more` });
  await host.until(() => host.writes.length === 2, "the second write was never asked for");
}
parentPort?.postMessage({ url, token: tokenOf(host) });
// Keeps the thread alive, as an extension host lives on.
parentPort?.on("message", () => {});

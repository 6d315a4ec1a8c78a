/**
 * No daemon may outlive the test that started it, not even when the test is killed without a chance to clean up.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { startProcess } from "../lib/processes.mjs";
import { accepts, pollUntil } from "../lib/wait.mjs";

test("a proxy ends when the process that started it is killed", async () => {
  const module = JSON.stringify(join(import.meta.dirname, "index.mjs"));
  const source = `import(${module}).then(async ({ startMicrosocks }) => console.log((await startMicrosocks()).port));`;
  const test = startProcess(process.execPath, ["-e", source], { stopSignal: "SIGKILL" });
  const port = Number(await test.stdout.waitFor((lines) => lines[0], { what: "the proxy did not start" }));
  assert.equal(await accepts(port), true);
  await test.stop();
  await pollUntil(async () => !(await accepts(port)), { what: "the proxy still listens after its test was killed" });
});

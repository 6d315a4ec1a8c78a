// `npm run demo` as its user meets it: without any key of their own, the request
// that the demo prints is answered, each example key has a proxy, and a key out
// of quota does not show in the answers.

import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { inRoot } from "../../../scripts/lib/paths.mjs";
import { start } from "../../../scripts/lib/processes.mjs";
import { run } from "../../lib/processes.mjs";
import { pollUntil } from "../../lib/wait.mjs";

test("the request that the demo suggests is answered, again and again, through the example proxies", {
  timeout: 240_000,
}, async (t) => {
  const profile = `demo-test-${process.pid}`;
  const script = start(process.execPath, [
    inRoot("scripts", "demo.mjs"),
    "--headless",
    "--no-build",
    "--profile",
    profile,
  ]);
  t.after(async () => {
    await script.stop();
    await rm(inRoot(".runtime", profile), { recursive: true, force: true });
  });
  const [, command] = await script.waitForOutput(/(curl [\s\S]*?)\nPress Ctrl-C/, 200_000);
  const ask = async () => (await run("bash", ["-c", `${command} -s -i`])).stdout;
  // The example keys are being entered while the first answers come.
  await pollUntil(async () => (await ask()).startsWith("HTTP/1.1 200"), {
    what: "the example keys are there",
    timeoutMs: 30_000,
  });
  const proxies = new Set();
  for (let asked = 0; asked < 8; asked += 1) {
    const answer = await ask();
    assert.match(answer, /^HTTP\/1\.1 200/);
    assert.match(answer, /^x-aggregator-key: (?!out-of-quota)/m);
    proxies.add(/^x-aggregator-proxy: (\S+)/m.exec(answer)?.[1]);
  }
  assert.ok(!proxies.has("direct"), "an example key went out without its proxy");

  script.process.kill("SIGINT");
  assert.equal((await script.exited).code, 0);
});

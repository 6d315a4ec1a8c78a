/**
 * The simulated upstream as a program: one line with its addresses, service, and an end when asked for it, without a
 * word about the keys it saw.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fetchRaw } from "../lib/fetch.mjs";
import { run, startProcess } from "../lib/processes.mjs";

const PROGRAM = join(import.meta.dirname, "main.mjs");
const KEY = "test-key-alpha-0001";

test("prints its addresses, serves, says nothing of keys and cleans up", async () => {
  const program = startProcess(process.execPath, [PROGRAM, "--gzip", "never", "--spacing-ms", "1"]);
  try {
    const line = await program.stdout.waitFor((lines) => lines[0], { what: "the program printed no address" });
    const { httpUrl, httpsUrl, caFile } = JSON.parse(line);
    const headers = { "x-goog-api-key": KEY, "accept-encoding": "gzip" };
    for (const url of [httpUrl, httpsUrl]) {
      const answer = await fetchRaw(`${url}/v1beta/models`, { headers, caFile });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["content-encoding"], undefined);
    }
    await program.stop();
    assert.deepEqual(await program.exited, { code: 0, signal: null });
    assert.deepEqual(program.output.all, [line]);
    assert.equal(existsSync(caFile), false);
  } finally {
    await program.stop();
  }
});

test("explains a wrong option", async () => {
  const { code, stderr } = await run(process.execPath, [PROGRAM, "--port", "70000"], { mayFail: true });
  assert.equal(code, 2);
  assert.match(stderr, /--port must be a whole number from 0 to 65535/);
});

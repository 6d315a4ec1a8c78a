/**
 * A reader of the program's log that stops reading: a pager left open, a full pipe in a container. Log lines may be
 * lost then, requests may not, and SIGTERM still ends the program. The log here is a pipe that nobody reads.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fetchRaw } from "../lib/fetch.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { programEnvironment, programPath } from "./lib/program.mjs";

/** A pipe holds 64 KiB; each of these requests writes a line of about 300 bytes. */
const REQUESTS = 1000;

test("a log that nobody reads holds up neither requests nor the end", { timeout: 60_000 }, async () => {
  const dir = makeTempDir("stuck-log");
  const file = dir.write(
    "keys.yaml",
    JSON.stringify({ server: { port: 0, accessTokens: ["local-token-of-this-test"] } }),
  );
  const program = spawn(programPath(), ["serve", "--config", file], {
    cwd: dir.path,
    env: programEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  try {
    // Paused from the beginning: the pipe fills up and stays full.
    program.stderr.pause();
    const [line] = await once(createInterface(program.stdout), "line");
    const url = String(line).replace("listening on ", "");
    for (let i = 0; i < REQUESTS; i += 1) {
      const answer = await fetchRaw(`${url}/v1/models`, { headers: { "x-goog-api-key": "local-token-of-this-test" } });
      assert.equal(answer.status, 503, "there is no key, and that is said");
      await answer.bytes();
    }
    program.kill("SIGTERM");
    const [code] = await once(program, "exit");
    assert.equal(code, 0);
  } finally {
    program.kill("SIGKILL");
    dir.dispose();
  }
});

/**
 * Requests generated from docs/admin-api.yaml, right and wrong ones, against the running program: each answer must be
 * one that the description has. Seeded, so that a failure comes again.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inRoot } from "../../../scripts/lib/paths.mjs";
import { run } from "../../../scripts/lib/processes.mjs";
import { pythonProgram } from "../../lib/python.mjs";
import { makeTempDir } from "../../lib/temp.mjs";
import { startTinyproxy } from "../../proxies/index.mjs";
import { Bench, KEYS } from "../lib/bench.mjs";
import { ADMIN, SERVER } from "./lib.mjs";

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());

test("the running program answers generated requests as docs/admin-api.yaml says", async (t) => {
  const way = await bench.proxy(startTinyproxy());
  const proxies = [{ name: "way-out", url: way.url }];
  const gateway = await bench.gateway({ server: SERVER, keys: [KEYS.alpha, KEYS.beta], proxies });
  const dir = makeTempDir("schemathesis");
  t.after(dir.dispose);
  const options = ["--url", gateway.url, "--header", `Authorization: Bearer ${ADMIN}`, "--checks", "all"];
  const bounds = ["--phases", "examples,coverage,fuzzing", "--seed", "7", "--max-examples", "6", "--no-color"];
  const config = ["--config-file", inRoot("test", "contract", "admin", "schemathesis.toml")];
  const description = inRoot("docs", "admin-api.yaml");
  const { code, output } = await run(
    pythonProgram(),
    ["-m", "schemathesis.cli", ...config, "run", description, ...options, ...bounds],
    { cwd: dir.path, timeoutMs: 120_000 },
  );
  assert.equal(code, 0, output);
  const tested = /Tested: (\d+)/.exec(output)?.[1];
  assert.ok(Number(tested) >= 25, `only ${tested} operations were tested`);
});

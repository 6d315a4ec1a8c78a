/**
 * The commands of docs/admin-api.md, run as they stand and in their order by a shell against the running program.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inRoot } from "../../../scripts/lib/paths.mjs";
import { run } from "../../../scripts/lib/processes.mjs";
import { Bench, KEYS } from "../lib/bench.mjs";
import { ADMIN, Admin, SERVER } from "./lib.mjs";

const page = readFileSync(inRoot("docs", "admin-api.md"), "utf8");
const examples = [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, commands = ""]) => commands);

test("every command of the page does what it says", async (t) => {
  assert.ok(examples.length >= 5, `only ${examples.length} examples found`);
  const bench = await Bench.start();
  t.after(() => bench.stop());
  const gateway = await bench.gateway({ server: SERVER, keys: [KEYS.alpha] });
  const env = { ...process.env, ADMIN_TOKEN: ADMIN, ADDRESS: gateway.url };
  const { code, output } = await run("bash", ["-euo", "pipefail", "-c", examples.join("\n")], {
    env,
    timeoutMs: 60_000,
  });
  assert.equal(code, 0, output);
  assert.match(output, /event: snapshot/);
  const { keys } = (await new Admin(gateway).expect(200, "GET", "/keys")).body;
  const made = keys.find((/** @type {any} */ key) => key.name === "personal-1");
  assert.deepEqual([made.weight, made.masked_key], [5, "••••page"]);
});

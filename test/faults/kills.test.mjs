/**
 * `kill -9` at random moments while the store writes as fast as it can: afterwards the database opens, is whole, and
 * holds the last write that was acknowledged, of what was added and of what was learned. KILLS says how often.
 */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { run, startProcess } from "../lib/processes.mjs";
import { makeTempDir } from "../lib/temp.mjs";

const KILLS = Number(process.env.KILLS ?? 25);
/** A write takes some milliseconds; within this time there are several, and the first ones that make the database. */
const LONGEST_MS = 150;

const target = process.env.CARGO_TARGET_DIR ?? inRoot("target");
const writer = `${target}/debug/examples/store_writer`;

before(async () => {
  const args = ["build", "--locked", "-p", "aggregator-core", "--example", "store_writer"];
  await run("cargo", args, { cwd: inRoot(), timeoutMs: 600_000 });
});

test(`${KILLS} kills: whole, and nothing acknowledged is lost`, {
  timeout: 60_000 + KILLS * 2_000,
}, async (context) => {
  const folder = makeTempDir("kills");
  context.after(() => folder.dispose());
  let acknowledged = { added: 0, saved: 0 };
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const process = startProcess(writer, ["write", folder.path]);
    if (kill % 5 !== 0) await process.stdout.waitFor((lines) => lines.length > 0, { what: "it never wrote" });
    await pause(Math.random() * LONGEST_MS);
    await process.kill();
    acknowledged = { ...acknowledged, ...newest(process.output.all) };
    const { stdout } = await run(writer, ["check", folder.path]);
    const [, added, saved] = /^added (\d+) saved (\d+)$/m.exec(stdout) ?? [];
    const found = `kill ${kill}: acknowledged ${JSON.stringify(acknowledged)}, found ${stdout}`;
    // One more may have been written than there was time to say; what is saved follows what is added.
    assert.ok([0, 1].includes(Number(added) - acknowledged.added), found);
    assert.ok(Number(saved) >= acknowledged.saved && Number(saved) <= Number(added), found);
    acknowledged = { added: Number(added), saved: Number(saved) };
  }
  assert.ok(acknowledged.saved > KILLS, "it wrote between the kills");
});

/** @param {string[]} lines */
function newest(lines) {
  const pairs = lines.map((line) => /^(added|saved) (\d+)$/.exec(line));
  const odd = lines.find((_, at) => !pairs[at]);
  assert.equal(odd, undefined, `the writer said: ${odd}`);
  return Object.fromEntries(pairs.map((pair) => [pair?.[1], Number(pair?.[2])]));
}

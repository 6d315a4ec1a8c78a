/**
 * What the program keeps of its requests, to the byte: every allocation is counted during a soak of 40,000 requests and one
 * of 160,000, in which requests fail in all the ways that there are. Resident memory cannot tell so little: what an
 * allocator holds for later comes and goes by more than a leak that matters.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { run } from "../lib/processes.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { PROGRAMS } from "../load/soak/plan.mjs";
import { soak } from "../load/soak.mjs";
import { heapsIn, tracked } from "./heaptrack.mjs";

const [SHORT, LONG] = [40_000, 160_000];
/** heaptrack costs half of the program's speed. */
const PER_SECOND = 800;
const TROUBLE_EVERY_MS = 4_000;
const SEED = 1;
/** Never freed by the longer run beyond what the shorter leaves: a tenth of a byte for each request more. */
const MOST_LEFT_BYTES = 12 * 1024;
/** In use in the last third of the longer run beyond its second third: two and a half bytes for each request in between. */
const MOST_GROWTH_BYTES = 128 * 1024;

const target = inRoot("target", "heap");

/** @type {ReturnType<typeof makeTempDir>[]} */
const folders = [];
after(() => {
  for (const folder of folders) folder.dispose();
});
before(async () => {
  const build = ["build", "--release", "--locked", "-p", "gemini-aggregator", "--no-default-features"];
  // Linked as fast as can be: nobody measures its speed.
  const env = { ...process.env, CARGO_PROFILE_RELEASE_LTO: "off", CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16" };
  await run("cargo", [...build, "--target-dir", target], { cwd: inRoot(), env, timeoutMs: 1_200_000 });
});

/** @param {number} requests */
async function heapsAfter(requests) {
  const folder = makeTempDir("heap");
  folders.push(folder);
  process.env.GEMINI_AGGREGATOR_PROGRAM = tracked(folder, `${target}/release/gemini-aggregator`);
  const options = { requests, perSecond: PER_SECOND, troubleEveryMs: TROUBLE_EVERY_MS, seed: SEED };
  const { total, counts } = await soak(options);
  assert.equal(total, 0, "the ledgers disagree");
  assert.ok((counts.whole ?? 0) > requests * 0.85, "too few good answers to prove anything");
  return heapsIn(folder.path);
}

/** The mean of what was in use in one of three equal parts. @param {import("./heaptrack.mjs").Heap} heap @param {0 | 1 | 2} third */
function inThird({ inUse }, third) {
  const lasted = inUse.at(-1)?.seconds ?? 0;
  // Starting and stopping are no part of it.
  const [begins, length] = [lasted * 0.05, (lasted * 0.85) / 3];
  const from = begins + third * length;
  const within = inUse.filter(({ seconds }) => seconds >= from && seconds < from + length);
  return within.reduce((sum, { bytes }) => sum + bytes, 0) / within.length;
}

const kb = (/** @type {number} */ bytes) => `${(bytes / 1024).toFixed(1)} KiB`;

test(`${LONG} requests leave no more allocated than ${SHORT}`, { timeout: 1_800_000 }, async (t) => {
  const [short, long] = [await heapsAfter(SHORT), await heapsAfter(LONG)];
  assert.equal(long.length, PROGRAMS.length);
  for (const [place, program] of PROGRAMS.entries()) {
    const [before, after] = [short[place], long[place]];
    assert.ok(before && after);
    const [second, last] = [inThird(after, 1), inThird(after, 2)];
    t.diagnostic(`${program}: never freed ${kb(before.leftBytes)} and ${kb(after.leftBytes)}`);
    t.diagnostic(`${program}: in use ${kb(second)} in the second third of the longer run, ${kb(last)} in the last`);
    const more = after.leftBytes - before.leftBytes;
    assert.ok(more < MOST_LEFT_BYTES, `${program} never frees ${kb(more)} of ${LONG - SHORT} requests more`);
    assert.ok(last - second < MOST_GROWTH_BYTES, `${program} holds ${kb(last - second)} more in the last third`);
  }
});

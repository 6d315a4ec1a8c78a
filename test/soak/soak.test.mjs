/**
 * The soak held against its bounds: SOAK_REQUESTS requests (20,000 unless the environment says otherwise), SOAK_SEED
 * repeats a run. How it is done is `test/load/soak.mjs`; what is promised stands here.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { soak } from "../load/soak.mjs";

const REQUESTS = Number(process.env.SOAK_REQUESTS ?? 20_000);
const SEED = Number(process.env.SOAK_SEED ?? 1);
/** From here on a run lasts long enough for its memory's slope to mean something. */
const LONG = 500_000;
const PER_SECOND = 700;
const MOST_MIB_AN_HOUR = 1;
/** Caches, pools and the allocator are still filling in a short run, so only a leak of kilobytes a request shows there. */
const MOST_MIB_SHORT = 60;

/** With one core the program has one thread for its requests, and makes its writes at other moments. */
const ON_ONE_CORE = 7_000;

test(`${REQUESTS} requests with mixed failures: no ledger disagrees, nothing is kept`, (t) =>
  hold(t, { requests: REQUESTS, oneCore: false }));

test(`${ON_ONE_CORE} of them, with one core for each program`, (t) =>
  hold(t, { requests: ON_ONE_CORE, oneCore: true }));

/** @param {import("node:test").TestContext} t @param {{requests: number, oneCore: boolean}} size */
async function hold(t, { requests, oneCore }) {
  const long = requests >= LONG;
  const troubleEveryMs = long ? 20_000 : oneCore ? 2_000 : 6_000;
  const options = { requests, perSecond: PER_SECOND, troubleEveryMs, seed: SEED, oneCore };
  const { counts, disagreements, total, memory, seconds, troubles } = await soak(options);
  // The long run's report lists what all tests say, without their names.
  const said = oneCore ? "on one core, " : "";
  t.diagnostic(
    `${said}${seconds.toFixed(0)} s, seed ${SEED}, ${troubles} troubles of a proxy; ${JSON.stringify(counts)}`,
  );
  for (const { program, firstMb, lastMb, slope, series, ...fds } of memory) {
    const grows = `${slope.perUnit.toFixed(2)} ± ${slope.error.toFixed(2)} MiB an hour after the warm-up`;
    const open = `descriptors ${fds.descriptorsBefore}, at most ${fds.descriptorsMost}, then ${fds.descriptorsAfter}`;
    t.diagnostic(
      `${said}${program}: memory ${firstMb.toFixed(1)} to ${lastMb.toFixed(1)} MiB (${series.join(" ")}), ${grows}; ${open}`,
    );
  }
  assert.deepEqual(disagreements, [], `${total} disagreements`);
  assert.ok(troubles > 0, "no proxy was ever in trouble");
  for (const end of ["whole", "broken", "refusedThere", "refusedHere", "leftEarly", "leftLate"]) {
    assert.ok((counts[end] ?? 0) > 0, `no request ended as ${end}: the mix is not mixed`);
  }
  assert.ok((counts.whole ?? 0) > requests * 0.85, "too few good answers to prove anything");
  for (const { program, lastMb, slope, descriptorsBefore, descriptorsAfter } of memory) {
    assert.ok(descriptorsAfter <= descriptorsBefore, `${program} keeps ${descriptorsAfter} descriptors open`);
    if (long) assert.ok(slope.perUnit < MOST_MIB_AN_HOUR, `${program} grows by ${slope.perUnit} MiB an hour`);
    else assert.ok(lastMb < MOST_MIB_SHORT, `${program} holds ${lastMb} MiB`);
  }
}

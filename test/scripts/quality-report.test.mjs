// The report of the long run: what ran is written down as it was, also when a
// step throws, and what failed is named. It must not run the suite.

import assert from "node:assert/strict";
import { test } from "node:test";
import { mutantsOf, shareCaught } from "../../scripts/lib/mutants.mjs";
import { faults, qualityReport } from "../../scripts/lib/quality-report.mjs";
import { recordedSteps, sumOf } from "../../scripts/lib/recorded-steps.mjs";

const totals = (/** @type {number} */ passed, failed = 0) => ({ passed, failed, skipped: 0 });
const tunnels = { requests: 10_000, tunnels: 2, seconds: 9 };
const full = { records: [], mutants: { files: [], missed: [] }, left: [] };
const fleet = {
  keys: 10_000,
  proxies: 100,
  moves: 9900,
  rebalanceMs: 8,
  failureMs: 5,
  lookupNs: 60,
  editMs: 30,
  startMs: 12,
};
const request = (/** @type {string} */ name) => ({
  name,
  bytes: 4096,
  copiedBytes: 0,
  us: name === "1000 messages" ? 900 : 9,
});
const figures = {
  tunnels,
  fleets: [fleet],
  translation: {
    requests: ["4 KB chat", "10 messages", "1000 messages", "20 MB image"].map(request),
    answers: { textChunkUs: 1, callChunkUs: 1, whole4kUs: 3, image8mMs: 13 },
  },
};
const one = { low: 1, median: 1, high: 1 };
const ofNginx = { perSecond: one, cpu: one };
const way = { name: "", perSecond: one, p50Ms: 1, p99Ms: 1, cpuMicrosPerRequest: 1, residentMb: 1, ofNginx };

test("steps run as ever, and what they gave is written down", async () => {
  /** @type {import("../../scripts/lib/recorded-steps.mjs").Record[]} */
  const records = [];
  const steps = recordedSteps(
    [
      { name: "ready", uncounted: true, work: async () => ({ totals: totals(1), output: "" }) },
      { name: "good", work: async () => ({ totals: totals(4), output: "ℹ said 7 things\nℹ tests 4\n" }) },
      { name: "bad", work: () => Promise.reject(new Error("broken")) },
    ],
    records,
  );
  const outputs = await Promise.allSettled(steps.map((step) => step.work(() => {})));
  assert.deepEqual(
    outputs.map(({ status }) => status),
    ["fulfilled", "fulfilled", "rejected"],
  );
  const { passed, failed } = sumOf(records);
  assert.deepEqual([passed, failed], [4, 1]);
  assert.deepEqual(records[1]?.said, ["said 7 things"]);
});

test("the report names every step, what was not run, and what failed", () => {
  const good = { name: "Rust tests", counted: true, totals: totals(7), seconds: 3 };
  const bad = { name: "Proxies", counted: true, totals: totals(2, 1), seconds: 4 };
  const runs = [[good, bad], [good]];
  const ways = { direct: way, nginx: way, gateway: way, told: way };
  const throughput = { plain: ways, tls: ways };
  const cuts = { name: "Cuts", counted: true, totals: totals(0, 1), seconds: 5, said: ["7 figures"] };
  const mutants = { files: [{ file: "judge.rs", caught: 3, missed: 1, unviable: 2 }], missed: ["judge.rs:1: x"] };
  const everything = { records: [cuts], mutants, left: ["5000 simulated worlds"] };
  const text = qualityReport({ at: new Date(0), commit: "abc", runs, full: everything, throughput, ...figures });
  assert.match(text, /- Date: 1970-01-01 00:00 UTC\n- Commit: abc\n- Machine: \d+ cores /);
  assert.match(text, /\| Rust tests +\| +7 passed, 0 failed, 3\.0 s \| +7 passed/);
  assert.match(text, /\| Proxies +\| +2 passed, 1 failed, 4\.0 s \| +not run \|/);
  assert.match(text, /- Run 1 failed in: Proxies\./);
  assert.match(text, /\| Cuts +\| +0 passed, 1 failed, 5\.0 s \|/);
  assert.match(text, /^- Cuts: 7 figures$/m);
  assert.match(text, /^- Left out this time: 5000 simulated worlds\.$/m);
  assert.match(text, /- The full count failed in: Cuts\./);
  assert.match(text, /\| judge\.rs +\| +3 \| +1 \| +75 % BELOW THE BOUND \|/);
  assert.match(text, /- not noticed: `judge\.rs:1: x`/);
  assert.match(text, /10000 keys over 100 proxies/);
  assert.match(text, /4 KB chat, as Gemini's/);
  assert.deepEqual(faults({ runs: [[good]], full, ...figures }), []);
  const slow = { ...figures, fleets: [{ ...fleet, rebalanceMs: 11 }] };
  assert.match(faults({ runs: [[good]], full, ...slow }).join(), /beyond 10 ms/);
});

test("mutants are counted by file, and one that runs for ever was noticed", () => {
  const mutant = (/** @type {string} */ name, /** @type {string} */ summary) => ({
    scenario: { Mutant: { name, file: "a.rs" } },
    summary,
  });
  const outcomes = [
    { scenario: "Baseline", summary: "Success" },
    mutant("one", "CaughtMutant"),
    mutant("two", "Timeout"),
    mutant("three", "MissedMutant"),
    mutant("four", "Unviable"),
  ];
  const { files, missed } = mutantsOf({ outcomes });
  assert.deepEqual(files, [{ file: "a.rs", caught: 2, missed: 1, unviable: 1 }]);
  assert.deepEqual(missed, ["three"]);
  assert.equal(shareCaught({ file: "", caught: 4, missed: 1, unviable: 9 }), 0.8);
});

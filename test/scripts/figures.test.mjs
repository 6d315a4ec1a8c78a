// The benchmark's words: tables in line, ratios to nginx, and a missed bound
// that is said. It must not measure anything.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  fleetTable,
  latencyTable,
  missedBesideNginx,
  missedBounds,
  missedByFleet,
  missedByLatency,
  missedByTranslation,
  table,
  throughputTable,
  translationTable,
  tunnelsLine,
} from "../../scripts/lib/figures.mjs";
import { quartiles } from "../load/quartiles.mjs";

const about = (/** @type {number} */ median) => ({ low: median * 0.95, median, high: median * 1.05 });
const ofNginx = { perSecond: about(1), cpu: about(1) };
const way = { perSecond: about(50_000), p50Ms: 0.2, p99Ms: 2, cpuMicrosPerRequest: 16, residentMb: 7, ofNginx };
const direct = {
  ...way,
  name: "direct",
  cpuMicrosPerRequest: null,
  residentMb: null,
  ofNginx: { perSecond: about(1.3), cpu: null },
};

test("the columns of a table are in line", () => {
  const lines = table([
    ["", "a wide header"],
    ["a long name", "1"],
  ]).split("\n");
  assert.equal(lines.length, 3);
  assert.equal(new Set(lines.map((line) => line.length)).size, 1);
  assert.match(lines[1] ?? "", /^\|-+\|-+:\|$/);
});

test("the gateway stands beside nginx, with the machine's noise", () => {
  const beside = { perSecond: about(0.6), cpu: about(1.75) };
  const gateway = { ...way, name: "gateway", perSecond: about(30_000), cpuMicrosPerRequest: 28, ofNginx: beside };
  const text = throughputTable({ direct, nginx: { ...way, name: "nginx" }, gateway, told: gateway }, "Plain");
  assert.match(text, /through the gateway +\| +30000 \| +0\.60× \| +0\.57 to 0\.63 \| .* 28\.0 \| +1\.75× /);
  assert.match(text, /differs by 10 % /);
});

test("the gateway may cost half as much again as nginx, and serve a fifth less", () => {
  const of = (/** @type {number} */ perSecond, /** @type {number} */ cpu) => {
    const gateway = { ...way, name: "gateway", ofNginx: { perSecond: about(perSecond), cpu: about(cpu) } };
    return missedBesideNginx({ direct, nginx: { ...way, name: "nginx" }, gateway, told: gateway }, "TLS upstream");
  };
  assert.deepEqual(of(0.8, 1.5), []);
  assert.match(of(0.78, 1.5).join(), /TLS upstream: .* 0\.78 of nginx's requests\/s/);
  assert.match(of(0.8, 1.55).join(), /1\.55 times nginx's CPU time, beyond 1\.5/);
});

test("the middle of the rounds, and where their middle half lies", () => {
  assert.deepEqual(quartiles([9, 1, 3, 2, 4]), { low: 2, median: 3, high: 4 });
  assert.deepEqual(quartiles([4, 1, 2, 3]), { low: 1.75, median: 2.5, high: 3.25 });
  assert.deepEqual(quartiles([7]), { low: 7, median: 7, high: 7 });
});

test("what the gateway adds to a latency is the difference to none", () => {
  const direct = { requests: 10_000, p50Us: 120, p99Us: 400 };
  const figures = { perSecond: 500, direct, through: { requests: 10_000, p50Us: 260, p99Us: 1300 } };
  assert.match(latencyTable(figures), /added +\| +140 µs \| +900 µs/);
  assert.deepEqual(missedByLatency(figures), []);
  const slow = missedByLatency({ ...figures, through: { requests: 1, p50Us: 270, p99Us: 1400 } });
  assert.match(slow.join(), /150 µs at the median, .* 1000 µs at p99/);
});

test("more than three tunnels miss the bound", () => {
  const three = { requests: 1000, tunnels: 3, seconds: 1 };
  assert.deepEqual(missedBounds(three), []);
  assert.match(tunnelsLine(three), /3 tunnels \(within/);
  assert.match(missedBounds({ ...three, tunnels: 4 })[0] ?? "", /4 tunnels \(BEYOND/);
});

test("a fleet that takes 10 ms to rebalance or 200 ns for a lookup, or whose edits grow with its square, misses a bound", () => {
  const swift = { keys: 1000, proxies: 100, moves: 990, rebalanceMs: 0.4, failureMs: 0.4, lookupNs: 20 };
  const small = { ...swift, editMs: 2, startMs: 1 };
  const large = {
    ...small,
    keys: 10_000,
    moves: 9900,
    rebalanceMs: 8,
    failureMs: 5,
    lookupNs: 60,
    editMs: 30,
    startMs: 12,
  };
  assert.match(fleetTable([small, large]), /10000 keys over 100 proxies +\| +8\.000 ms .* 20\.00× .* 60 ns \| +3\.00×/);
  assert.deepEqual(missedByFleet([small, large]), []);
  assert.match(missedByFleet([small, { ...large, rebalanceMs: 10 }]).join(), /10\.0 ms, beyond 10 ms/);
  assert.match(missedByFleet([small, { ...large, lookupNs: 200 }]).join(), /200 ns, beyond 200 ns/);
  assert.match(missedByFleet([small, { ...large, editMs: 200 }]).join(), /Changing .* 10\.0 times .* beyond 4/);
  assert.match(missedByFleet([small, { ...large, startMs: 40 }]).join(), /Starting .* 4\.0 times .* beyond 4/);
  assert.equal(missedByFleet([]).length, 1);
});

test("a translation that is slow, grows faster than its messages or copies an image misses a bound", () => {
  const request = (/** @type {string} */ name, /** @type {number} */ us, copiedBytes = 0) => {
    return { name, bytes: 4096, us, copiedBytes };
  };
  const of = ({ chat = 9, many = 900, copied = 500, chunk = 2 }) => ({
    requests: [
      request("4 KB chat", chat),
      request("10 messages", 8),
      request("1000 messages", many),
      request("20 MB image", 4000, copied),
    ],
    answers: { textChunkUs: chunk, callChunkUs: 1.5, whole4kUs: 3.4, image8mMs: 13 },
  });
  assert.deepEqual(missedByTranslation(of({})), []);
  assert.match(translationTable(of({})), /4 KB chat, as Gemini's +\| +4096 bytes +\| +9\.0 µs/);
  assert.match(missedByTranslation(of({ chat: 27 })).join(), /30\.4 µs, beyond 30 µs/);
  assert.match(missedByTranslation(of({ chunk: 5 })).join(), /5\.0 µs, beyond 5 µs/);
  assert.match(missedByTranslation(of({ many: 1600 })).join(), /2\.0 times one of 10/);
  assert.match(missedByTranslation(of({ copied: 20_000_000 })).join(), /20000000 bytes were copied/);
  assert.deepEqual(missedByTranslation({ ...of({}), requests: [] }), ["The translation was not measured whole."]);
});

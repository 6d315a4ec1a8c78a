/**
 * Whether the judge of the soak sees what it is there to see: small ledgers that agree, and the same with one thing wrong
 * at a time. No socket, no program.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram } from "../load/histogram.mjs";
import { agreement } from "../load/soak/agreement.mjs";
import { allocateLedgers, ClientLedger, Did, End, UpstreamLedger } from "../load/soak/ledgers.mjs";
import { asked, PROXIES } from "../load/soak/plan.mjs";
import { means, slope } from "../load/soak/slope.mjs";

const SEED = 1;
const REQUESTS = 200;
const CREATES = Array.from({ length: REQUESTS }, (_, id) => id).find((id) => asked(SEED, id).kind === "create") ?? 0;

const arrival = { key: 1, proxy: 1, atMs: 1050 };

/** A run in which every request was answered at the second attempt, and each proxy carried one tunnel. */
function agreeing() {
  const shared = allocateLedgers(REQUESTS);
  const [client, upstream] = [new ClientLedger(shared.client), new UpstreamLedger(shared.upstream)];
  for (let id = 0; id < REQUESTS; id += 1) {
    client.begins(id, 1000 + id);
    client.ends(id, End.whole, 1100 + id);
    Object.assign(client.status, { [id]: 200 });
    for (const of of [client.attempts, client.seen]) of[id] = 2;
    for (const of of [client.key, client.proxy, upstream.made]) of[id] = 1;
    upstream.does(id, upstream.arrived(id, arrival), Did.reset, 0);
    upstream.does(id, upstream.arrived(id, arrival), Did.answered, 200);
  }
  for (const place of PROXIES.keys()) upstream.connected(place + 1);
  const granted = new Map(PROXIES.map(({ name }) => [name, 1]));
  return {
    seed: SEED,
    requests: REQUESTS,
    client,
    upstream,
    granted,
    troubles: /** @type {import("../load/soak/agreement.mjs").Trouble[]} */ ([]),
  };
}

/** @typedef {ReturnType<typeof agreeing>} Run */
/** @param {Run} run */
function strays({ client, upstream }) {
  upstream.arrived(7, { ...arrival, proxy: 2 });
  client.attempts.fill(3, 7, 8);
}

/** @param {ClientLedger} client */
function refusedHere(client) {
  client.end.fill(End.refusedHere, 7, 8);
  client.seen.fill(0, 7, 8);
}

/** @type {[string, (run: Run) => unknown, RegExp][]} */
const FAULTS = [
  ["a request without an end", ({ client }) => client.end.fill(End.none, 7, 8), /no good end/],
  ["a connection that was lost", ({ client }) => client.end.fill(End.lost, 7, 8), /no good end/],
  ["an end told twice", ({ client }) => client.ends(7, End.whole, 1200), /ended twice/],
  ["an attempt after the first byte", ({ upstream }) => upstream.arrived(7, arrival), /another attempt arrived/],
  ["a creation carried out twice", ({ upstream }) => upstream.made.fill(2, CREATES, CREATES + 1), /carried out twice/],
  ["an answer nobody gave", ({ upstream }) => upstream.does(7, 2, Did.reset, 0), /did not give/],
  ["a good answer that broke off", ({ client }) => client.end.fill(End.broken, 7, 8), /broke off/],
  ["a good answer that was not passed on", ({ client }) => refusedHere(client), /not passed on/],
  ["attempts that were not made", ({ client }) => client.attempts.fill(3, 7, 8), /attempts it was told/],
  ["another key than it was told", ({ client }) => client.key.fill(2, 7, 8), /key and proxy/],
  ["a key out of another's proxy", (run) => strays(run), /not its own/],
  ["a direct connection", ({ upstream }) => upstream.connected(0), /without a proxy/],
  ["a tunnel that no proxy granted", ({ upstream }) => upstream.connected(2), /2 connections came/],
  ["a quota that was not honoured", ({ upstream }) => upstream.afterDaily(), /used up/],
];

test("ledgers that agree raise nothing", () => {
  const { disagreements, counts } = agreement(agreeing());
  assert.deepEqual(disagreements, []);
  assert.equal(counts.whole, REQUESTS);
});

test("an attempt that a dying proxy held up may arrive last, if the client was told of it", () => {
  const run = agreeing();
  run.upstream.does(7, run.upstream.arrived(7, arrival), Did.answered, 200);
  run.client.attempts.fill(3, 7, 8);
  assert.match(agreement(run).disagreements.join(), /another attempt arrived/);
  run.troubles.push({ proxy: PROXIES[0]?.name ?? "", kind: "dead", fromMs: 1000, toMs: 1200 });
  assert.deepEqual(agreement(run).disagreements, []);
  run.client.attempts.fill(2, 7, 8);
  assert.match(agreement(run).disagreements.join(), /another attempt arrived/);
});

test("a dying proxy may leave a connection that carried nothing out of its log, and no other", () => {
  const run = agreeing();
  const came = () => agreement(run).disagreements.join();
  run.upstream.connected(1);
  run.troubles.push({ proxy: PROXIES[0]?.name ?? "", kind: "dead", fromMs: 5000, toMs: 6500 });
  assert.match(came(), /2 connections came/, "this one carried something");
  run.upstream.silent(2, 5100);
  run.upstream.silent(1, 9000);
  assert.match(came(), /2 connections came/, "another proxy's, and one of another time");
  run.upstream.silent(1, 5100);
  assert.equal(came(), "");
  run.upstream.connected(1);
  assert.match(came(), /3 connections came/);
});

for (const [name, spoil, words] of FAULTS) {
  test(`the judge sees ${name}`, () => {
    const run = agreeing();
    spoil(run);
    const { disagreements, total } = agreement(run);
    assert.ok(total >= 1);
    assert.match(disagreements.join("\n"), words);
  });
}

test("a slope is found through noise, and its error says how sure it is", () => {
  const points = Array.from(
    { length: 600 },
    (_, i) => /** @type {[number, number]} */ ([i / 3600, 20 + (3 * i) / 3600 + (i % 2) / 10]),
  );
  const { perUnit, error } = slope(points);
  assert.ok(Math.abs(perUnit - 3) < 3 * error && error < 0.2, `${perUnit} ± ${error}`);
});

test("points that say the same thing again make a slope no surer", () => {
  // Each height stays for sixty points, as memory in use does.
  const points = Array.from(
    { length: 1200 },
    (_, i) => /** @type {[number, number]} */ ([i / 3600, 20 + ((Math.floor(i / 60) * 7) % 5)]),
  );
  const [all, by] = [slope(points), slope(means(points, 60))];
  assert.equal(means(points, 60).length, 20);
  assert.ok(Math.abs(all.perUnit - by.perUnit) < by.error, `${all.perUnit} and ${by.perUnit} ± ${by.error}`);
  assert.ok(by.error > 5 * all.error, `${by.error}, and ${all.error} of single points`);
});

test("a histogram knows every value to within 1 %", () => {
  const histogram = new Histogram();
  for (let ms = 1; ms <= 1000; ms += 1) histogram.record(ms);
  for (const share of [0.5, 0.99, 0.999]) {
    const [found, right] = [histogram.at(share), share * 1000];
    assert.ok(Math.abs(found / right - 1) < 0.01, `${share}: ${found}`);
  }
});

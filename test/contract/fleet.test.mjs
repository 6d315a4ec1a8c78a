/**
 * A fleet of real proxies while it serves: keys spread over it, one that dies in the middle of traffic and comes back,
 * an upstream that stops behind proxies that live. No client meets an error that another way could have spared it, and
 * no key ever leaves through a proxy that is not its own. FLEET_REQUESTS and FLEET_RATE make the traffic longer.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { tokenOf } from "../addon/lib/bench.mjs";
import { Host } from "../addon/lib/host.mjs";
import { fetchRaw } from "../lib/fetch.mjs";
import { startDanted, startMicrosocks, startSquid, startTinyproxy } from "../proxies/index.mjs";
import { behave, startUpstream } from "../upstream/index.mjs";
import { Bench, MODEL, prompt } from "./lib/bench.mjs";
import { Assignments, attemptsOf, events, Traffic, wrongPairs } from "./lib/traffic.mjs";

const REQUESTS = Number(process.env.FLEET_REQUESTS ?? 600);
const PER_SECOND = Number(process.env.FLEET_RATE ?? 50);
const INTERVAL_SECONDS = 10;
const GENERATE = `${MODEL}:generateContent`;
const NUMBERS = [1, 2, 3, 4, 5, 6];
const KEYS = new Map(NUMBERS.map((number) => [`key-${number}`, `test-key-fleet-000${number}`]));
const NAMES = new Map([...KEYS].map(([name, text]) => [text, name]));

/** @typedef {import("../proxies/proxy.mjs").Proxy} Proxy */

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** A core with the six keys and these proxies. @param {[string, Proxy][]} proxies @param {object} [settings] */
async function fleet(proxies, settings = {}) {
  const upstream = { baseUrl: bench.upstream.httpsUrl, caFile: bench.authority.caFile };
  const host = new Host({ settings: { upstream, ...settings }, secrets: [...KEYS.values()] });
  const url = await host.serve();
  for (const [name, proxy] of proxies) await host.done({ kind: "add_proxy", url: proxy.url, name });
  for (const [name, key] of KEYS) await host.done({ kind: "add_key", key, name });
  const ask = async (/** @type {string} */ key) => {
    const headers = { "x-goog-api-key": tokenOf(host), "x-aggregator-key": key };
    const answer = await fetchRaw(`${url}${GENERATE}`, { headers, body: prompt("Hi") });
    await answer.bytes();
    return { status: answer.status, proxy: answer.headers["x-aggregator-proxy"] };
  };
  return { host, ask };
}

/** The proxy of each key, by name. @param {Host} host */
function assigned(host) {
  const { keys, proxies } = host.snapshot();
  const names = new Map(proxies.map(({ id, name }) => [id, name]));
  return new Map(keys.map(({ name, proxy_id }) => [name, names.get(proxy_id ?? "") ?? "none"]));
}

/** @param {Host} host */
const counts = (host) => host.snapshot().proxies.map(({ assigned_key_count }) => assigned_key_count);

describe("a proxy more", () => {
  test("6 keys over 3 proxies are 2 each; with a fourth exactly one key moves", async () => {
    const first = await Promise.all(
      [startTinyproxy(), startMicrosocks(), startDanted()].map((one) => bench.proxy(one)),
    );
    const { host, ask } = await fleet(first.map((proxy) => [proxy.program, proxy]));
    assert.deepEqual(counts(host), [2, 2, 2]);
    const before = assigned(host);
    const moves = () => host.events().filter(({ type }) => type === "assignment.changed");
    await host.until(() => moves().length === KEYS.size, "the first assignments were never told");
    const squid = await bench.proxy(startSquid());
    await host.done({ kind: "add_proxy", url: squid.url, name: "squid" });
    assert.deepEqual(counts(host).sort(), [1, 1, 2, 2]);
    const now = assigned(host);
    const moved = [...now].filter(([key, proxy]) => before.get(key) !== proxy);
    assert.deepEqual(
      moved.map(([, proxy]) => proxy),
      ["squid"],
    );
    for (const [key, proxy] of now) assert.deepEqual(await ask(key), { status: 200, proxy });
    await host.until(() => moves().length > KEYS.size, "the move was never told");
    assert.equal(moves().length, KEYS.size + 1, JSON.stringify(moves()));
    await host.close();
    await squid.waitForEntry(({ granted }) => granted);
  });
});

describe("a proxy that dies in the middle of traffic", () => {
  test("costs no client an error, its keys move within 2 s, and those placed by hand come home", async (t) => {
    /** @type {Map<string, Proxy[]>} */
    const proxies = new Map([
      ["east", [await startDanted()]],
      ["south", [await startDanted()]],
      ["west", [await bench.proxy(startSquid())]],
    ]);
    const current = (/** @type {string} */ name) => /** @type {Proxy} */ (proxies.get(name)?.at(-1));
    const gateway = await bench.gateway(
      {
        keys: [...KEYS].map(([name, key]) => ({ name, key, ...(name === "key-1" ? { proxy: "east" } : {}) })),
        proxies: [...proxies.keys()].map((name) => ({ name, url: current(name).url })),
        proxy: { healthCheckIntervalSeconds: INTERVAL_SECONDS },
      },
      { baseUrl: bench.upstream.httpsUrl },
    );
    const pinned = async (/** @type {string} */ key, /** @type {string} */ method = "generateContent") =>
      gateway.ask(`${MODEL}:${method}`, { headers: { "x-aggregator-key": key }, body: prompt("pinned") });
    const proxyOf = async (/** @type {string} */ key) => {
      const answer = await pinned(key);
      await answer.bytes();
      return String(answer.headers["x-aggregator-proxy"]);
    };
    /** @type {Map<string, string>} */
    const first = new Map();
    for (const key of KEYS.keys()) first.set(key, await proxyOf(key));
    assert.deepEqual(new Assignments(first, []).counts([...proxies.keys()]), [2, 2, 2]);
    assert.equal(first.get("key-1"), "east");

    const traffic = new Traffic(gateway, PER_SECOND);
    const since = (/** @type {number} */ line) => events(gateway).slice(line);
    /** @type {number[]} */
    const recoveries = [];
    for (let round = 0; round === 0 || traffic.sent < REQUESTS; round += 1) {
      const victim = round % 2 === 0 ? "east" : "south";
      await traffic.reaches(traffic.sent + PER_SECOND * 2);
      const stream = round === 0 ? await begunStream(() => pinned("key-1", "streamGenerateContent?alt=sse")) : null;
      const line = events(gateway).length;
      const killed = Date.now();
      await current(victim).stop();
      await stream?.();
      await gateway.log.waitFor(() => since(line).some(({ event }) => event === "proxy.error"), {
        what: `${victim} never counted as failed`,
      });
      await traffic.reaches(traffic.sent + PER_SECOND * 2);
      movedInTime(since(line), victim, killed, traffic.asked);

      proxies.get(victim)?.push(await startDanted({ port: current(victim).port }));
      const back = Date.now();
      const recovered = await gateway.log.waitFor(() => since(line).find(({ event }) => event === "proxy.recovered"), {
        timeoutMs: INTERVAL_SECONDS * 2000,
        what: `${victim} never counted as working again`,
      });
      recoveries.push(recovered.at - back);
      if (victim === "east") assert.equal(await proxyOf("key-1"), "east", "the key placed by hand is home");
    }
    await traffic.reaches(REQUESTS);
    const asked = await traffic.end();
    const failed = asked.filter(({ status }) => status !== 200);
    assert.deepEqual(failed.slice(0, 5), [], `${failed.length} of ${asked.length} requests failed`);
    // The interval is jittered by a tenth; the rest is for the probe.
    assert.ok(Math.max(...recoveries) <= INTERVAL_SECONDS * 1100 + 1000, `back after ${recoveries} ms`);

    await gateway.stop();
    for (const name of ["east", "south"]) await current(name).stop();
    const { ledger } = bench.upstream;
    await ledger.settled(({ connections }) => connections.open === 0);
    await current("west").waitForEntry(() => true);
    const lines = events(gateway);
    const assignments = new Assignments(first, lines);
    const facts = { asked, lines, assignments, ledger, names: NAMES };
    const wrong = wrongPairs({ ...facts, proxies });
    assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} wrong pairs`);
    const [east = [], south = [], west = []] = proxies.values();
    const swapped = new Map(Object.entries({ east: west, south, west: east }));
    assert.ok(wrongPairs({ ...facts, proxies: swapped }).length > 0, "the proof would see a wrong pair");
    const spread = assignments.counts([...proxies.keys()]);
    assert.ok(Math.max(...spread) - Math.min(...spread) <= 1, `keys on each proxy: ${spread}`);
    assert.equal(lines.filter(({ event }) => event === "direct.used").length, 0);
    t.diagnostic(`${asked.length} requests, ${recoveries.length} deaths of a proxy, back after ${recoveries} ms`);
  });
});

/** A stream of which the first piece has come; what is given back insists that it broke off. @param {() => Promise<import("../lib/fetch.mjs").Answer>} ask */
async function begunStream(ask) {
  bench.upstream.script
    .when(({ path }) => path.includes("streamGenerateContent"))
    .once(behave.answer({ pieces: 500, spacingMs: 20 }));
  const answer = await ask();
  assert.equal(answer.status, 200);
  assert.ok(await answer.nextChunk());
  return async () => assert.rejects(answer.bytes(), "a stream that was cut must not look whole");
}

/**
 * The keys left the victim within 2 s of the first attempt that failed on it.
 * @param {import("./lib/traffic.mjs").Line[]} lines since it was killed
 * @param {string} victim @param {number} killed @param {import("./lib/traffic.mjs").Asked[]} asked
 */
function movedInTime(lines, victim, killed, asked) {
  const failing = lines.filter(({ message, event }) => {
    const failed = attemptsOf(message).some(({ proxy, result }) => proxy === victim && result === "no answer");
    return event === "request.finished" && failed;
  });
  const first = failing[0];
  assert.ok(first, `nobody noticed that ${victim} died`);
  // A request may have failed at once, but not before it began nor before the kill.
  const begun = asked.find(({ request }) => request === first.request)?.begun ?? first.at;
  const moves = lines.filter(({ event }) => event === "assignment.changed");
  assert.ok(moves.length >= 1, `no key left ${victim}`);
  for (const { at, message } of moves) {
    assert.ok(at - Math.max(begun, killed) <= 2000, `${message} ${at - begun} ms after the first failure`);
    assert.ok(!message.includes(`to ${victim} `), message);
  }
}

describe("an upstream that stops while the proxies live", () => {
  for (const failurePolicy of ["reassign", "reassignThenDirect", "fail"]) {
    test(`${failurePolicy}: every proxy stays active, no key moves, nothing goes direct`, async () => {
      let upstream = await startUpstream({ authority: bench.authority });
      const { httpPort: port, httpsPort: tlsPort } = upstream;
      const started = await Promise.all(
        [startTinyproxy(), startMicrosocks(), startDanted(), startSquid()].map((one) => bench.proxy(one)),
      );
      const { host, ask } = await fleet(
        started.map((proxy) => [proxy.program, proxy]),
        { upstream: { baseUrl: upstream.httpsUrl, caFile: bench.authority.caFile }, proxy: { failurePolicy } },
      );
      const before = assigned(host);
      for (const key of KEYS.keys()) assert.equal((await ask(key)).status, 200);
      await upstream.close();

      for (let round = 0; round < 6; round += 1) {
        for (const key of KEYS.keys()) {
          const answer = await ask(key);
          assert.ok(answer.status >= 500, `status ${answer.status}`);
          assert.equal(answer.proxy, before.get(key));
        }
        for (const { id } of host.snapshot().proxies) await host.command({ kind: "test_proxy", id });
        for (const status of await unpinned(host, 4)) assert.ok(status >= 500, `status ${status}`);
      }
      const { proxies, keys, requests } = host.snapshot();
      assert.deepEqual(
        proxies.map(({ status }) => status),
        ["active", "active", "active", "active"],
      );
      assert.deepEqual(assigned(host), before);
      assert.ok(keys.every(({ direct_count }) => direct_count === 0));
      assert.ok(requests.every(({ attempts }) => attempts.every(({ proxy_name }) => proxy_name !== null)));
      const kinds = new Set(host.events().map(({ type }) => type));
      for (const kind of ["proxy.error", "direct.used"]) assert.ok(!kinds.has(/** @type {any} */ (kind)), kind);

      upstream = await startUpstream({ authority: bench.authority, port, tlsPort });
      for (const [key, proxy] of before) assert.deepEqual(await ask(key), { status: 200, proxy });
      await host.close();
      await upstream.close();
    });
  }

  for (const others of [[startDanted, startSquid], []]) {
    const behind = others.length > 0 ? "while others live" : "without any other";
    test(`the rotating proxy stays on ${behind}, and serves when the upstream is back`, async () => {
      let upstream = await startUpstream({ authority: bench.authority });
      const { httpPort: port, httpsPort: tlsPort } = upstream;
      const pool = await Promise.all(others.map((start) => bench.proxy(start())));
      const rotating = await bench.proxy(startTinyproxy());
      const { host, ask } = await fleet(
        pool.map((proxy) => [proxy.program, proxy]),
        { upstream: { baseUrl: upstream.httpsUrl, caFile: bench.authority.caFile }, rotatingProxy: { maxRetries: 0 } },
      );
      await host.done({ kind: "configure_rotating", url: rotating.url, enabled: true });
      // What every way can point to when the upstream stops: it was reached a moment ago.
      for (const key of KEYS.keys()) assert.deepEqual(await ask(key), { status: 200, proxy: "rotating" });
      for (const { id } of host.snapshot().proxies) {
        const tested = await host.command({ kind: "test_proxy", id });
        assert.ok(tested.kind === "tested" && tested.works, JSON.stringify(tested));
      }
      await upstream.close();

      for (let round = 0; round < 4; round += 1) {
        for (const key of KEYS.keys()) assert.ok((await ask(key)).status >= 500);
        for (const { id } of host.snapshot().proxies) await host.command({ kind: "test_proxy", id });
        await host.command({ kind: "test_rotating" });
        assert.equal(host.snapshot().rotating?.mode, "on", `round ${round}`);
      }
      upstream = await startUpstream({ authority: bench.authority, port, tlsPort });
      for (const key of KEYS.keys()) assert.deepEqual(await ask(key), { status: 200, proxy: "rotating" });
      const told = host.events().filter(({ type, level }) => type === "rotating.changed" && level !== "info");
      assert.deepEqual(told, []);
      await host.close();
      await upstream.close();
    });
  }
});

/** Statuses of requests that any key may serve. @param {Host} host @param {number} count */
async function unpinned(host, count) {
  const { endpoint } = host.snapshot();
  assert.equal(endpoint.kind, "listening");
  const url = endpoint.kind === "listening" ? endpoint.url : "";
  /** @type {number[]} */
  const statuses = [];
  for (let i = 0; i < count; i += 1) {
    const headers = { "x-goog-api-key": tokenOf(host) };
    const answer = await fetchRaw(`${url}${GENERATE}`, { headers, body: prompt("anyone") });
    await answer.bytes();
    statuses.push(answer.status);
  }
  return statuses;
}

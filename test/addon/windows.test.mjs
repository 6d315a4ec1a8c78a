/**
 * Several windows of one profile, each a process with a copy of the secret store of its own, as in the browser: any of
 * them changes the one endpoint, and when the one that serves ends, in order or by kill, another serves within a second
 * with everything that was confirmed.
 */
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fetchRaw } from "../lib/fetch.mjs";
import { freePort } from "../lib/ports.mjs";
import { accepts, pollUntil } from "../lib/wait.mjs";
import { behave, createGate, startUpstream } from "../upstream/index.mjs";
import { ALPHA, ask, BETA, MODEL, prompt } from "./lib/bench.mjs";
import { endAll, Profile } from "./lib/windows.mjs";

/** Of a test run; the long run does more. */
const ROUNDS = Number(process.env.KILLS ?? 20);

/** @type {import("../upstream/index.mjs").Running} */
let upstream;
before(async () => {
  upstream = await startUpstream();
});
after(() => {
  endAll();
  return upstream?.close();
});

async function profile() {
  return new Profile(await freePort(), { upstream: { baseUrl: upstream.httpUrl } });
}

/** @param {Profile} where @param {number} count */
async function opened(where, count) {
  const windows = [];
  for (let n = 0; n < count; n += 1) windows.push(await where.window());
  return windows;
}

describe("three windows", () => {
  test("each changes the one endpoint, and sees what the others did", async () => {
    const where = await profile();
    const [a, b, c] = await opened(where, 3);
    assert.ok(a && b && c);
    assert.deepEqual([a.role, b.role, c.role], ["leader", "follower", "follower"]);
    assert.equal(statSync(join(where.folder, "leader.json")).mode & 0o777, 0o600);
    await a.done({ kind: "add_key", key: ALPHA, name: "alpha" });
    const beta = await b.done({ kind: "add_key", key: BETA, name: "beta" });
    assert.deepEqual(await b.names(), ["alpha", "beta"], "whoever is told of a change sees it");
    await c.until(({ keys }) => keys.length === 2, "the third window sees both keys");
    const twice = await c.ask("command", { kind: "add_key", key: BETA });
    assert.deepEqual([twice.kind, twice.code], ["refused", "duplicate"]);
    await c.done({ kind: "disable_key", id: beta });
    await a.until(({ keys }) => keys[1]?.enabled === false, "the first window sees the change");
    assert.deepEqual([await b.ask("writes"), await c.ask("writes")], [0, 0], "a window that follows writes nothing");

    const url = `http://127.0.0.1:${where.port}`;
    const old = await c.ask("token");
    assert.equal((await ask(url, old)).status, 200);
    await b.until(({ requests }) => requests.length === 1, "the second window sees the request");
    await b.done({ kind: "rotate_local_token" });
    const token = await c.ask("token");
    assert.notEqual(token, old);
    assert.deepEqual([(await ask(url, old)).status, (await ask(url, token)).status], [401, 200]);

    assert.equal((await b.ask("stop")).kind, "stopped");
    assert.equal(await accepts(where.port), false);
    assert.equal((await a.ask("snapshot")).endpoint.kind, "stopped");
    const late = await where.window();
    assert.equal((await late.ask("snapshot")).endpoint.kind, "stopped", "a window that opens starts nothing");
    assert.equal((await c.ask("start")).kind, "listening");
    const port = await freePort();
    await Promise.all([a, b, c, late].map((window) => window.ask("applySettings", { server: { port } })));
    assert.equal(await accepts(port), true);
    await b.until(({ endpoint }) => endpoint.kind === "listening" && endpoint.port === port, "it sees the new port");
    await a.close();
    where.port = port;
    assert.ok((await where.silence()) < 1_000, "the new port is the next leader's, too");
    for (const window of [b, c, late]) await window.close();
  });

  test("opened at the same instant, one of them serves", async () => {
    const where = await profile();
    const windows = await Promise.all([where.window(), where.window(), where.window()]);
    assert.equal(windows.filter(({ role }) => role === "leader").length, 1);
    await Promise.all(
      windows.map((window, n) => window.done({ kind: "add_key", key: `${ALPHA}${n}`, name: `key ${n}` })),
    );
    for (const window of windows) await window.until(({ keys }) => keys.length === 3, "all three keys");
    await Promise.all(windows.map((window) => window.close()));
  });
});

describe("when the window that serves ends", () => {
  test("in order, a request under way ends well, and another window serves", async () => {
    const where = await profile();
    const [a, b] = await opened(where, 2);
    assert.ok(a && b);
    await a.done({ kind: "add_key", key: ALPHA, name: "alpha" });
    const token = await b.ask("token");
    const url = `http://127.0.0.1:${where.port}`;
    const gate = createGate();
    upstream.script.any().once(behave.answer({ gate, pieces: 3 }));
    const path = `${url}${MODEL}:streamGenerateContent?alt=sse`;
    const asked = fetchRaw(path, { headers: { "x-goog-api-key": token }, body: prompt("slow") });
    await gate.next();
    const stream = await asked;
    const closing = a.close();
    // The listener closes first; what is under way goes on.
    await pollUntil(async () => !(await accepts(where.port)), { what: "the old listener is closed" });
    gate.open();
    assert.equal((await stream.text()).split("data: ").length, 4);
    await closing;
    assert.ok((await where.silence()) < 1_000);
    assert.equal((await ask(url, token)).status, 200);
    await b.close();
  });

  test(`by kill, ${ROUNDS} times under load and right after a change: nothing confirmed is lost`, async (context) => {
    const where = await profile();
    let windows = await opened(where, 3);
    const leader = () =>
      /** @type {import("./lib/windows.mjs").Window} */ (windows.find(({ role }) => role === "leader"));
    await leader().done({ kind: "add_key", key: ALPHA, name: "alpha" });
    const url = `http://127.0.0.1:${where.port}`;
    const token = await leader().ask("token");
    const load = startLoad(url, token);
    /** @type {string[]} */
    const confirmed = ["alpha"];
    /** @type {number[]} */
    const silences = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const by = windows[round % windows.length];
      const name = `round ${round}`;
      await by?.done({ kind: "add_key", key: `test-key-windows-${String(round).padStart(4, "0")}`, name });
      confirmed.push(name);
      const ending = leader();
      await ending.kill();
      silences.push(await where.silence());
      windows = windows.filter((window) => window !== ending);
      await pollUntil(() => ledBy(windows), { what: "one of them leads" });
      for (const window of windows) {
        await window.until(({ endpoint }) => endpoint.kind === "listening", "it sees the endpoint listen");
        assert.deepEqual(await window.names(), confirmed, `after kill ${round + 1}`);
      }
      windows.push(await where.window());
    }
    const worst = Math.round(Math.max(...silences));
    context.diagnostic(`silence after a kill: worst ${worst} ms of ${ROUNDS}`);
    assert.ok(worst < 1_000, `nothing listened for ${worst} ms`);
    const { answered, refused, odd } = await load.end();
    context.diagnostic(`requests meanwhile: ${answered} answered, ${refused} without a connection or cut off`);
    assert.deepEqual(odd, [], "requests that were answered were answered well");
    assert.ok(answered > ROUNDS);

    for (const window of windows) await window.close();
    const alone = await where.window();
    assert.equal(alone.role, "leader");
    assert.deepEqual(await alone.names(), confirmed, "all of it was stored, by windows that had older copies");
    await alone.close();
  });

  test("a leader's file that is damaged, or names a stranger's port, only delays", async () => {
    const where = await profile();
    const file = join(where.folder, "leader.json");
    const first = await where.window();
    const whole = readFileSync(file, "utf8");
    writeFileSync(file, whole.slice(0, 20));
    const opening = where.window();
    await pollUntil(async () => readFileSync(file, "utf8").length === 20, { what: "it stays damaged" });
    writeFileSync(file, whole);
    const second = await opening;
    assert.equal(second.role, "follower");
    assert.ok(!JSON.stringify(await second.ask("messages")).includes(JSON.parse(whole).secret));
    await first.kill();
    assert.ok((await where.silence()) < 1_000, "the file of a dead leader holds nobody up");
    await second.close();
  });
});

/** Notes which window leads by now. @param {import("./lib/windows.mjs").Window[]} windows */
async function ledBy(windows) {
  for (const window of windows) {
    const said = await window.ask("messages");
    if (said.some((/** @type {string} */ message) => message.startsWith("This window now serves"))) {
      window.role = "leader";
      return true;
    }
  }
  return false;
}

/** Asks without a pause, one after another, until told to end. @param {string} url @param {string} token */
function startLoad(url, token) {
  const seen = { answered: 0, refused: 0, odd: /** @type {number[]} */ ([]) };
  let going = true;
  const lane = async () => {
    while (going) {
      try {
        const { status } = await ask(url, token);
        if (status === 200) seen.answered += 1;
        else seen.odd.push(status);
      } catch {
        seen.refused += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  };
  const lanes = Promise.all([lane(), lane()]);
  return {
    async end() {
      going = false;
      await lanes;
      return seen;
    },
  };
}

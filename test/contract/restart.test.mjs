/**
 * What the program learned survives its end, in order or not: quotas at rest, keys that Google refused, which key owns
 * which file, the request log. The database that keeps it holds no secret, and a damaged one is set aside, never
 * overwritten; what versions before SQLite kept is taken over.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { rows, stored } from "../lib/database.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { pollUntil } from "../lib/wait.mjs";
import { behave } from "../upstream/index.mjs";

import { ALPHA, BETA, Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";
import { TOKEN } from "./lib/gateway.mjs";

/** @type {Bench} */
let bench;
/** @type {ReturnType<typeof makeTempDir>} */
let folder;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach((context) => {
  bench.fresh();
  folder = makeTempDir("restart");
  if ("after" in context) context.after(() => folder.dispose());
});

const stateFile = () => join(folder.path, "state.json");
const database = () => join(folder.path, "state.sqlite");

/** A program that keeps its state where the last one did. */
function start() {
  const persistence = { sqlitePath: database(), fallbackJsonPath: stateFile() };
  return bench.gateway({ keys: [KEYS.alpha, KEYS.beta], keySelection: "fill_first", persistence });
}

/** Learned state is written shortly after it was learned; this is how its writing is seen. @param {RegExp} what */
function kept(what) {
  return pollUntil(() => what.test(stored(database())), { what: `the state never held ${what}` });
}

for (const [name, end] of /** @type {["stopped" | "killed", "stop" | "kill"][]} */ ([
  ["stopped", "stop"],
  ["killed", "kill"],
])) {
  test(`${name}: a quota goes on resting, and a refused key is not asked again`, async () => {
    const first = await start();
    bench.upstream.script.key(ALPHA).once(behave.quotaPerMinute({ retryDelay: "300s" }));
    assert.equal((await first.ask(`${MODEL}:generateContent`, { body: prompt("Hi") })).status, 200);
    bench.upstream.script.key(BETA).once(behave.invalidKey());
    assert.equal((await first.ask(`${MODEL}:generateContent`, { body: prompt("Hi") })).status, 400);
    if (end === "kill") await kept(/"disabledBecause":"/);
    await first[end]();

    const second = await start();
    bench.upstream.ledger.clear();
    const answer = await second.ask(`${MODEL}:generateContent`, { body: prompt("Hi") });
    assert.equal(answer.status, 429);
    assert.match(
      (await answer.json()).error.message,
      /alpha: resting for (2\d\d|300) s.*beta: disabled, Google refused it/,
    );
    assert.equal(bench.upstream.ledger.requests.length, 0);
  });

  test(`${name}: a file is still used with the key that made it`, async () => {
    const first = await start();
    const made = await first.ask("/v1beta/cachedContents", {
      headers: { "x-aggregator-key": "beta" },
      body: { model: "models/gemini-3.8-flash", contents: prompt("Hi").contents },
    });
    const cache = String((await made.json()).name);
    if (end === "kill") await kept(new RegExp(cache));
    await first[end]();

    const second = await start();
    const read = await second.ask(`/v1beta/${cache}`);
    assert.deepEqual([read.status, read.headers["x-aggregator-key"]], [200, "beta"]);
  });
}

for (const end of /** @type {("stop" | "kill")[]} */ (["stop", "kill"])) {
  test(`after ${end}: the requests of the run before are in the log of the next`, async () => {
    const first = await start();
    const { id: before } = await first.ask(`${MODEL}:generateContent`, { body: prompt("Hi") });
    if (end === "kill") await kept(new RegExp(before));
    await first[end]();

    const second = await start();
    const { id: since } = await second.ask(`${MODEL}:generateContent`, { body: prompt("Hi") });
    await second.stop();
    // A program that had not taken the log over would have replaced it.
    assert.deepEqual(await rows(database(), "requests"), [before, since]);
  });
}

test("a kill loses less than a second", async () => {
  const first = await start();
  for (let number = 1; number <= 3; number += 1) {
    const { id } = await first.ask(`${MODEL}:generateContent`, { body: prompt("Hi") });
    await pollUntil(() => stored(database()).includes(id), { timeoutMs: 1_000, what: `${id} was not written` });
  }
  await first.kill();
  assert.equal((await rows(database(), "requests")).length, 3);
});

test("its files are its owner's alone and hold neither keys nor tokens", async () => {
  const gateway = await start();
  bench.upstream.script.key(ALPHA).once(behave.suspendedKey());
  await gateway.ask(`${MODEL}:generateContent`, { body: prompt("Hi") });
  await kept(/has been suspended/);
  const files = readdirSync(folder.path).filter((name) => name.startsWith("state."));
  const names = ["json-lock", "sqlite", "sqlite-lock", "sqlite-shm", "sqlite-wal"];
  assert.deepEqual(
    files.sort(),
    names.map((name) => `state.${name}`),
  );
  for (const file of files) assert.equal(statSync(join(folder.path, file)).mode & 0o777, 0o600, file);
  await gateway.stop();
  const text = stored(database());
  assert.match(text, /has been suspended/);
  for (const secret of [ALPHA, BETA, TOKEN]) assert.ok(!text.includes(secret));
});

test("a second program on the same database is refused with words, and the first goes on", async () => {
  const first = await start();
  const { id: before } = await first.ask(`${MODEL}:generateContent`, { body: prompt("Hi") });
  await assert.rejects(start(), (/** @type {Error} */ error) => {
    assert.match(error.message, /ended with 1 before it listened/);
    assert.ok(error.message.includes(`Another gemini-aggregator keeps its state in ${database()}. Stop that one, or`));
    return true;
  });
  const { id: since } = await first.ask(`${MODEL}:generateContent`, { body: prompt("Hi") });
  await first.stop();
  assert.deepEqual(await rows(database(), "requests"), [before, since]);
});

test("nor may it share the file that stands in for the database", async () => {
  await start();
  const persistence = { sqlitePath: join(folder.path, "own.sqlite"), fallbackJsonPath: stateFile() };
  const second = bench.gateway({ keys: [KEYS.alpha], persistence });
  await assert.rejects(second, (/** @type {Error} */ error) => error.message.includes(`its state in ${stateFile()}. `));
});

test("what the version before SQLite kept is taken over, and its file goes", async () => {
  const until = Date.now() + 300_000;
  const rest = { project: "a-project", model: null, quota: "requests", until, daily: false, reason: "quota used up" };
  const owned = [{ name: "files/of-before", key: "key-2", until }];
  const pools = { at: Date.now(), keys: [], rests: [rest] };
  writeFileSync(stateFile(), JSON.stringify({ version: 1, pools, owned, uploads: [] }));
  const gateway = await start();
  await gateway.ask(`${MODEL}:generateContent`, { body: prompt("Hi") });
  await pollUntil(() => !existsSync(stateFile()), { what: "the old file never went" });
  await gateway.stop();
  assert.equal((await rows(database(), "rests")).length, 1);
});

test("a damaged database is set aside and said, and the program runs", async () => {
  const damage = "no database ".repeat(1_000);
  writeFileSync(database(), damage);
  const gateway = await start();
  assert.match(await gateway.event("state.warning"), /state\.sqlite cannot be used: .* It was set aside as /);
  assert.equal((await gateway.ask(`${MODEL}:generateContent`, { body: prompt("Hi") })).status, 200);
  await gateway.stop();
  const aside = readdirSync(folder.path).find((name) => name.includes("set-aside"));
  assert.equal(readFileSync(join(folder.path, String(aside)), "utf8"), damage);
  assert.equal((await rows(database(), "requests")).length, 1);
});

test("a damaged file of the version before is set aside and said", async () => {
  writeFileSync(stateFile(), '{"version":1,"pools":{');
  const gateway = await start();
  assert.match(
    await gateway.event("state.warning"),
    /state\.json cannot be read: .*ends too early.* It was set aside as /,
  );
  await gateway.stop();
  const aside = readdirSync(folder.path).find((name) => name.includes("set-aside"));
  assert.equal(readFileSync(join(folder.path, String(aside)), "utf8"), '{"version":1,"pools":{');
});

test("a place that cannot be written is said once, and requests go on", async () => {
  writeFileSync(join(folder.path, "file"), "");
  const nowhere = (/** @type {string} */ name) => join(folder.path, "file", name);
  const persistence = { sqlitePath: nowhere("state.sqlite"), fallbackJsonPath: nowhere("state.json") };
  const gateway = await bench.gateway({ keys: [KEYS.alpha], persistence });
  bench.upstream.script.any().once(behave.quotaPerMinute({ retryDelay: "0s" }));
  await gateway.ask(`${MODEL}:generateContent`, { body: prompt("Hi") });
  assert.match(await gateway.event("state.warning"), /cannot be (read|written)/);
  assert.equal((await gateway.ask(`${MODEL}:generateContent`, { body: prompt("Hi") })).status, 200);
});

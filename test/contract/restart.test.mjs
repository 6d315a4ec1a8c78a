/**
 * What the program learned survives its end, in order or not: quotas at rest, keys that Google refused, which key owns
 * which file. The file that keeps it holds no secret, and a damaged one is set aside, never overwritten.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
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

/** A program that keeps its state where the last one did. */
function start() {
  const persistence = { sqlitePath: join(folder.path, "state.sqlite"), fallbackJsonPath: stateFile() };
  return bench.gateway({ keys: [KEYS.alpha, KEYS.beta], keySelection: "fill_first", persistence });
}

/** Learned state is written shortly after it was learned; this is how its writing is seen. @param {RegExp} what */
function kept(what) {
  const there = () => existsSync(stateFile()) && what.test(readFileSync(stateFile(), "utf8"));
  return pollUntil(there, { what: `the state never held ${what}` });
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

test("the file is its owner's alone and holds neither keys nor tokens", async () => {
  const gateway = await start();
  bench.upstream.script.key(ALPHA).once(behave.suspendedKey());
  await gateway.ask(`${MODEL}:generateContent`, { body: prompt("Hi") });
  await gateway.stop();
  assert.equal(statSync(stateFile()).mode & 0o777, 0o600);
  const text = readFileSync(stateFile(), "utf8");
  assert.match(text, /has been suspended/);
  for (const secret of [ALPHA, BETA, TOKEN]) assert.ok(!text.includes(secret));
});

test("a damaged file is set aside and said, and the program runs", async () => {
  writeFileSync(stateFile(), '{"version":1,"pools":{');
  const gateway = await start();
  assert.match(
    await gateway.event("state.warning"),
    /state\.json cannot be read: .*ends too early.* It was set aside as /,
  );
  assert.equal((await gateway.ask(`${MODEL}:generateContent`, { body: prompt("Hi") })).status, 200);
  await gateway.stop();
  const aside = readdirSync(folder.path).find((name) => name.includes("set-aside"));
  assert.equal(readFileSync(join(folder.path, String(aside)), "utf8"), '{"version":1,"pools":{');
});

test("a place that cannot be written is said once, and requests go on", async () => {
  writeFileSync(join(folder.path, "file"), "");
  const persistence = { fallbackJsonPath: join(folder.path, "file", "state.json") };
  const gateway = await bench.gateway({ keys: [KEYS.alpha], persistence });
  bench.upstream.script.any().once(behave.quotaPerMinute({ retryDelay: "0s" }));
  await gateway.ask(`${MODEL}:generateContent`, { body: prompt("Hi") });
  assert.match(await gateway.event("state.warning"), /cannot be (read|written)/);
  assert.equal((await gateway.ask(`${MODEL}:generateContent`, { body: prompt("Hi") })).status, 200);
});

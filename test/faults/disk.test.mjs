/**
 * A disk that fails under the running program: strace lets the Nth call on the database fail, once or from then on. The
 * program serves on, says so, comes back to the database when it works again, and a restart finds all that was learned.
 * FAULTS=all tries many more calls than an everyday run.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { ALPHA, Bench, KEYS, MODEL, prompt } from "../contract/lib/bench.mjs";
import { rows } from "../lib/database.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { pollUntil } from "../lib/wait.mjs";
import { behave } from "../upstream/index.mjs";

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
  folder = makeTempDir("faults");
  if ("after" in context) context.after(() => folder.dispose());
});

/** @typedef {{calls: string, error: "EIO" | "ENOSPC", when: string, files?: string[]}} Fault */

const DATABASE = ["state.sqlite", "state.sqlite-wal"];
const EVERYWHERE = [...DATABASE, "state.new", "state.json", "."];
const ADMIN = "admin-token-for-the-faults";
const CANNOT = /The learned state cannot be written to .*state\.sqlite/;
const AGAIN = /The learned state is written to .*state\.sqlite again; nothing was lost/;

/** @param {Fault[]} faults */
function start(faults) {
  const files = (faults[0]?.files ?? DATABASE).flatMap((name) => ["-P", join(folder.path, name)]);
  const inject = faults.map(({ calls, error, when }) => `--inject=${calls}:error=${error}:when=${when}`);
  const traced = `--trace=${faults.map(({ calls }) => calls).join(",")}`;
  const under = ["strace", "-f", "-qq", "-o", join(folder.path, "trace"), ...files, traced, ...inject];
  const persistence = {
    sqlitePath: join(folder.path, "state.sqlite"),
    fallbackJsonPath: join(folder.path, "state.json"),
  };
  const server = { adminToken: ADMIN };
  const config = { server, keys: [KEYS.alpha, KEYS.beta], keySelection: "fill_first", persistence };
  return bench.gateway(config, { under: faults.length > 0 ? under : [] });
}

/** @param {Awaited<ReturnType<typeof start>>} gateway */
async function served(gateway) {
  const answer = await gateway.ask(`${MODEL}:generateContent`, { body: prompt("Hi") });
  assert.equal(answer.status, 200);
  return answer.id;
}

/** What the metrics say of the database. @param {Awaited<ReturnType<typeof start>>} gateway */
async function failing(gateway) {
  const headers = { authorization: `Bearer ${ADMIN}` };
  const answer = await gateway.ask("/admin/metrics", { token: null, headers, method: "GET" });
  return Number(/^gemini_aggregator_state_store_failing (\S+)$/m.exec(await answer.text())?.[1]);
}

/** Learns a rest, then goes on until `until` is in the log. @param {Awaited<ReturnType<typeof start>>} gateway @param {RegExp} until */
async function learnAndServe(gateway, until) {
  bench.upstream.script.key(ALPHA).once(behave.quotaPerMinute({ retryDelay: "300s" }));
  const ids = [await served(gateway)];
  const told = () => gateway.log.all.some((line) => until.test(line));
  await pollUntil(
    async () => {
      if (told()) return true;
      ids.push(await served(gateway));
      return false;
    },
    { timeoutMs: 15_000, everyMs: 200, what: `the log never told ${until}` },
  );
  return ids;
}

/** A restart without faults finds the rest of alpha and every request. @param {string[]} ids */
async function foundAgain(ids) {
  const next = await start([]);
  bench.upstream.ledger.clear();
  const last = await served(next);
  assert.ok(bench.upstream.ledger.requests.every((request) => !JSON.stringify(request).includes(ALPHA)));
  await next.stop();
  assert.deepEqual(await rows(join(folder.path, "state.sqlite"), "requests"), [...ids, last]);
  assert.ok(!existsSync(join(folder.path, "state.json")));
}

/** @type {Fault[]} */
const ONCE = [
  { calls: "pwrite64", error: "ENOSPC", when: "4" },
  { calls: "fsync,fdatasync", error: "EIO", when: "3" },
];
/** @type {Fault[]} */
const FOR_GOOD = [
  { calls: "pwrite64", error: "ENOSPC", when: "9+" },
  { calls: "fsync,fdatasync", error: "EIO", when: "2+" },
];

for (const fault of ONCE) {
  test(`call ${fault.when} of ${fault.calls} fails once with ${fault.error}: said, and back again`, async () => {
    const gateway = await start([fault]);
    const ids = await learnAndServe(gateway, AGAIN);
    assert.ok(gateway.log.all.some((line) => CANNOT.test(line)));
    assert.equal(await failing(gateway), 0);
    await gateway.stop();
    await foundAgain(ids);
  });
}

for (const fault of FOR_GOOD) {
  test(`${fault.calls} fails with ${fault.error} from call ${fault.when} on: the JSON file stands in`, async () => {
    const gateway = await start([fault]);
    const ids = await learnAndServe(gateway, CANNOT);
    ids.push(await served(gateway));
    assert.equal(await failing(gateway), 1);
    await gateway.stop();
    assert.ok(existsSync(join(folder.path, "state.json")));
    assert.equal(gateway.log.all.filter((line) => CANNOT.test(line)).length, 1, "said once");
    await foundAgain(ids);
  });
}

test("neither place can be written: said with both, requests go on, and the end keeps it when the disk is back", async () => {
  const everywhere = { error: /** @type {const} */ ("ENOSPC"), files: EVERYWHERE };
  // The JSON file's rename fails once, the database for good: the next try of the file succeeds.
  const gateway = await start([
    { ...everywhere, calls: "pwrite64", when: "1+" },
    { ...everywhere, calls: "rename", error: "EIO", when: "1" },
  ]);
  const ids = await learnAndServe(gateway, /cannot be written to .*Nor can it be kept elsewhere/);
  ids.push(await served(gateway));
  await gateway.stop();
  await foundAgain(ids);
});

if (process.env.FAULTS === "all") {
  const calls = ["pwrite64", "fsync,fdatasync", "ftruncate", "openat", "unlink,unlinkat"];
  const errors = /** @type {const} */ (["EIO", "ENOSPC"]);
  for (const call of calls) {
    for (const error of errors) {
      for (let number = 1; number <= 12; number += 1) {
        for (const when of [`${number}`, `${number}+`]) {
          test(`${call} ${when} ${error}: serves on, and all is there after a restart`, async () => {
            const gateway = await start([{ calls: call, error, when }]);
            bench.upstream.script.key(ALPHA).once(behave.quotaPerMinute({ retryDelay: "300s" }));
            const ids = [await served(gateway), await served(gateway)];
            await gateway.stop();
            await foundAgain(ids);
          });
        }
      }
    }
  }
}

/**
 * The metrics in the hands of those who read them: Prometheus' own checker and rule tester, the dashboard and the alert rules of
 * docs/, and a real Prometheus that scrapes the running program. What the figures must say is the matter of metrics.test.mjs.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { fetchRaw } from "../lib/fetch.mjs";
import { freePort } from "../lib/ports.mjs";
import { startProcess } from "../lib/processes.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { pollUntil } from "../lib/wait.mjs";
import { startTinyproxy } from "../proxies/index.mjs";
import { behave } from "../upstream/index.mjs";
import { ALPHA, Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";

const ADMIN = "admin-token-of-the-tests";
const DOCS = resolve(import.meta.dirname, "../../docs");
const FIXTURES = resolve(import.meta.dirname, "../fixtures");
const DASHBOARD = JSON.parse(readFileSync(join(DOCS, "grafana-dashboard.json"), "utf8"));
const ALERTS = readFileSync(join(DOCS, "alerts.yaml"), "utf8");

/** @type {Bench} */
let bench;
/** @type {import("./lib/bench.mjs").Gateway} */
let gateway;
before(async () => {
  bench = await Bench.start();
  const east = await bench.proxy(startTinyproxy());
  const odd = { ...KEYS.beta, name: 'be"t\\a' };
  const config = { server: { adminToken: ADMIN }, keys: [{ ...KEYS.alpha, proxy: "east" }, odd] };
  gateway = await bench.gateway({ ...config, proxies: [{ name: "east", url: east.url }] });
  await mixedTraffic();
});
after(() => bench?.stop());

/** Requests that end in most of the ways a request can. */
async function mixedTraffic() {
  const ask = async (/** @type {string} */ path, /** @type {any} */ options = {}) => {
    const answer = await gateway.ask(path, { body: prompt("Hi"), ...options });
    await answer.text();
    if (answer.id) await gateway.logged(answer);
    return answer.status;
  };
  for (let i = 0; i < 3; i += 1) assert.equal(await ask(`${MODEL}:generateContent`), 200);
  assert.equal(await ask(`${MODEL}:streamGenerateContent?alt=sse`), 200);
  bench.upstream.script.key(ALPHA).once(behave.quotaPerMinute({ retryDelay: "30s" }));
  const pinned = { headers: { "x-aggregator-key": "alpha" } };
  assert.equal(await ask(`${MODEL}:generateContent`, pinned), 429);
  assert.equal(await ask(`${MODEL}:generateContent`, { token: "wrong" }), 401);
  const chat = { model: "gemini-3.8-flash", messages: [{ role: "user", content: "Hi" }] };
  assert.equal(await ask("/v1/chat/completions", { body: chat }), 200);
}

async function scrape() {
  const headers = { authorization: `Bearer ${ADMIN}` };
  const answer = await gateway.ask("/admin/metrics", { token: null, headers, method: "GET" });
  assert.equal(answer.status, 200);
  return answer.text();
}

/** @param {string[]} args @param {{cwd?: string, input?: string}} [options] */
function promtool(args, options = {}) {
  const { status, stdout, stderr } = spawnSync("promtool", args, { encoding: "utf8", ...options });
  return { status, said: `${stdout}${stderr}` };
}

/** The names of metrics in an expression. @param {string} text */
const namesIn = (text) => text.match(/\b(?:gemini_aggregator|process)_[a-z_]+/g) ?? [];

/** @returns {{title: string, expr: string}[]} */
const queries = () =>
  DASHBOARD.panels.flatMap((/** @type {any} */ { title, targets = [] }) =>
    targets.map((/** @type {any} */ { expr }) => ({ title, expr })),
  );

describe("a scrape after mixed traffic", () => {
  test("is taken by Prometheus' own checker without a warning", async () => {
    const { status, said } = promtool(["check", "metrics"], { input: await scrape() });
    assert.deepEqual([status, said], [0, ""]);
  });

  test("counts requests once, attempts apart from them, and the process", async () => {
    const text = await scrape();
    const value = (/** @type {string} */ series) => {
      const line = text.split("\n").find((one) => one.startsWith(`${series} `));
      assert.ok(line, `${series} in\n${text}`);
      return Number(line.split(" ")[1]);
    };
    const own = (/** @type {string} */ series) => value(`gemini_aggregator_${series}`);
    assert.equal(own('requests_total{dialect="gemini",outcome="served"}'), 4);
    assert.equal(own('requests_total{dialect="openai",outcome="served"}'), 1);
    assert.equal(own('requests_total{dialect="gemini",outcome="quota"}'), 1);
    assert.equal(own('requests_total{dialect="gemini",outcome="caller"}'), 1);
    assert.equal(own('model_requests_total{model="gemini-3.8-flash",outcome="served"}'), 5);
    assert.ok(own('tokens_input_total{model="gemini-3.8-flash"}') > 0);
    assert.equal(own('attempts_total{outcome="quota"}'), 1);
    assert.equal(own('cooldowns_total{reason="quota"}'), 1);
    assert.equal(own("requests_in_flight"), 0);
    assert.equal(own('keys{state="resting"}'), 1);
    assert.equal(own('request_first_byte_seconds_count{dialect="gemini"}'), 6);
    assert.ok(own('events_total{type="request.finished"}') >= 7);
    assert.equal(own("log_lines_dropped_total"), 0);
    if (process.platform !== "linux") return;
    assert.ok(value("process_resident_memory_bytes") > 1e6);
    assert.ok(value("process_open_fds") > 5);
  });

  test("has every metric that the dashboard and the alerts read", async () => {
    const text = await scrape();
    const there = new Set(text.split("\n").map((line) => /^[a-z_]+/.exec(line)?.[0]));
    const read = new Set([...queries().flatMap(({ expr }) => namesIn(expr)), ...namesIn(expressions(ALERTS))]);
    assert.deepEqual(
      [...read].filter((name) => !there.has(name)),
      [],
    );
    assert.ok(read.size > 30, `only ${read.size} metrics are read`);
  });
});

/** The expressions of the rules, without their words. @param {string} rules */
function expressions(rules) {
  const lines = rules.split("\n").filter((line) => !/^\s*(summary|description|#)/.test(line));
  return lines.join("\n");
}

describe("the alert rules", () => {
  test("are taken by promtool, and each says what and what to do", () => {
    const { status, said } = promtool(["check", "rules", join(DOCS, "alerts.yaml")]);
    assert.equal(status, 0, said);
    const count = (/** @type {RegExp} */ pattern) => ALERTS.match(pattern)?.length;
    assert.equal(count(/^ +summary: /gm), count(/- alert: /g));
    assert.equal(count(/^ +description: /gm), count(/- alert: /g));
  });

  test("fire when they should, and only then", () => {
    const dir = makeTempDir("alerts");
    copyFileSync(join(DOCS, "alerts.yaml"), join(dir.path, "alerts.yaml"));
    copyFileSync(join(FIXTURES, "alerts.test.yaml"), join(dir.path, "alerts.test.yaml"));
    const { status, said } = promtool(["test", "rules", "alerts.test.yaml"], { cwd: dir.path });
    dir.dispose();
    assert.equal(status, 0, said);
  });
});

test("a real Prometheus scrapes the program and answers the dashboard's queries", async () => {
  const dir = makeTempDir("prometheus");
  const port = await freePort();
  copyFileSync(join(DOCS, "alerts.yaml"), join(dir.path, "alerts.yaml"));
  const scraping = {
    job_name: "gemini-aggregator",
    metrics_path: "/admin/metrics",
    authorization: { credentials_file: dir.write("token", ADMIN) },
    static_configs: [{ targets: [`127.0.0.1:${gateway.port}`] }],
  };
  const config = {
    global: { scrape_interval: "250ms", evaluation_interval: "1s" },
    rule_files: ["alerts.yaml"],
    scrape_configs: [scraping],
  };
  const file = dir.write("prometheus.yml", JSON.stringify(config));
  const listen = `--web.listen-address=127.0.0.1:${port}`;
  const args = [`--config.file=${file}`, `--storage.tsdb.path=${join(dir.path, "data")}`, listen];
  const prometheus = startProcess("prometheus", args, { cwd: dir.path });
  const ask = async (/** @type {string} */ query) => {
    const answer = await fetchRaw(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { status, data, error } = JSON.parse((await answer.bytes()).toString("utf8"));
    assert.equal(status, "success", `${query}: ${error}`);
    return data.result;
  };
  try {
    await prometheus.listening(port);
    const sees = async () => (await ask("up").catch(() => []))[0]?.value[1] === "1";
    await pollUntil(sees, { what: "Prometheus never saw the program" });
    const [served] = await ask('sum(gemini_aggregator_requests_total{outcome="served"})');
    assert.equal(served.value[1], "5");
    assert.equal((await ask('gemini_aggregator_keys{state="resting"}'))[0].value[1], "1");
    assert.equal((await ask('gemini_aggregator_key_attempts_total{name="be\\"t\\\\a",outcome="served"}')).length, 1);
    for (const { expr } of queries()) {
      await ask(expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*"));
    }
  } finally {
    await prometheus.stop();
    dir.dispose();
  }
});

// Measures whether the bundled panel keeps up: 1,000 keys (or as many as given), 40 proxies and the newest 50 requests, a new snapshot four
// times a second, as the extension sends it at most. Run `node webview/preview/pace.mjs [seconds] [keys]` after
// `npm run build -- --bundles`. Fails when a task of the page took longer than 50 ms, the first drawing left aside.

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { transform } from "esbuild";
import { openBrowser } from "../../scripts/lib/browser.mjs";
import { cacheDir, inRoot } from "../../scripts/lib/paths.mjs";

const ORIGIN = "http://preview.test";
const BOUND_MS = 50;
const seconds = Number(process.argv[2] ?? 10);
const many = Number(process.argv[3] ?? 1000);
const profile = join(cacheDir, "preview", "pace-profile");
const script = readFileSync(inRoot("extension", "out", "webview", "panel.js"), "utf8");

mkdirSync(profile, { recursive: true });
const html = await pageHtml();
const browser = await openBrowser({ profile, width: 1180, height: 900 });
try {
  report(await measure());
} finally {
  await browser.close();
}

async function measure() {
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => console.error(error.message));
  await page.route(`${ORIGIN}/**`, (route) => {
    const isScript = route.request().url().endsWith(".js");
    return route.fulfill({ contentType: isScript ? "text/javascript" : "text/html", body: isScript ? script : html });
  });
  await page.addInitScript(actAsEditor);
  await page.goto(`${ORIGIN}/`);
  const first = await page.evaluate(firstDrawing, crowd());
  await page.getByTestId("panel").waitFor();
  const updates = await page.evaluate(feed, { rounds: seconds * 4, bound: BOUND_MS });
  const rows = await page.getByTestId("key-row").count();
  return { first, rows, ...updates };
}

function report({ first, rows, longest, median, long }) {
  console.log(`first drawing ${first.toFixed(0)} ms, ${rows} of ${many} key rows in the page`);
  console.log(`${seconds * 4} updates: median ${median.toFixed(1)} ms, longest ${longest.toFixed(1)} ms`);
  console.log(`tasks over ${BOUND_MS} ms: ${long.length === 0 ? "none" : long.map((ms) => ms.toFixed(0)).join(", ")}`);
  process.exitCode = long.length === 0 ? 0 : 1;
}

/** The very page the extension makes, nonce and policy included. */
async function pageHtml() {
  const source = readFileSync(inRoot("extension", "src", "panel", "html.ts"), "utf8");
  const { code } = await transform(source, { loader: "ts", format: "esm" });
  const { panelHtml } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  return panelHtml(`${ORIGIN}/panel.js`, "preview");
}

function crowd() {
  const now = Date.now();
  const minutes = { attempts: Array.from({ length: 30 }, (_, at) => at % 7), failures: Array(30).fill(0) };
  const figures = {
    ...{ attempts: 40, error_rate: 0.02, latency_p50_ms: 640, latency_p95_ms: 1800, bytes_sent: 1e5 },
    ...{ bytes_received: 1e6, tunnels_opened: 3, tunnels_reused: 37, minutes },
  };
  const shared = { status_reason: null, health_score: 1, enabled: true, weight: 1, last_used: now - 4000 };
  const keys = Array.from({ length: many }, (_, at) => ({
    ...shared,
    id: `k${at}`,
    name: `key-${String(at).padStart(4, "0")}`,
    masked_key: `••••${String(at).padStart(4, "0")}`,
    status: at % 9 === 0 ? "cooling_down" : "available",
    cooling_down_until: at % 9 === 0 ? now + 600_000 : null,
    circuit: "closed",
    next_retry: null,
    project: at % 3 === 0 ? `project-${at % 20}` : null,
    proxy_id: at % 5 === 0 ? null : `p${at % 40}`,
    proxy_assigned_at: now,
    is_manual: at % 11 === 0,
    home_proxy_id: null,
    current_requests: at % 3,
    request_count: at * 7,
    failure_count: at % 13,
    direct_count: 0,
    figures,
  }));
  const proxies = Array.from({ length: 40 }, (_, at) => ({
    ...{ id: `p${at}`, name: `proxy-${at}`, masked_url: `socks5://u:••••@192.0.2.${at}:1080`, status: "active" },
    ...{ enabled: true, assigned_key_count: 20, active_requests: 1, last_health_check: now, error_count: 0 },
    ...{ last_error: null, latency_ms: 80, figures },
  }));
  const attempts = [{ key_id: "k1", key_name: "key-0001", proxy_id: "p1", proxy_name: "proxy-1", status: 200 }];
  const requests = Array.from({ length: 50 }, (_, at) => ({
    ...{ id: `r${at}`, at: now - at * 900, method: "POST", path: "/v1beta/models/m:generateContent", model: "m" },
    ...{ status: 200, duration_ms: 800, error: null, dialect: "gemini", first_byte_ms: 300, client: "curl/8" },
    tokens: { input: 900, output: 120, cached: 0, thought: 0 },
    attempts: attempts.map((attempt) => ({ ...attempt, error: null, duration_ms: 790 })),
  }));
  const overview = Array.from({ length: 60 }, (_, at) => ({
    ...{ at: now - (60 - at) * 60_000, requests: at, errors: at % 4, tokens_in: at * 900, tokens_out: at * 100 },
    latency_ms: 700,
  }));
  return {
    ...{ revision: 1, version: "0.1.0", keys, proxies, rotating: null, requests, request_count: 10_000 },
    endpoint: { kind: "listening", url: "http://127.0.0.1:3146", port: 3146, local_auth: "token" },
    balance: { spread_keys: 1, spread_requests: 2, moves: 0, moves_last_hour: 0 },
    overview: { minutes: overview },
  };
}

/** Runs in the page before its script: an editor that keeps nothing and answers nothing. */
function actAsEditor() {
  window.acquireVsCodeApi = () => ({ postMessage() {}, getState: () => undefined, setState() {} });
}

/** Runs in the page: gives it the whole state once and waits for it to be painted. */
async function firstDrawing(snapshot) {
  window.snapshot = snapshot;
  const began = performance.now();
  window.postMessage({ kind: "state", snapshot, sentAt: Date.now() }, "*");
  await new Promise((done) => setTimeout(() => requestAnimationFrame(() => setTimeout(done)), 0));
  return performance.now() - began;
}

/** Runs in the page: a snapshot that is new in every object, as one that came through a message, four times a second. */
async function feed({ rounds, bound }) {
  const rest = (ms) => new Promise((done) => setTimeout(done, ms));
  await rest(1000);
  const long = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) if (duration > bound) long.push(duration);
  });
  observer.observe({ type: "longtask" });
  const times = [];
  for (let round = 1; round <= rounds; round += 1) {
    const { snapshot } = window;
    snapshot.revision = round + 1;
    for (const [at, key] of snapshot.keys.entries()) if (at % 3 === round % 3) key.request_count += 1;
    snapshot.requests = [
      { ...snapshot.requests[0], id: `new${round}`, at: Date.now() },
      ...snapshot.requests.slice(0, 49),
    ];
    await rest(250);
    const began = performance.now();
    window.postMessage({ kind: "state", snapshot, sentAt: Date.now() }, "*");
    await new Promise((done) => setTimeout(() => requestAnimationFrame(() => setTimeout(done)), 0));
    times.push(performance.now() - began);
  }
  observer.disconnect();
  times.sort((a, b) => a - b);
  return { long, longest: times.at(-1), median: times[times.length >> 1] };
}

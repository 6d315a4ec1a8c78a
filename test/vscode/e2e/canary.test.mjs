// Secrets as canaries: keys, proxy passwords, a backup's passphrase and the local token go through everything the
// extension does with them in a real VS Code, well and badly; then whatever left the extension is searched for traces:
// the panel's messages and markup, all that the workbench showed, logs, files, answers, the clipboard. The secrets are
// made at run time. What a trace is, and that none is missed, test/lib/canaries proves.

import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before } from "node:test";
import { Canaries, canaryKey, canaryPassword } from "../../lib/canaries.mjs";
import { pollUntil } from "../../lib/wait.mjs";
import { behave } from "../../upstream/index.mjs";
import { Recorder } from "../harness/recorder.mjs";
import { tell } from "../harness/story.mjs";
import { MODEL } from "./clients.mjs";
import { addKey, addProxy, assignments, copyToken, openPanel, panelMarkup, startBench } from "./product.mjs";

const KEYS = { alpha: canaryKey(), beta: canaryKey(), fresh: canaryKey(), typed: `${canaryKey()} ${canaryKey()}` };
const PASSWORDS = [canaryPassword(), canaryPassword()];
const WRONG = canaryPassword();
const PASSPHRASE = canaryPassword();

const canaries = new Canaries({
  "the key alpha": KEYS.alpha,
  "the key beta": KEYS.beta,
  "the key that replaced beta": KEYS.fresh,
  "what was refused as a key": KEYS.typed,
  "the first proxy's password": PASSWORDS[0],
  "the second proxy's password": PASSWORDS[1],
  "a wrong password": WRONG,
  "the passphrase": PASSPHRASE,
});

/** What was seen, by where. @type {Record<string, string>} */
const seen = {};
/** What the user copied for a tool: the local token may be in it, and nothing else. @type {Record<string, string>} */
const copied = {};
/** @type {Awaited<ReturnType<typeof startBench>>} */
let bench;
/** @type {import("../harness/workbench.mjs").Workbench} */
let window;
/** @type {Recorder} */
let recorder;
/** @type {string} */
let token;

const story = tell();
const { step, look } = story;

before(async () => {
  bench = await startBench("canary", { passwords: PASSWORDS });
  window = await bench.editor.openWindow(async (page) => {
    recorder = await Recorder.attach(page);
  });
  await window.statusBar(/Gemini 0\/0/, 60_000);
  await openPanel(window);
});

after(async () => {
  await bench?.stop(story);
});

step("keys and proxies are added; the box for a key shows dots, and a refused one is not repeated", async () => {
  await addProxy(window, "one", bench.proxies[0].url);
  await addProxy(window, "two", bench.proxies[1].url);
  await window.runCommand("Gemini Aggregator: Add API Key");
  await window.quickInput.locator("input[type=password]").first().waitFor({ timeout: 30_000 });
  await window.answer("Add API Key (1/2)", KEYS.typed);
  await window.answer("Add API Key (2/2)", "typed");
  await window.complaint("Add API Key");
  await window.cancel();
  await addKey(window, "alpha", KEYS.alpha);
  await addKey(window, "beta", KEYS.beta);
  await window.statusBar(/Gemini 2\/2/);
  await assignments(window, 2);
});

step("a key is tested well and badly: the upstream repeats the key in its error", async () => {
  await row("alpha").getByTestId("test-key").click();
  await window.notification(/alpha/);
  bench.upstream.script.key(KEYS.beta).always(refusalWith(KEYS.beta));
  await row("beta").getByTestId("test-key").click();
  await window.notification(/beta/);
  bench.upstream.script.clear();
});

step("requests are answered, refused for their key, and fail", async () => {
  token = await copyToken(window);
  copied["the copied token"] = await window.clipboard();
  canaries.watch("the local token", token);
  await row("beta").getByTestId("enable-key").click({ timeout: 30_000 });
  await row("beta").getByTestId("disable-key").waitFor({ timeout: 30_000 });
  await generate("served");
  const { script } = bench.upstream;
  for (const [name, key] of [
    ["alpha", KEYS.alpha],
    ["beta", KEYS.beta],
  ]) {
    script.key(key).once(behave.errorNamingTheKey()).once(behave.suspendedKey()).always(refusalWith(key));
    for (const attempt of [1, 2, 3]) await generate(`refused, ${name}, ${attempt}`);
  }
  await window.panel.getByTestId("request-row").nth(3).waitFor({ timeout: 30_000 });
  script.clear();
});

step("a key and a proxy are changed; a wrong password fails its test", async () => {
  await row("beta").getByTestId("modify-key").click();
  await window.answer("(1/3)", "beta");
  await window.answer("(2/3)", "project-b");
  await window.answer("(3/3)", KEYS.fresh);
  await pollUntil(
    async () => (await row("beta").getByTestId("key-masked").textContent())?.includes(KEYS.fresh.slice(-4)),
    {
      timeoutMs: 30_000,
      what: "the panel shows the end of the new key",
    },
  );
  await proxy("two").getByTestId("edit-proxy").click();
  const wrong = bench.proxies[1].urlAs("http", { user: "two", password: WRONG });
  await window.answer("(1/2)", wrong);
  // The new name tells when the change is made.
  await window.answer("(2/2)", "second");
  await proxy("second").getByTestId("test-proxy").click();
  await window.notification(/"second"/);
  await proxy("second").getByTestId("proxy-last-error").waitFor({ timeout: 30_000 });
});

step("a key is given a proxy by hand, and a request through the wrong password fails", async () => {
  await row("alpha").getByTestId("assign-select").selectOption({ label: "second" });
  await row("alpha").getByTestId("key-proxy-mode").filter({ hasText: "manual" }).waitFor({ timeout: 30_000 });
  await generate("through a wrong password");
  await window.runCommand("Gemini Aggregator: Add Proxy");
  await window.answer("Add Proxy (1/2)", `ftp://somebody:${encodeURIComponent(WRONG)}@127.0.0.1:9`);
  await window.answer("Add Proxy (2/2)", "refused");
  await window.complaint("Add Proxy");
  await window.cancel();
  await window.runCommand("Gemini Aggregator: List API Keys");
  await window.quickInput.locator(".monaco-list-row").first().waitFor({ timeout: 30_000 });
  await window.cancel();
});

step("the rotating proxy is set up, tested, used, and taken away", async () => {
  await window.runCommand("Gemini Aggregator: Configure Rotating Proxy");
  await window.answer("Configure Rotating Proxy", bench.proxies[0].url);
  await window.panel.getByTestId("rotating-proxy").waitFor({ timeout: 30_000 });
  await window.runCommand("Gemini Aggregator: Test Rotating Proxy");
  await window.notification(/rotating/i);
  await generate("through the rotating proxy");
  await window.runCommand("Gemini Aggregator: Configure Rotating Proxy");
  await window.pick("Remove");
  await window.confirm(/Remove the rotating proxy/, "Remove");
  await window.panel.getByTestId("rotating-proxy").waitFor({ state: "detached", timeout: 30_000 });
});

step("a tool is connected, the doctor reports, a backup is encrypted", async () => {
  await window.runCommand("Gemini Aggregator: Connect a Tool…");
  await window.find("Connect a tool to this endpoint", "curl");
  await window.confirm(/Connect curl/, "Copy");
  await window.notification(/Copied the set-up for curl/);
  copied["the copied set-up"] = await window.clipboard();
  await window.clearNotifications();
  await window.runCommand("Gemini Aggregator: Doctor");
  await window.statusBar(/\d+ failures?, \d+ warnings?|Everything looked at is well/);
  seen["the doctor's report"] = await window.document();
  assert.match(seen["the doctor's report"], /It listens on/);
  await exportBackup();
});

step("copies made in the panel, all that are there", async () => {
  await openPanel(window);
  // Whatever can be unfolded may have something to copy in it.
  const folded = window.panel.locator("[data-testid=request-row] [aria-expanded=false]");
  for (const each of (await folded.all()).slice(0, 8)) await each.click();
  const buttons = window.panel.getByRole("button", { name: /copy/i });
  for (const button of await buttons.all()) {
    const name = (await button.getAttribute("aria-label")) ?? (await button.textContent())?.trim() ?? "";
    await window.putOnClipboard("");
    await button.click();
    const text = await pollUntil(() => window.clipboard(), { what: `"${name}" copies something` });
    (/token/i.test(name) ? copied : seen)[`the copy of "${name}"`] = text;
  }
});

step("a key is removed and brought back, a proxy is removed", async () => {
  await row("beta").getByTestId("remove-key").click();
  await row("beta").waitFor({ state: "detached", timeout: 30_000 });
  await window.panel.getByTestId("undo").click();
  await row("beta").waitFor({ timeout: 30_000 });
  await generate("with a key brought back");
  await proxy("second").getByTestId("remove-proxy").click();
  await proxy("second").waitFor({ state: "detached", timeout: 30_000 });
});

step("everything that left the extension is gathered, and each place did hold something", async () => {
  const { server } = bench.editor;
  seen["the panel's markup"] = await panelMarkup(window);
  seen["the messages of the panel"] = recorder.messages.join("\n");
  seen["the window's console"] = recorder.console.join("\n");
  seen["what the workbench showed"] = await recorder.shown();
  seen["the extension's log"] = await server.readLogs("Gemini Aggregator");
  seen["the editor's logs"] = await server.readLogs("");
  for (const path of ["admin/metrics", "admin/health", "health"]) {
    const answer = await fetch(`${bench.url}/${path}`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 200, path);
    seen[`the answer of /${path}`] = await answer.text();
  }
  const stateFile = async () => (await stored()).find((file) => file.endsWith("state.sqlite"));
  const found = await pollUntil(stateFile, { timeoutMs: 30_000, what: "the state is kept in a file" });
  seen["state.sqlite"] = await readFile(found, "latin1");
  for (const file of await stored()) {
    // The token's own file is what tools may read it from.
    const place = file.slice(server.userData.length);
    if (!file.endsWith("local-token")) seen[`the stored file ${place}`] = await readFile(file, "latin1");
  }
  // A recorder that heard nothing would find nothing.
  for (const [place, words] of [
    ["the messages of the panel", /"kind":"state".*alpha/],
    ["the messages of the panel", /"kind":"run_on","command":"testApiKey"/],
    ["the messages of the panel", new RegExp(`••••${KEYS.alpha.slice(-4)}`)],
    ["the panel's markup", new RegExp(`••••${KEYS.alpha.slice(-4)}`)],
    ["what the workbench showed", /Add API Key \(1\/2\)/],
    ["what the workbench showed", /Gemini 2\/2/],
    ["what the workbench showed", /Testing the API key "beta"/],
    ["the messages of the panel", /"kind":"told".*removed/],
    ["the extension's log", /alpha/],
    ["the answer of /admin/metrics", /# TYPE/],
    ["state.sqlite", /SQLite format/],
  ]) {
    assert.match(seen[/** @type {string} */ (place)], /** @type {RegExp} */ (words), `${place} holds too little`);
  }
});

look("no trace of any secret is in any of it", async () => {
  const traces = canaries.report(seen);
  assert.deepEqual(traces, [], traces.join("\n"));
});

look("what was copied for a tool holds the local token, and no other secret", async () => {
  const traces = canaries.report(copied);
  assert.ok(Object.values(copied).some((text) => text.includes(token)));
  const others = traces.filter((line) => !line.includes("shows the local token"));
  assert.deepEqual(others, [], others.join("\n"));
});

look("planted in any of these places, a trace is found", async () => {
  const planted = `${KEYS.alpha.slice(9, 17)} ${encodeURIComponent(PASSWORDS[0])} ${Buffer.from(`x${KEYS.beta}`).toString("base64")}`;
  const expected = ["the first proxy's password", "the key alpha", "the key beta"];
  for (const [place, text] of Object.entries(seen)) {
    const middle = Math.floor(text.length / 2);
    const found = canaries.find(`${text.slice(0, middle)} ${planted} ${text.slice(middle)}`);
    assert.deepEqual([...new Set(found.map(({ secret }) => secret))].sort(), expected, place);
  }
});

/** Google's answer to a key it does not know, with the key in its words. @param {string} key */
function refusalWith(key) {
  const words = `API key not valid. Please pass a valid API key. Got ${key}, as ?key=${encodeURIComponent(key)}.`;
  const info = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID", metadata: { key } };
  return behave.say({
    status: 400,
    pieces: [JSON.stringify(behave.googleError(400, "INVALID_ARGUMENT", words, [info]))],
  });
}

/** Asks the endpoint; what the client gets is a place, too. @param {string} what */
async function generate(what) {
  const answer = await fetch(`${bench.url}/v1beta/models/${MODEL}:generateContent`, {
    method: "POST",
    headers: { "x-goog-api-key": token, "content-type": "application/json" },
    body: JSON.stringify({ contents: [{ parts: [{ text: "hello" }] }] }),
  });
  seen[`the answer to a client (${what})`] = `${JSON.stringify([...answer.headers])}\n${await answer.text()}`;
  return answer.status;
}

/** Encrypted, into the folder that is open. */
async function exportBackup() {
  const file = join(bench.editor.server.workspace, "gemini-aggregator-backup.json");
  await window.runCommand("Gemini Aggregator: Export Backup");
  await window.pick("Everything, encrypted");
  await window.answer("Export Backup (1/2)", PASSPHRASE);
  await window.answer("Export Backup (2/2)", PASSPHRASE);
  // The editor's own dialog for a file, with the suggested name in it.
  const ok = window.quickInput.getByRole("button", { name: "OK", exact: true });
  await ok.click({ timeout: 30_000 });
  await window.notification(/backup/i);
  const written = () =>
    stat(file).then(
      ({ size }) => size > 0,
      () => false,
    );
  await pollUntil(written, { timeoutMs: 30_000, what: "the backup is in the folder" });
  seen["the encrypted backup"] = await readFile(file, "utf8");
}

/** The files that the extension keeps. */
async function stored() {
  const folder = join(bench.editor.server.userData, "User", "globalStorage");
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  return files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
}

/** @param {string} key */
const row = (key) => window.panel.locator(`[data-testid=key-row][data-key-name="${key}"]`);
/** @param {string} name */
const proxy = (name) => window.panel.locator(`[data-testid=proxy-row][data-proxy-name="${name}"]`);

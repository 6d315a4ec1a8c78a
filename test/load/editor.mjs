/**
 * What the extension costs a real VS Code: how long from its activation until the endpoint listens, how late the
 * extension host's event loop is while the endpoint serves a steady load with the panel open, and how large the package
 * is. It must not know the bounds' verdicts; figures only.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { Agent } from "node:http";
import { join } from "node:path";
import { runtimeDir } from "../../scripts/lib/paths.mjs";
import { findVsix, packFolder } from "../../scripts/lib/vsix.mjs";
import { fetchRaw } from "../lib/fetch.mjs";
import { freePort } from "../lib/ports.mjs";
import { pollUntil } from "../lib/wait.mjs";
import { Editor } from "../vscode/harness/editor.mjs";
import { startNginxUpstream } from "./nginx.mjs";

export const LONGEST_START_MS = 300;
export const LONGEST_DELAY_MS = 5;
export const MOST_PACKAGE_MB = 3.5;

const PER_SECOND = 500;
const TICK_MS = 10;
const STARTS = 5;
const BODY = JSON.stringify({ contents: [{ role: "user", parts: [{ text: "Hello." }] }] });
const PATH = "/v1beta/models/gemini-3.8-flash:generateContent";

/** @typedef {{p50: number, p99: number, max: number}} Delay in milliseconds */

/** @param {{seconds: number, log: (line: string) => void}} options */
export async function measureEditor({ seconds, log }) {
  const upstream = await startNginxUpstream();
  const folder = await mkdtemp(join(await made(runtimeDir), "loop-driver-"));
  const driverVsix = join(folder, "loop-driver.vsix");
  await packFolder(join(import.meta.dirname, "loop-driver"), driverVsix);
  const port = await freePort();
  const vsix = findVsix();
  const editor = await Editor.launch({
    name: "bench",
    vsix,
    extensions: [driverVsix],
    env: { LOOP_DRIVER_FOLDER: folder },
    machineSettings: {
      "geminiAggregator.port": port,
      "geminiAggregator.upstreamBaseUrl": `http://127.0.0.1:${upstream.port}`,
    },
  });
  try {
    log("A real VS Code: its starts, and its event loop under load…");
    const starts = [];
    for (let round = 0; round < STARTS; round += 1) {
      if (round > 0) await editor.restart();
      const window = await editor.openWindow();
      await window.statusBar(/Gemini \d+\/\d+/, 60_000);
      starts.push(await lastStartMs(editor));
    }
    const drive = await driverIn(folder);
    await drive({ what: "run", command: "geminiAggregator.addApiKey", argument: { key: "test-key-alpha-0001" } });
    await drive({ what: "run", command: "geminiAggregator.openPanel" });
    const idle = await delayDuring(drive, seconds, async () => {});
    const send = await sender(editor, port);
    /** @type {number} */
    let served = 0;
    const loaded = await delayDuring(drive, seconds, async () => {
      served += await send();
    });
    return { starts, idle, loaded, perSecond: served / seconds, packageMb: (await stat(vsix)).size / 1e6 };
  } finally {
    await editor.dispose({ failed: false });
    await upstream.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param {string} folder */
async function made(folder) {
  await mkdir(folder, { recursive: true });
  return folder;
}

/** From the log's own times: the extension says when it begins and when it listens. @param {Editor} editor */
async function lastStartMs(editor) {
  const times = await pollUntil(
    async () => {
      const lines = (await editor.server.readLogs("Gemini Aggregator")).split("\n");
      const timesOf = (/** @type {RegExp} */ words) =>
        lines.filter((line) => words.test(line)).map((line) => Date.parse(`${line.slice(0, 23).replace(" ", "T")}Z`));
      const [begun, listens] = [timesOf(/ begins\.$/), timesOf(/The endpoint listens on/)];
      const [from, to] = [Math.max(...begun), Math.max(...listens)];
      return to >= from ? { from, to } : undefined;
    },
    { timeoutMs: 30_000, what: "the log says that the endpoint listens" },
  );
  return times.to - times.from;
}

/** @param {string} folder */
async function driverIn(folder) {
  const ports = (await readdir(folder)).filter((name) => name.endsWith(".port"));
  const files = await Promise.all(ports.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })));
  const newest = files.sort((a, b) => b.at - a.at)[0];
  if (!newest) throw new Error("The driver extension does not run.");
  const port = Number(await readFile(join(folder, newest.name), "utf8"));
  return async (/** @type {object} */ asked) => {
    const answer = await fetch(`http://127.0.0.1:${port}`, { method: "POST", body: JSON.stringify(asked) });
    return /** @type {Delay} */ (await answer.json());
  };
}

/**
 * @param {(asked: object) => Promise<Delay>} drive @param {number} seconds
 * @param {() => Promise<void>} work done every tick
 */
async function delayDuring(drive, seconds, work) {
  await drive({ what: "reset" });
  const end = performance.now() + seconds * 1000;
  /** @type {Promise<void>[]} */
  const under = [];
  for (let tick = performance.now(); tick < end; tick += TICK_MS) {
    under.push(work());
    await new Promise((resolve) => setTimeout(resolve, tick + TICK_MS - performance.now()));
  }
  await Promise.all(under);
  return drive({ what: "read" });
}

/** Sends one tick's part of the load; resolves to how many were served. @param {Editor} editor @param {number} port */
async function sender(editor, port) {
  const storage = join(editor.server.userData, "User/globalStorage/gemini-aggregator.gemini-api-key-aggregator");
  const token = (await readFile(join(storage, "local-token"), "utf8")).trim();
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const headers = { "x-goog-api-key": token, "content-type": "application/json" };
  const one = async () => {
    const answer = await fetchRaw(`http://127.0.0.1:${port}${PATH}`, { agent, headers, body: BODY });
    await answer.bytes();
    if (answer.status !== 200) throw new Error(`A request was answered with ${answer.status}.`);
  };
  return async () => {
    const count = (PER_SECOND * TICK_MS) / 1000;
    await Promise.all(Array.from({ length: count }, one));
    return count;
  };
}

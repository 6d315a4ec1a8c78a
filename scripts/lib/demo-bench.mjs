// What `npm run demo` plays with instead of the real world: the simulated
// upstream and three real proxies of the tests, example keys, and the commands
// that enter them. It must not know how VS Code is opened.

import { inRoot } from "./paths.mjs";
import { findOnPath, must } from "./processes.mjs";

const programs = ["squid", "tinyproxy", "microsocks", "openssl", "setpriv"];

// Not secrets: the simulated upstream takes every key.
const keys = ["personal-1", "personal-2", "team", "out-of-quota"];
const keyOf = (/** @type {string} */ name) => `demo-key-${name}`;

/** Starts upstream and proxies. @param {(line: string) => void} log */
export async function startDemoBench(log) {
  await ensurePrograms(log);
  const { behave, startUpstream } = await import("../../test/upstream/index.mjs");
  const { startMicrosocks, startSquid, startTinyproxy } = await import("../../test/proxies/index.mjs");
  const upstream = await startUpstream();
  upstream.script.any().always(behave.answer({ spacingMs: 60 }));
  upstream.script.key(keyOf("out-of-quota")).always(behave.quotaPerMinute());
  const proxies = [
    { name: "eu-1", proxy: await startSquid({ credentials: { user: "demo", password: "example" } }) },
    { name: "eu-2", proxy: await startTinyproxy() },
    { name: "us-1", proxy: await startMicrosocks({ credentials: { user: "demo", password: "example" } }) },
  ];
  return {
    settings: {
      "geminiAggregator.upstreamBaseUrl": upstream.httpsUrl,
      "geminiAggregator.upstreamCaFile": upstream.caFile,
      "geminiAggregatorDemo.steps": stepsFor(proxies.map(({ name, proxy }) => ({ name, url: proxy.url }))),
    },
    async stop() {
      await Promise.all(proxies.map(({ proxy }) => proxy.stop()));
      await upstream.close();
    },
  };
}

/** @param {{name: string, url: string}[]} proxies */
function stepsFor(proxies) {
  return [
    ...proxies.map((argument) => ({ command: "geminiAggregator.addProxy", argument })),
    ...keys.map((name) => ({ command: "geminiAggregator.addApiKey", argument: { name, key: keyOf(name) } })),
    { command: "geminiAggregator.openPanel" },
  ];
}

/** @param {(line: string) => void} log */
async function ensurePrograms(log) {
  if (process.platform !== "linux") {
    throw new Error(
      "The demo starts real proxies of Debian, so it runs on Linux only. `npm start` runs here; it needs a key.",
    );
  }
  if (programs.every((program) => findOnPath(program))) return;
  log("Installing the proxies that the demo plays with (test/setup.sh).");
  await must("bash", [inRoot("test", "setup.sh")], {
    timeoutMs: 600_000,
    onOutput: (text) => process.stdout.write(text),
  });
}

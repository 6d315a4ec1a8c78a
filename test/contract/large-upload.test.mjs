/**
 * Uploads of 300 MiB, in chunks and in one body, through the endpoint and a proxy: every byte arrives, and the program
 * holds only what is on its way. The bound is on memory as the kernel counts it; how long it takes is not asked.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, beforeEach, test } from "node:test";
import { startSquid } from "../proxies/index.mjs";
import { Bench, KEYS } from "./lib/bench.mjs";

const MIB = 1024 * 1024;
const SIZE = 300 * MIB;
const CHUNK = 8 * MIB;
/** What the program may need beyond what it had needed for small requests: a body that may be sent again, buffers. */
const ALLOWED = 64 * MIB;
const TIMEOUT_MS = 240_000;

/** @type {Bench} */
let bench;
/** @type {import("./lib/gateway.mjs").Gateway} */
let gateway;
/** What the program needs when it has served small ones, in bytes. */
let usual = 0;
before(async () => {
  bench = await Bench.start();
  const squid = await bench.proxy(startSquid());
  const proxies = [{ name: "east", url: squid.url }];
  gateway = await bench.gateway({ keys: [KEYS.alpha], proxies }, { baseUrl: bench.upstream.httpsUrl });
  await inChunks(12);
  await inOneBody(12);
  usual = peak();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @returns {number} the most memory the program has had so far, in bytes */
function peak() {
  const status = readFileSync(`/proc/${gateway.pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** The parts of a file that repeats nothing, made as they are needed. @param {number} size */
function* parts(size) {
  const part = randomBytes(Math.min(CHUNK, size));
  for (let from = 0; from < size; from += part.length) {
    part.writeUInt32BE(from / CHUNK, 0);
    yield Buffer.from(part.subarray(0, Math.min(part.length, size - from)));
  }
}

/** Begins an upload and gives its path here. */
async function begin() {
  const headers = { "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start" };
  const answer = await gateway.ask("/upload/v1beta/files", { headers, body: { file: { display_name: "large" } } });
  assert.equal(answer.status, 200);
  await answer.bytes();
  const { pathname, search } = new URL(String(answer.headers["x-goog-upload-url"]));
  return `${pathname}${search}`;
}

/** @param {string} path @param {{offset: number, last: boolean, body: any, length: number}} piece */
async function send(path, { offset, last, body, length }) {
  const headers = {
    "x-goog-upload-command": last ? "upload, finalize" : "upload",
    "x-goog-upload-offset": String(offset),
    "content-length": String(length),
  };
  const answer = await gateway.ask(path, { token: null, method: "POST", headers, body, timeoutMs: TIMEOUT_MS });
  assert.equal(answer.status, 200);
  return await answer.text();
}

/** @param {number} size @returns {Promise<{sent: string, file: any}>} */
async function inChunks(size) {
  const path = await begin();
  const hash = createHash("sha256");
  let offset = 0;
  let text = "";
  for (const body of parts(size)) {
    hash.update(body);
    text = await send(path, { offset, last: offset + body.length === size, body, length: body.length });
    offset += body.length;
  }
  return { sent: hash.digest("base64"), file: JSON.parse(text).file };
}

/** @param {number} size @returns {Promise<{sent: string, file: any}>} */
async function inOneBody(size) {
  const path = await begin();
  const hash = createHash("sha256");
  const body = (async function* () {
    for (const part of parts(size)) {
      hash.update(part);
      yield part;
    }
  })();
  const text = await send(path, { offset: 0, last: true, body, length: size });
  return { sent: hash.digest("base64"), file: JSON.parse(text).file };
}

for (const [name, upload] of /** @type {const} */ ([
  ["in chunks of 8 MiB", inChunks],
  ["in one body", inOneBody],
])) {
  test(`300 MiB ${name} arrive whole and take no more memory than a few chunks`, async () => {
    const { sent, file } = await upload(SIZE);
    assert.deepEqual([file.sizeBytes, file.sha256Hash], [String(SIZE), sent]);
    const grown = peak() - usual;
    assert.ok(grown <= ALLOWED, `the program's memory grew by ${Math.round(grown / MIB)} MiB`);
    const chunks = bench.upstream.ledger.requests.filter((entry) => entry.target.includes("upload_id="));
    assert.ok(chunks.every((entry) => entry.key === KEYS.alpha.key && entry.body.state === "complete"));
  });
}

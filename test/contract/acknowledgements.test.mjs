/**
 * Behind a proxy an answer must not wait for a delayed acknowledgement: some proxies send it in small pieces, each only
 * after the one before was acknowledged. The time saved is no test's business; that the system is asked for it is seen by
 * strace.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeTempDir } from "../lib/temp.mjs";
import { startMicrosocks } from "../proxies/index.mjs";
import { Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";

const REQUESTS = 3;

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());

/** How often an acknowledgement was asked for while requests were served. @param {string} [proxyUrl] */
async function acknowledgements(proxyUrl) {
  const folder = makeTempDir("acknowledgements");
  const trace = join(folder.path, "trace");
  const under = ["strace", "-f", "-qq", "-o", trace, "--trace=setsockopt"];
  const proxies = proxyUrl === undefined ? [] : [{ name: "way-out", url: proxyUrl }];
  const gateway = await bench.gateway({ keys: [KEYS.alpha], proxies }, { under });
  for (let number = 0; number < REQUESTS; number += 1) {
    const answer = await gateway.ask(`${MODEL}:generateContent`, { body: prompt(`number ${number}`) });
    assert.equal(answer.status, 200);
    await answer.bytes();
  }
  await gateway.stop();
  const asked = readFileSync(trace, "utf8").match(/TCP_QUICKACK, \[1\]/g) ?? [];
  folder.dispose();
  return asked.length;
}

test("what a proxy sends is acknowledged at once", async () => {
  const proxy = await bench.proxy(startMicrosocks());
  assert.ok((await acknowledgements(proxy.url)) >= REQUESTS);
});

test("what the upstream itself sends is not: that costs a call for each answer and gains nothing", async () => {
  assert.equal(await acknowledgements(), 0);
});

/**
 * Answers over HTTP/2, which every direct connection to Google speaks: their end is marked apart from their last byte,
 * and a client that has all it was promised does not wait for the mark.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Bench } from "../contract/lib/bench.mjs";
import { ALPHA, ask, tokenOf } from "./lib/bench.mjs";
import { Host } from "./lib/host.mjs";

test("an answer of known length that came whole is logged as answered, not as left by the client", async () => {
  const bench = await Bench.start();
  const upstream = { baseUrl: bench.upstream.httpsUrl, caFile: bench.authority.caFile };
  const host = new Host({ settings: { server: { port: 0, shutdownGraceSeconds: 0 }, upstream }, secrets: [ALPHA] });
  try {
    const url = await host.serve();
    await host.done({ kind: "add_key", key: ALPHA, name: "alpha" });
    for (let count = 0; count < 5; count++) {
      const answer = await ask(url, tokenOf(host));
      assert.equal(answer.status, 200);
      assert.ok(answer.headers["content-length"], "the answer has a known length");
    }
    await host.until(() => host.snapshot().requests.length === 5, "all five are in the log");
    const logged = host.snapshot().requests.map(({ status, error }) => [status, error]);
    assert.deepEqual(logged, Array(5).fill([200, null]));
  } finally {
    await host.close();
    await bench.stop();
  }
});

/**
 * Answers whose end could be read in two ways, and bytes that an upstream or a proxy puts behind an answer: no client is
 * ever given what belongs to another request, and an answer is either framed beyond doubt or not given at all.
 */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { Bench, KEYS } from "./lib/bench.mjs";

const SECOND = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nPOISON";
const PATH = "/v1beta/models?pageSize=7";

/** @type {Bench} */
let bench;
/** What the raw upstream answers next, word for word. @type {string} */
let evil;
/** @type {import("node:net").Server} */
let server;
before(async () => {
  bench = await Bench.start();
  server = createServer((socket) => {
    socket.on("error", () => {});
    let seen = "";
    socket.on("data", (bytes) => {
      seen += bytes.toString("latin1");
      for (let end = seen.indexOf("\r\n\r\n"); end >= 0; end = seen.indexOf("\r\n\r\n")) {
        const evilWanted = seen.startsWith(`GET ${PATH} `);
        seen = seen.slice(end + 4);
        socket.write(evilWanted ? evil : "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nGOOD", "latin1");
      }
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
});
after(async () => {
  server?.close();
  await bench?.stop();
});

/** @type {[string, string][]} name, and an answer with a second one hidden in or behind it */
const ANSWERS = [
  ["a second answer behind a whole one", `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}${SECOND}`],
  ["two lengths that differ", `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 60\r\n\r\n{}${SECOND}`],
  ["a list of lengths", `HTTP/1.1 200 OK\r\nContent-Length: 2, 60\r\n\r\n{}${SECOND}`],
  [
    "a length beside chunks",
    `HTTP/1.1 200 OK\r\nContent-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n${SECOND}`,
  ],
  ["a length that is no number", `HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}${SECOND}`],
  ["a blank before the colon", `HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}${SECOND}`],
  ["a folded header", `HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\n{}${SECOND}`],
  [
    "a chunk size beyond 64 bits",
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n`,
  ],
  [
    "an answer to nobody's question first",
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}${SECOND}`,
  ],
  ["a body where none may be", `HTTP/1.1 204 No Content\r\nContent-Length: 83\r\n\r\n${SECOND}`],
  [
    "a line break inside a header",
    `HTTP/1.1 200 OK\r\nX-A: b\rContent-Length: 60\r\nContent-Length: 2\r\n\r\n{}${SECOND}`,
  ],
  ["a null inside a header", `HTTP/1.1 200 OK\r\nX-A: b\0c\r\nContent-Length: 2\r\n\r\n{}${SECOND}`],
];

for (const [name, text] of ANSWERS) {
  test(`${name}: the next requests get their own answers`, async () => {
    evil = text;
    const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
    const gateway = await bench.gateway({ keys: [KEYS.alpha] }, { baseUrl: `http://127.0.0.1:${port}` });
    const first = await gateway.ask(PATH);
    const body = await first.bytes().catch(() => Buffer.from("broken off"));
    assert.ok(!body.includes("POISON"), `${first.status} ${body}`);
    assert.ok([200, 204, 502].includes(first.status), `status ${first.status}`);
    for (let i = 0; i < 3; i += 1) {
      const next = await gateway.ask("/v1beta/models");
      assert.equal((await next.bytes()).toString(), "GOOD");
    }
    await gateway.stop();
  });
}

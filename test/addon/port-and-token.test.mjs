/**
 * The endpoint's place and its lock: a port that another editor or a stranger holds, a port that moves by a setting, a
 * setting that is refused whole; the local token in a file that only its owner reads, and what rotating it does at once.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { freePort } from "../lib/ports.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { accepts } from "../lib/wait.mjs";
import { startUpstream } from "../upstream/index.mjs";
import { ALPHA, ask, BETA, tokenOf } from "./lib/bench.mjs";
import { Host, listening } from "./lib/host.mjs";

/** @type {import("../upstream/index.mjs").Running} */
let upstream;
before(async () => {
  upstream = await startUpstream();
});
after(() => upstream?.close());

/** @param {number} [port] @param {import("./lib/host.mjs").Options} [options] */
function hostAt(port = 0, options = {}) {
  const settings = { server: { port }, upstream: { baseUrl: upstream.httpUrl } };
  return new Host({ settings, secrets: [ALPHA, BETA], ...options });
}

/** @param {Host} host */
async function opened(host) {
  await host.open();
  return host;
}

/** @param {import("./lib/host.mjs").Reply} reply @param {string} code @param {string} [field] */
function refusedWith(reply, code, field) {
  assert.deepEqual([reply.kind, reply.kind === "refused" && reply.code], ["refused", code], reply.message);
  if (field) assert.equal(reply.kind === "refused" && reply.field, field);
}

describe("a port that is taken", () => {
  test("by this product in another editor or profile: it says so, and serves once that one is gone", async () => {
    const other = hostAt(0);
    const { port } = listening(await (await opened(other)).start());
    const host = await opened(hostAt(port));
    const view = await host.start();
    const words = `Port ${port} is taken by the Gemini API Key Aggregator of another editor`;
    assert.match(view.kind === "failed" ? view.message : view.kind, new RegExp(`^${words}`));
    await host.done({ kind: "add_key", key: ALPHA });
    await other.close();
    assert.equal((await ask(listening(await host.start()).url, tokenOf(host))).status, 200);
    await host.close();
  });

  /** @type {[string, () => import("node:net").Server][]} */
  const strangers = [
    ["a web server", () => createHttpServer((_, response) => response.end('{"service":"something else"}'))],
    ["a program that says nothing", () => createServer(() => {})],
    ["a program that talks first, at length", () => createServer((socket) => void socket.end("x".repeat(100_000)))],
  ];
  for (const [name, open] of strangers) {
    test(`by ${name}: it says so, and serves once the port is free`, async () => {
      const stranger = open().listen(0, "127.0.0.1");
      await once(stranger, "listening");
      const address = stranger.address();
      const port = typeof address === "object" && address ? address.port : 0;
      /** @type {Set<import("node:net").Socket>} */
      const sockets = new Set();
      stranger.on("connection", (socket) => sockets.add(socket.on("error", () => {})));
      const host = hostAt(port);
      await host.open();
      const view = await host.start();
      assert.equal(view.kind, "failed");
      assert.match(
        view.kind === "failed" ? view.message : "",
        new RegExp(`Port ${port} is taken by another program\\..*\\.$`),
      );
      await host.done({ kind: "add_key", key: ALPHA });
      for (const socket of sockets) socket.destroy();
      stranger.close();
      await once(stranger, "close");
      const { url } = listening(await host.start());
      assert.equal((await ask(url, tokenOf(host))).status, 200);
      await host.close();
    });
  }
});

describe("settings", () => {
  test("a bad value is refused with its place, and nothing else of that change is applied", async () => {
    const host = hostAt();
    const url = await host.serve();
    const before = host.snapshot();
    const port = await freePort();
    for (const [change, field] of /** @type {const} */ ([
      [{ maxAttempts: 0, server: { port } }, "maxAttempts"],
      [{ server: { port, maxBodyMb: 0 } }, "server.maxBodyMb"],
      [{ upstream: { baseUrl: "ftp://example.invalid" }, server: { port } }, "upstream.baseUrl"],
      [{ upstream: { caFile: "/nowhere/ca.pem" }, server: { port } }, "upstream.caFile"],
      [{ proxy: { healthCheckIntervalSeconds: 5 }, server: { port } }, "proxy.healthCheckIntervalSeconds"],
    ])) {
      const reply = await host.applySettings(change);
      refusedWith(reply, "invalid", field);
      assert.match(reply.message, /\.$/);
    }
    refusedWith(await host.applySettings({ server: { port: 70_000 } }), "invalid");
    refusedWith(await host.applySettings({ server: { prot: port } }), "invalid");
    assert.deepEqual(host.snapshot(), before);
    assert.equal(await accepts(port), false);
    await host.done({ kind: "add_key", key: ALPHA });
    assert.equal((await ask(url, tokenOf(host))).status, 200);
    await host.close();
  });

  test("a new port moves the endpoint, with its keys and its token", async () => {
    const host = hostAt();
    const old = await host.serve();
    await host.done({ kind: "add_key", key: ALPHA });
    const port = await freePort();
    assert.equal((await host.applySettings({ server: { port } })).kind, "done");
    const { endpoint } = host.snapshot();
    assert.equal(listening(endpoint).port, port);
    assert.equal(await accepts(Number(new URL(old).port)), false);
    assert.equal((await ask(listening(endpoint).url, tokenOf(host))).status, 200);
    await host.until(
      () =>
        host
          .events()
          .filter(({ type }) => type === "endpoint.changed")
          .some(({ message }) => message.includes(`${port}`)),
      "the new place was never told",
    );
    await host.close();
  });

  test("localAuth off opens the endpoint to local programs, and on closes it again", async () => {
    const host = hostAt();
    await host.serve();
    await host.done({ kind: "add_key", key: ALPHA });
    for (const [localAuth, status] of /** @type {const} */ ([
      ["off", 200],
      ["token", 401],
    ])) {
      assert.equal((await host.applySettings({ server: { localAuth } })).kind, "done");
      const { url, local_auth } = listening(host.snapshot().endpoint);
      assert.equal(local_auth, localAuth);
      assert.equal((await ask(url, "not-the-token")).status, status);
    }
    await host.close();
  });
});

describe("the local token", () => {
  test("lies in a file that only its owner reads, and is the same after opening again", async () => {
    const folder = makeTempDir("token").path;
    const host = hostAt(0, { folder: `${folder}/not/there/yet` });
    await host.serve();
    assert.equal(statSync(host.tokenFile).mode & 0o777, 0o600);
    const token = tokenOf(host);
    assert.equal(host.core.localToken(), token);
    assert.ok(token.length >= 32);
    await host.close();
    const again = hostAt(0, { folder: `${folder}/not/there/yet` });
    const url = await again.serve();
    await again.done({ kind: "add_key", key: ALPHA });
    assert.equal((await ask(url, token)).status, 200);
    await again.close();
  });

  test("rotated, the new one works at once and the old one does not", async () => {
    const host = hostAt();
    const url = await host.serve();
    await host.done({ kind: "add_key", key: ALPHA });
    const old = tokenOf(host);
    assert.equal((await ask(url, old)).status, 200);
    await host.done({ kind: "rotate_local_token" });
    const fresh = tokenOf(host);
    assert.notEqual(fresh, old);
    assert.equal(host.core.localToken(), fresh);
    assert.equal(statSync(host.tokenFile).mode & 0o777, 0o600);
    const requests = upstream.ledger.requests.length;
    assert.equal((await ask(url, old)).status, 401);
    assert.equal(upstream.ledger.requests.length, requests, "nothing left with the old token");
    assert.equal((await ask(url, fresh)).status, 200);
    await host.close();
  });

  test("a token file that cannot be made is a clear refusal to open", async () => {
    const dir = makeTempDir("token");
    const file = dir.write("in-the-way", "");
    const host = hostAt(0, { folder: file });
    await assert.rejects(host.open(), /token_file: The file for the local token .*Check its folder\./);
    assert.equal(readFileSync(file, "utf8"), "");
    await host.close();
  });
});

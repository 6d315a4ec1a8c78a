/**
 * TLS on the endpoint's port, beside plain HTTP and told apart by the first byte; and what is said where it is off and a
 * client dials it all the same, as Google's Python client does for Live sessions. Uses the bench's own authority.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { connect } from "node:tls";
import { fetchRaw } from "../lib/fetch.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { accepts, pollUntil } from "../lib/wait.mjs";
import { Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";
import { TOKEN } from "./lib/gateway.mjs";
import { ask, goodbye, session } from "./lib/live.mjs";
import { runProgram } from "./lib/program.mjs";

/** @type {Bench} */
let bench;
/** @type {import("../lib/authority.mjs").Leaf} */
let leaf;
before(async () => {
  bench = await Bench.start();
  leaf = await bench.authority.issue(["localhost"]);
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @typedef {import("./lib/gateway.mjs").Gateway} Gateway */

const tls = () => ({ certFile: leaf.certFile, keyFile: leaf.keyFile });
/** @param {object} [server] */
const secured = (server = {}) => bench.gateway({ server: { tls: tls(), ...server }, keys: [KEYS.alpha] });
/** @param {Gateway} gateway @param {string} [scheme] */
const secureUrl = (gateway, scheme = "https") => `${scheme}://127.0.0.1:${gateway.port}`;

/** Resolves at its end, however abrupt. @param {import("node:net").Socket} socket */
function gone(socket) {
  return new Promise((resolve) =>
    socket
      .on("error", () => {})
      .on("close", resolve)
      .resume(),
  );
}

describe("with a certificate", () => {
  /** @type {Gateway} */
  let gateway;
  before(async () => {
    gateway = await secured();
  });

  test("one port answers TLS and plain HTTP, in any order", async () => {
    const { caFile } = bench.authority;
    const headers = { "x-goog-api-key": TOKEN };
    for (const url of [gateway.url, secureUrl(gateway), gateway.url, secureUrl(gateway)]) {
      const options = { headers, body: prompt(url), ...(url.startsWith("https") ? { caFile } : {}) };
      const answer = await fetchRaw(`${url}${MODEL}:generateContent`, options);
      assert.equal(answer.status, 200);
      assert.match(await answer.text(), new RegExp(`echo: ${url}`));
    }
    const own = await fetchRaw(`${secureUrl(gateway)}/health`, { caFile, headers: { origin: secureUrl(gateway) } });
    assert.equal(own.status, 200, "its own origin is not foreign");
    const bare = await fetchRaw(`${secureUrl(gateway)}/v1beta/models`, { caFile });
    assert.equal(bare.status, 401, "the token is asked for as ever");
  });

  test("a Live session is served over wss, beside one over ws", async () => {
    const over = { url: secureUrl(gateway, "wss"), caFile: bench.authority.caFile };
    const [secure, plain] = [await session(gateway, undefined, over), await session(gateway)];
    for (const { client, id } of [secure, plain]) {
      assert.equal(await ask(client, "x".repeat(100_000)), `echo: ${"x".repeat(100_000)}`);
      assert.deepEqual(await goodbye(client, 4001, "enough"), { code: 4001, reason: "enough" });
      assert.match(await gateway.logged(id), / 101 \d+ ms \[alpha → direct → 101\]$/);
    }
  });

  test("addresses that are rewritten have the scheme by which the client came", async () => {
    const start = { "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start", "x-goog-api-key": TOKEN };
    for (const url of [gateway.url, secureUrl(gateway)]) {
      const options = { headers: start, body: { file: { display_name: "a" } }, caFile: bench.authority.caFile };
      const { headers } = await fetchRaw(`${url}/upload/v1beta/files`, options);
      assert.equal(new URL(String(headers["x-goog-upload-url"])).origin, url);
    }
  });

  test("HTTP/2 is not offered, since it would carry no session", async () => {
    const socket = connect({
      port: gateway.port,
      host: "127.0.0.1",
      ALPNProtocols: ["h2", "http/1.1"],
      rejectUnauthorized: false,
    });
    await once(socket, "secureConnect");
    assert.equal(socket.alpnProtocol, "http/1.1");
    socket.destroy();
  });

  test("a stop waits for no connection that has said nothing, in the middle of a handshake or before", async () => {
    const other = await secured({ shutdownGraceSeconds: 60 });
    const [silent, halfway] = [1, 2].map(() => createConnection({ port: other.port, host: "127.0.0.1" }));
    await Promise.all([silent, halfway].map((socket) => socket && once(socket, "connect")));
    halfway?.write(Buffer.from([0x16, 0x03, 0x01]));
    const ended = [silent, halfway].map((socket) => socket && gone(socket));
    await other.stop();
    await Promise.all(ended);
  });
});

describe("without one", () => {
  test("a client that dials TLS is told of in the log, with the fix, once a minute", async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha] });
    for (let i = 0; i < 3; i += 1) {
      const socket = connect({ port: gateway.port, host: "127.0.0.1", rejectUnauthorized: false });
      const [error] = await once(socket, "error");
      assert.match(error.code, /^ERR_SSL_/, "a client's TLS library says that this is no TLS");
    }
    assert.match(await gateway.event("state.warning"), /dialled https:\/\/ or wss:\/\/.*server\.tls/);
    assert.equal((await gateway.ask("/v1beta/models")).status, 200);
    assert.equal(gateway.log.all.filter((line) => line.includes("state.warning")).length, 1);
  });
});

describe("files that cannot be used end the start, with their path and what to do", () => {
  const dir = makeTempDir("tls");
  after(() => dir.dispose());
  const place = (/** @type {string} */ name) => join(dir.path, name);

  const cases = /** @type {[string, () => {certFile: string, keyFile: string}, RegExp][]} */ ([
    [
      "no such file",
      () => ({ ...tls(), certFile: place("none.pem") }),
      /server\.tls\.certFile: .*none\.pem cannot be read/,
    ],
    [
      "no key",
      () => ({ ...tls(), keyFile: place("empty.pem") }),
      /server\.tls\.keyFile: .*empty\.pem contains no private key/,
    ],
    [
      "no certificate",
      () => ({ ...tls(), certFile: place("empty.pem") }),
      /certFile: .*empty\.pem contains no PEM certificate/,
    ],
    ["a key of another", () => ({ ...tls(), keyFile: place("other.key") }), /cannot be used together/],
  ]);
  for (const [what, files, words] of cases) {
    test(what, async () => {
      const other = await bench.authority.issue(["other"]);
      writeFileSync(place("empty.pem"), "");
      writeFileSync(place("other.key"), other.key);
      const config = { server: { port: 0, accessTokens: [TOKEN], tls: files() }, keys: [KEYS.alpha] };
      const { code, said } = await runProgram(["serve"], { config });
      assert.equal(code, 1, said);
      assert.match(said, words);
    });
  }
});

test("a door that is closed stays closed while a session over TLS goes on, and it ends well", async () => {
  const gateway = await secured({ shutdownGraceSeconds: 60 });
  const { client } = await session(gateway, undefined, {
    url: secureUrl(gateway, "wss"),
    caFile: bench.authority.caFile,
  });
  const stopped = gateway.stop();
  await pollUntil(async () => !(await accepts(gateway.port)), { what: "the port is still open" });
  assert.equal(await ask(client, "one more"), "echo: one more");
  await goodbye(client, 1000);
  await stopped;
});

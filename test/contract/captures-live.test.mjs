/**
 * The Live sessions of real clients, replayed through the endpoint frame by frame, with TLS and without, the local token
 * where they had their key. At the upstream's ledger the request and every frame must have arrived as recorded, with the
 * one credential that is meant for it; at the client every frame and the end must come back as they were sent.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createConnection } from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";
import { loadLiveCaptures, RECORDED } from "../fixtures/captures.mjs";
import { withDeadline } from "../lib/wait.mjs";
import { isAccepted, openWebSocket } from "../lib/websocket-client.mjs";
import { behave } from "../upstream/index.mjs";
import { readClose } from "../upstream/websocket.mjs";
import { ALPHA, Bench, KEYS } from "./lib/bench.mjs";
import { TOKEN } from "./lib/gateway.mjs";

/** Decided anew on each side of the endpoint; extensions are refused so that frames can be read on the way. */
const NOT_END_TO_END = [
  ...["host", "connection", "upgrade", "x-goog-api-key", "authorization"],
  ...["sec-websocket-extensions", "accept-encoding", "content-length"],
];

/** @typedef {import("../fixtures/captures.mjs").RecordedSession} RecordedSession */
/** @typedef {import("../fixtures/captures.mjs").RecordedFrame} RecordedFrame */
/** @typedef {import("../lib/websocket-client.mjs").WebSocketClient} WebSocketClient */
/** @typedef {import("./lib/gateway.mjs").Gateway} Gateway */

/** @type {Bench} */
let bench;
/** @type {import("../lib/authority.mjs").Leaf} */
let leaf;
before(async () => {
  bench = await Bench.start();
  leaf = await bench.authority.issue([]);
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

for (const { client, name, exchanges } of loadLiveCaptures()) {
  describe(`${client}: ${name}`, () => {
    for (const exchange of exchanges) {
      if ("firstBytes" in exchange) {
        test("a port without TLS says what to do", () => refuseTls(exchange.firstBytes));
        continue;
      }
      for (const secure of [false, true]) {
        test(secure ? "over TLS" : "without TLS", async () => {
          const { certFile, keyFile } = leaf;
          const gateway = await bench.gateway({ keys: [KEYS.alpha], server: { tls: { certFile, keyFile } } });
          await replay(gateway, exchange, secure);
          await gateway.stop();
        });
      }
    }
  });
}

/** @param {Gateway} gateway @param {RecordedSession} session @param {boolean} secure */
async function replay(gateway, { upgrade, frames }, secure) {
  const token = /auth_tokens\/[\w-]+/.exec(JSON.stringify(upgrade))?.[0];
  if (token) await issue(gateway, token);
  bench.fresh();
  bench.upstream.script.when((request) => request.upgrade === true).once(behave.live({ turns: turnsOf(frames) }));
  const key = headerOf(upgrade.headers, "sec-websocket-key") ?? "";
  const client = await openWebSocket(
    `${secure ? "wss" : "ws"}://127.0.0.1:${gateway.port}${here(upgrade.target, gateway)}`,
    {
      headers: upgrade.headers.map(([name, value]) => [name, here(value, gateway)]),
      caFile: bench.authority.caFile,
      key,
    },
  );
  const handshake = await client.answered();
  const show = gateway.canary.place("what came back on a WebSocket");
  show(handshake.head);
  assert.ok(isAccepted(handshake, key), `${handshake.head}\n${handshake.body}`);
  assert.ok(handshake.headers.get("x-aggregator-key"));
  for (const frame of frames) await step(client, frame, show);
  await client.over();
  const received = await bench.upstream.ledger.waitFor((entry) => entry.answer.state === "finished");
  arrivedAsRecorded(received, { upgrade, frames }, token);
}

/** Has the endpoint hand out the token that was recorded. @param {Gateway} gateway @param {string} token */
async function issue(gateway, token) {
  bench.upstream.world.issueToken(ALPHA, { uses: 1, until: Number.POSITIVE_INFINITY }, token);
  bench.upstream.script.any().once(behave.say({ pieces: [JSON.stringify({ name: token })] }));
  const answer = await gateway.ask("/v1alpha/auth_tokens", { body: { uses: 1 } });
  assert.deepEqual([answer.status, await answer.json()], [200, { name: token }]);
}

/** What the upstream says after each message of the client. @param {RecordedFrame[]} frames @returns {object[][]} */
function turnsOf(frames) {
  /** @type {object[][]} */
  const turns = [];
  for (const { from, json } of frames) {
    if (from === "client") turns.push([]);
    else if (json) turns.at(-1)?.push(json);
  }
  return turns;
}

/** @param {WebSocketClient} client @param {RecordedFrame} frame @param {(bytes: Buffer) => void} show */
async function step(client, frame, show) {
  if (frame.from === "client" && frame.opcode !== "close") return client.send(frame.text ?? "");
  if (frame.opcode === "close") client.close(frame.code === 1005 ? undefined : frame.code, frame.reason);
  const came = await client.frame();
  assert.ok(came, "the connection ended early");
  show(came.payload);
  assert.deepEqual([came.opcode, came.final, came.masked], [frame.opcode, true, false]);
  if (frame.opcode === "close") assert.deepEqual(readClose(came.payload), { code: frame.code, reason: frame.reason });
  else assert.deepEqual(JSON.parse(came.payload.toString("utf8")), frame.json);
}

/**
 * @param {import("../upstream/ledger.mjs").Received} received
 * @param {RecordedSession} session
 * @param {string | undefined} token
 */
function arrivedAsRecorded(received, { upgrade, frames }, token) {
  const inQuery = upgrade.target.includes("?access_token=");
  assert.equal(received.target, upgrade.target.replace(/^\/\//, "/").replace(/\?key=.*$/, ""));
  assert.deepEqual(endToEnd(received.headers), endToEnd(upgrade.headers));
  const ephemeral = inQuery
    ? { where: "query access_token", value: token }
    : { where: "header authorization", value: `Token ${token}` };
  assert.deepEqual(received.credentials, [token ? ephemeral : { where: "header x-goog-api-key", value: ALPHA }]);
  const sent = received.frames.filter(({ from }) => from === "client");
  assert.deepEqual(
    sent.map(({ opcode, text, code, reason }) => ({ opcode, text, code, reason })),
    frames
      .filter(({ from }) => from === "client")
      .map(({ opcode, text, code, reason }) => ({ opcode, text, code, reason })),
  );
}

/** @param {string} firstBytes */
async function refuseTls(firstBytes) {
  const gateway = await bench.gateway({ keys: [KEYS.alpha] });
  const socket = createConnection({ port: gateway.port, host: "127.0.0.1" });
  socket.on("error", () => {});
  socket.resume();
  socket.write(Buffer.from(firstBytes, "hex"));
  await withDeadline(once(socket, "close"), 10_000, "the connection was not ended");
  await gateway.log.waitFor((lines) => lines.find((line) => line.includes("server.tls")), {
    what: "the log never said how to serve TLS",
  });
  assert.deepEqual(bench.upstream.ledger.requests, []);
  await gateway.stop();
}

/** @param {string} text @param {Gateway} gateway */
function here(text, gateway) {
  return text.replaceAll(RECORDED.key, TOKEN).replaceAll(RECORDED.host, `127.0.0.1:${gateway.port}`);
}

/** @param {[string, string][]} headers */
function endToEnd(headers) {
  return headers
    .map(([name, value]) => [name.toLowerCase(), value])
    .filter(([name = ""]) => !NOT_END_TO_END.includes(name))
    .sort();
}

/** @param {[string, string][]} headers @param {string} wanted */
function headerOf(headers, wanted) {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
}

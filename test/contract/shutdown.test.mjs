/**
 * The end of the program by a signal: what was sent before it is answered, idle connections close, a client is told not to
 * send more, and a second signal ends all of it at once.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createConnection } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { withDeadline } from "../lib/wait.mjs";
import { behave, createGate } from "../upstream/index.mjs";
import { Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";
import { TOKEN } from "./lib/gateway.mjs";

const STREAM = `${MODEL}:streamGenerateContent?alt=sse`;
const STOPS = 15;

/** @type {Bench} */
let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());
beforeEach(() => bench.fresh());

/** @typedef {import("./lib/gateway.mjs").Gateway} Gateway */

/** A kept-alive connection, as a client of any habit holds one. @param {Gateway} gateway */
async function connect(gateway) {
  const socket = createConnection({ port: gateway.port, host: "127.0.0.1" });
  let text = "";
  /** @type {(() => void) | undefined} */
  let heard;
  socket.setEncoding("latin1").on("data", (more) => {
    text += more;
    heard?.();
  });
  const ended = new Promise((resolve) => {
    socket.once("error", (error) => resolve(/** @type {NodeJS.ErrnoException} */ (error).code));
    socket.once("end", () => resolve("end"));
  });
  await once(socket, "connect");
  const body = JSON.stringify(prompt("Hi"));
  const head = `POST ${MODEL}:generateContent HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nx-goog-api-key: ${TOKEN}\r\n`;
  return {
    ended,
    ask: () => socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`),
    /** The first answer, whole. */
    async answered() {
      const whole = () => /^HTTP\/1\.1 200[\s\S]*?finishReason/.test(text);
      while (!whole()) {
        await new Promise((resolve) => {
          heard = () => resolve(undefined);
        });
      }
    },
    /** How many answers came, and what the last head says of the connection. */
    answers: () => text.split("HTTP/1.1 200").slice(1),
    close: () => socket.destroy(),
  };
}

test("what was sent before the signal is answered on kept connections, with word that they close", async () => {
  for (let i = 0; i < STOPS; i += 1) {
    const gateway = await bench.gateway({ keys: [KEYS.alpha], server: { shutdownGraceSeconds: 5 } });
    const clients = await Promise.all([1, 2, 3].map(() => connect(gateway)));
    for (const client of clients) client.ask();
    await Promise.all(clients.map((client) => client.answered()));
    for (const client of clients) client.ask();
    const stopped = gateway.stop();
    for (const client of clients) {
      assert.equal(await withDeadline(client.ended, 5_000, "a connection stayed open"), "end");
      assert.equal(client.answers().length, 2, `stop ${i}: a request sent before the signal was not answered`);
      client.close();
    }
    await stopped;
  }
});

test("what was sent before the signal on a new connection is answered, too", async () => {
  for (let i = 0; i < STOPS; i += 1) {
    const gateway = await bench.gateway({ keys: [KEYS.alpha], server: { shutdownGraceSeconds: 5 } });
    const clients = await Promise.all([1, 2, 3].map(() => connect(gateway)));
    for (const client of clients) client.ask();
    const stopped = gateway.stop();
    for (const client of clients) {
      assert.equal(await withDeadline(client.ended, 5_000, "a connection stayed open"), "end");
      assert.equal(client.answers().length, 1, `stop ${i}: a request sent before the signal was not answered`);
      client.close();
    }
    await stopped;
  }
});

test("idle connections close at once, a busy one when its answer has ended", async () => {
  const gateway = await bench.gateway({ keys: [KEYS.alpha], server: { shutdownGraceSeconds: 30 } });
  const gate = createGate();
  const idle = await connect(gateway);
  idle.ask();
  await idle.answered();
  bench.upstream.script.any().once(behave.answer({ gate, pieces: 2 }));
  const answer = await gateway.ask(STREAM, { body: prompt("Hi") });
  await gate.next();
  await answer.nextChunk();
  process.kill(gateway.pid, "SIGTERM");
  assert.equal(await withDeadline(idle.ended, 1_500, "an idle connection stayed open"), "end");
  gate.open();
  assert.match(await answer.text(), /finishReason/);
  assert.equal((await gateway.exited).code, 0);
  await gateway.stop();
});

for (const [signal, code] of /** @type {["SIGTERM" | "SIGINT", number][]} */ ([
  ["SIGTERM", 143],
  ["SIGINT", 130],
])) {
  test(`a second ${signal} ends it at once, says so and ends with ${code}`, async () => {
    const gateway = await bench.gateway({ keys: [KEYS.alpha], server: { shutdownGraceSeconds: 600 } });
    bench.upstream.script.any().once(behave.silence());
    const asked = gateway.ask(STREAM, { body: prompt("Hi") }).catch((error) => error);
    await bench.upstream.ledger.waitFor((entry) => entry.body.state === "complete");
    process.kill(gateway.pid, signal);
    await gateway.log.waitFor((lines) => lines.find((line) => line.includes("stopping: ")), { what: "no word of it" });
    process.kill(gateway.pid, signal);
    const ended = await withDeadline(gateway.exited, 2_000, "the second signal did not end it");
    assert.equal(ended.code, code);
    assert.ok(gateway.log.all.some((line) => line.includes("stopped at once by a second signal")));
    assert.ok((await asked) instanceof Error);
    await gateway.kill();
  });
}

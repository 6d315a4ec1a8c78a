/**
 * Proves the canary that every other file here relies on, then sends it where secrets are nearest to the surface: the
 * program's log at its most talkative, while keys, proxy passwords and the local token travel in every way they can.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { startMicrosocks, startSquid } from "../proxies/index.mjs";
import { behave } from "../upstream/index.mjs";
import { ALPHA, Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";
import { Canary, secretsOf } from "./lib/canary.mjs";

const USER = { user: "ada", password: "p@ss:w0rd/1" };

describe("the canary", () => {
  const secrets = secretsOf({ keys: [{ key: ALPHA }], proxies: [{ url: "http://ada:p%40ss%3Aw0rd@h:1" }] });

  test("knows a password in every spelling", () => {
    const basic = Buffer.from("ada:p@ss:w0rd").toString("base64");
    assert.deepEqual([...secrets].sort(), [ALPHA, "p%40ss%3Aw0rd", "p@ss:w0rd", basic].sort());
  });

  test("sings for a secret in the log, across chunks and in packed answers, and for nothing else", () => {
    const quiet = new Canary(secrets);
    quiet.place("an answer")("fine");
    quiet.check("the log", "••••0001");
    assert.throws(() => quiet.check("the log", `key ${ALPHA}`), /visible in the log/);
    const cut = new Canary(secrets);
    const show = cut.place("an answer");
    show(ALPHA.slice(0, 5));
    show(ALPHA.slice(5));
    assert.throws(() => cut.check("the log", ""), /visible in an answer/);
    const packed = new Canary(secrets);
    packed.place("a packed answer")(gzipSync(`{"key":"${ALPHA}"}`));
    assert.throws(() => packed.check("the log", ""), /visible in a packed answer/);
  });
});

describe("the log at its most talkative", () => {
  /** @type {Bench} */
  let bench;
  before(async () => {
    bench = await Bench.start();
  });
  after(() => bench?.stop());
  beforeEach(() => bench.fresh());

  for (const format of ["json", "text"]) {
    test(`holds no secret, as ${format}`, async () => {
      const squid = await bench.proxy(startSquid({ credentials: USER }));
      const secure = await bench.proxy(startSquid({ credentials: USER, authority: bench.authority }));
      const socks = await bench.proxy(startMicrosocks({ credentials: USER }));
      const wrong = { user: "ada", password: "wr0ng-passw0rd" };
      const ways = [null, squid.url, secure.url, socks.url, squid.urlAs("http", wrong), socks.urlAs("socks5", wrong)];
      for (const baseUrl of [bench.upstream.httpUrl, bench.upstream.httpsUrl]) {
        for (const url of ways) {
          bench.fresh();
          const proxies = url ? [{ name: "way-out", url }] : [];
          const config = { keys: [KEYS.alpha], proxies, log: { level: "trace", format } };
          const gateway = await bench.gateway(config, { baseUrl });
          bench.upstream.script.key(ALPHA).once(behave.errorNamingTheKey()).once(behave.reset());
          for (const path of [`${MODEL}:generateContent`, `${MODEL}:streamGenerateContent?alt=sse`, "/v1beta/models"]) {
            const body = path.endsWith("/models") ? undefined : prompt("Hi");
            await (await gateway.ask(path, { body })).bytes();
          }
          await gateway.stop();
        }
      }
    });
  }
});

/**
 * Bad input at the prompt: `check` and `serve` say what is wrong and where, end with 1 and show no secret. And the
 * doors that must not be opened: an address beyond loopback without a token, a port that somebody else holds.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { freePort } from "../lib/ports.mjs";
import { ALPHA, Bench, KEYS, MODEL, prompt } from "./lib/bench.mjs";
import { TOKEN } from "./lib/gateway.mjs";
import { runProgram } from "./lib/program.mjs";

/** Whatever is wrong, these must not be repeated. */
const SECRETS = ["hidden-w0rd", "key-that-is-secret", TOKEN];

/**
 * @typedef {object} Mistake
 * @property {string} name
 * @property {string} yaml
 * @property {RegExp[]} says
 */

/** @type {Mistake[]} */
const MISTAKES = [
  { name: "an unknown field", yaml: "server:\n  prot: 1\n", says: [/keys\.yaml:2:3/, /prot/] },
  { name: "an unknown section", yaml: "sever:\n  port: 1\n", says: [/keys\.yaml:1:1/, /sever/] },
  {
    name: "an unknown field of a key",
    yaml: "keys:\n  - key: key-that-is-secret\n    wieght: 2\n",
    says: [/keys\.yaml:3:5/, /wieght/],
  },
  {
    name: "a proxy URL with a bad scheme",
    yaml: "proxies:\n  - name: a\n    url: ftp://user:hidden-w0rd@127.0.0.1:21\n",
    says: [/keys\.yaml:3:10: proxies\.0\.url/, /scheme/],
  },
  {
    name: "a proxy URL without a host",
    yaml: "proxies:\n  - url: http://user:hidden-w0rd@:8080\n",
    says: [/keys\.yaml:2:10: proxies\.0\.url/],
  },
  {
    name: "a proxy's port out of range",
    yaml: "proxies:\n  - url: http://user:hidden-w0rd@127.0.0.1:70000\n",
    says: [/keys\.yaml:2:10: proxies\.0\.url: .*1 to 65535/],
  },
  {
    name: "a key with a space",
    yaml: 'keys:\n  - { name: a, key: "key-that-is-secret and more" }\n',
    says: [/keys\.yaml:2:\d+: keys\.0\.key: .*space or a line break/],
  },
  {
    name: "a key with a line break",
    yaml: "keys:\n  - name: a\n    key: |\n      key-that-is-secret\n      key-that-is-secret-too\n",
    says: [/keys\.yaml:\d+:\d+: keys\.0\.key: .*space or a line break/],
  },
  { name: "an empty key", yaml: 'keys:\n  - key: ""\n', says: [/keys\.0\.key: .*empty/] },
  { name: "a port out of range", yaml: "server:\n  port: 70000\n", says: [/keys\.yaml:2:9/] },
  { name: "a negative port", yaml: "server:\n  port: -1\n", says: [/keys\.yaml:2:9/] },
  {
    name: "a name given twice",
    yaml: "keys:\n  - { name: a, key: key-that-is-secret }\n  - { name: a, key: key-that-is-secret-2 }\n",
    says: [/keys\.yaml:3:\d+: keys\.1\.name: .*"a".*twice/],
  },
  {
    name: "a proxy's name given twice",
    yaml: "proxies:\n  - { name: a, url: 'http://u:hidden-w0rd@h:1' }\n  - { name: a, url: 'http://u:hidden-w0rd@h:2' }\n",
    says: [/keys\.yaml:3:\d+: proxies\.1\.name: .*"a".*twice/],
  },
  {
    name: "a key given twice",
    yaml: "keys:\n  - { name: a, key: key-that-is-secret }\n  - { name: b, key: key-that-is-secret }\n",
    says: [/keys\.1\.key: .*already, under the name "a"/],
  },
  {
    name: "a key whose proxy is not there",
    yaml: "keys:\n  - { name: a, key: key-that-is-secret, proxy: gone }\n",
    says: [/keys\.0\.proxy: .*"gone"/],
  },
  {
    name: "a misplaced key",
    yaml: "keys: key-that-is-secret\n",
    says: [/keys\.yaml:1:\d+/],
  },
  {
    name: "text that is no YAML",
    yaml: "keys:\n  - name: [key-that-is-secret\n",
    says: [/keys\.yaml:\d+:\d+/],
  },
  {
    name: "a key section given twice",
    yaml: "keys:\n  - key: key-that-is-secret\nkeys:\n  - key: key-that-is-secret-2\n",
    says: [/keys\.yaml:3:1/],
  },
];

describe("a mistake in the file is named with its place, by check and by serve", () => {
  for (const { name, yaml, says } of MISTAKES) {
    test(name, async () => {
      for (const command of ["check", "serve"]) {
        const { code, stdout, said } = await runProgram([command], { yaml });
        assert.equal(code, 1, said);
        assert.equal(stdout, "", "complaints belong on stderr");
        for (const pattern of says) assert.match(said, pattern);
        for (const secret of SECRETS) assert.ok(!said.includes(secret), "a secret was printed");
      }
    });
  }

  test("all at once, not one after the other", async () => {
    const yaml = "maxAttempts: 0\nkeys:\n  - key: 'two words'\nproxies:\n  - url: ftp://h:1\n";
    const { code, stderr } = await runProgram(["check"], { yaml });
    assert.equal(code, 1);
    assert.equal(stderr.trim().split("\n").length, 3, stderr);
  });

  test("a file that is not there, too", async () => {
    const { code, stderr } = await runProgram(["check", "--config", "nowhere.yaml"]);
    assert.equal(code, 1);
    assert.match(stderr, /nowhere\.yaml: cannot be read/);
  });
});

describe("the environment", () => {
  test("is checked like the file, and its entries are named by number", async () => {
    const env = {
      GEMINI_API_KEYS: "key-that-is-secret-1,key-that-is-secret 2",
      PROXY_SERVERS: "ftp://u:hidden-w0rd@h:1",
      PORT: "70000",
    };
    const { code, said } = await runProgram(["check"], { env });
    assert.equal(code, 1);
    for (const place of [/GEMINI_API_KEYS, entry 2: /, /PROXY_SERVERS, entry 1: /, /PORT: /]) assert.match(said, place);
    for (const secret of SECRETS) assert.ok(!said.includes(secret));
  });
});

test("a good file has no problems, and check opens nothing", async () => {
  const config = { server: { accessTokens: [TOKEN] }, keys: [KEYS.alpha], proxies: [{ url: "http://127.0.0.1:1" }] };
  const { code, stdout, said } = await runProgram(["check"], { config });
  assert.equal(code, 0, said);
  assert.match(stdout, /^No problems in .*keys\.yaml\. Keys: 1, proxies: 1\.$/m);
  assert.ok(!said.includes(ALPHA));
});

describe("where it listens", () => {
  /** @type {Bench} */
  let bench;
  before(async () => {
    bench = await Bench.start();
  });
  after(() => bench?.stop());

  test("beyond loopback a token is demanded", async () => {
    for (const server of [
      { host: "0.0.0.0", port: 0 },
      { host: "0.0.0.0", port: 0, localAuth: "off", accessTokens: [TOKEN] },
    ]) {
      const { code, stdout, stderr } = await runProgram(["serve"], { config: { server, keys: [KEYS.alpha] } });
      assert.equal(code, 1);
      assert.equal(stdout, "", "it never listened");
      assert.match(stderr, /token/);
    }
  });

  test("a port held by another of its kind: says so and ends with 1", async () => {
    const first = await bench.gateway({ keys: [KEYS.alpha] });
    const config = { server: { port: first.port, accessTokens: [TOKEN] }, keys: [KEYS.beta] };
    const { code, stdout, said } = await runProgram(["serve"], { config });
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.ok(said.includes(`Port ${first.port} is taken by the Gemini API Key Aggregator`), said);
    const answer = await first.ask(`${MODEL}:generateContent`, { body: prompt("Hi") });
    assert.equal(answer.status, 200, "the first one serves on");
  });

  test("a port held by a stranger: says which and what to do, and ends with 1", async () => {
    const stranger = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
    await once(stranger, "listening");
    try {
      const address = stranger.address();
      const port = typeof address === "object" && address ? address.port : 0;
      const { code, stdout, said } = await runProgram(["serve", "--port", String(port)], {
        config: { server: { accessTokens: [TOKEN] }, keys: [KEYS.alpha] },
      });
      assert.equal(code, 1);
      assert.equal(stdout, "");
      assert.match(said, new RegExp(`Port ${port} is taken by another program`));
    } finally {
      stranger.close();
    }
  });

  test("the command line wins over the environment, and the environment over the file", async () => {
    const port = await freePort();
    const gateway = await bench.gateway(
      { server: { port: 1 }, keys: [] },
      {
        env: { PORT: String(port), GEMINI_API_KEYS: ALPHA, GEMINI_AGGREGATOR_ACCESS_TOKEN: "token-of-the-environment" },
        secrets: [ALPHA],
      },
    );
    assert.equal(gateway.port, port);
    const path = `${MODEL}:generateContent`;
    assert.equal((await gateway.ask(path, { body: prompt("Hi") })).status, 401, "the file's token is replaced");
    const answer = await gateway.ask(path, { token: "token-of-the-environment", body: prompt("Hi") });
    assert.equal(answer.status, 200);
    assert.equal(bench.upstream.ledger.requests.at(-1)?.key, ALPHA);
  });
});

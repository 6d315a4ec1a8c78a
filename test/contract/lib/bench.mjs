/**
 * One upstream, its authority and any number of proxies and gateways for one test file, ended together. Also the words
 * that every file here uses: the keys, the model's path, a prompt. It starts nothing by itself.
 */
import { createAuthority } from "../../lib/authority.mjs";
import { startUpstream } from "../../upstream/index.mjs";
import { startGateway } from "./gateway.mjs";

export const ALPHA = "test-key-alpha-0001";
export const BETA = "test-key-beta-0002";
export const MODEL = "/v1beta/models/gemini-3.8-flash";

/** The keys as the configuration names them. */
export const KEYS = {
  alpha: { name: "alpha", key: ALPHA },
  beta: { name: "beta", key: BETA },
};

/** @param {string} text */
export function prompt(text) {
  return { contents: [{ role: "user", parts: [{ text }] }] };
}

/** A body whose second part is sent when it is released; the first has 20 bytes. @param {string} text */
export function inHalves(text) {
  let release = () => {};
  const held = new Promise((resolve) => {
    release = () => resolve(undefined);
  });
  const halves = (async function* () {
    yield Buffer.from(text.slice(0, 20));
    await held;
    yield Buffer.from(text.slice(20));
  })();
  return { halves, release: () => release() };
}

/**
 * @typedef {import("../../upstream/index.mjs").Running} Upstream
 * @typedef {import("../../lib/authority.mjs").Authority} Authority
 * @typedef {import("../../proxies/proxy.mjs").Proxy} Proxy
 * @typedef {import("./gateway.mjs").Gateway} Gateway
 * @typedef {import("./gateway.mjs").Config} Config
 */

export class Bench {
  /** @type {(() => Promise<void>)[]} */
  #ends = [];
  /** @type {Authority} */
  authority;
  /** @type {Upstream} */
  upstream;

  /** @param {Authority} authority @param {Upstream} upstream */
  constructor(authority, upstream) {
    this.authority = authority;
    this.upstream = upstream;
  }

  /** @param {import("../../upstream/index.mjs").Options} [options] */
  static async start(options = {}) {
    const authority = await createAuthority();
    const upstream = await startUpstream({ authority, ...options });
    return new Bench(authority, upstream);
  }

  /** @param {Promise<Proxy>} starting @returns {Promise<Proxy>} */
  async proxy(starting) {
    const proxy = await starting;
    this.#ends.push(() => proxy.stop());
    return proxy;
  }

  /**
   * The program in front of this upstream: its plain listener unless `baseUrl` says otherwise.
   * @param {Config} config
   * @param {{baseUrl?: string, env?: Record<string, string>, secrets?: string[], under?: string[]}} [options]
   * @returns {Promise<Gateway>}
   */
  async gateway(config, { baseUrl = this.upstream.httpUrl, ...options } = {}) {
    const upstream = { baseUrl, caFile: this.authority.caFile, ...config.upstream };
    const gateway = await startGateway({ config: { ...config, upstream }, ...options });
    const stop = once(gateway.stop);
    this.#ends.push(stop);
    return { ...gateway, stop };
  }

  /** A clean ledger and no rules: the state in which each test begins. */
  fresh() {
    this.upstream.script.clear();
    this.upstream.ledger.clear();
  }

  /** Ends gateways before proxies before the upstream; the first failure is told when all are down. */
  async stop() {
    const failures = [];
    for (const end of this.#ends.reverse()) await end().catch((error) => failures.push(error));
    await this.upstream.close();
    this.authority.dispose();
    if (failures[0]) throw failures[0];
  }
}

/** @param {() => Promise<void>} work @returns {() => Promise<void>} */
function once(work) {
  /** @type {Promise<void> | null} */
  let done = null;
  return () => {
    done ??= work();
    return done;
  };
}

/**
 * One person who edits at random keys and proxies of their own, one change after another, and remembers what was
 * answered with "done". The same seed makes the same choices. At the end it insists that all of it is there.
 */
import assert from "node:assert/strict";

/**
 * @typedef {import("./host.mjs").Host} Host
 * @typedef {import("./host.mjs").Snapshot} Snapshot
 * @typedef {{name: string, enabled: boolean, weight: number, byHand: string | null | undefined}} Key `byHand` as placed: a proxy, "No Proxy", or not at all
 * @typedef {{name: string, enabled: boolean, url: string}} Proxy
 */

const MOST_KEYS = 6;

export class Writer {
  made = 0;
  /** @type {Map<string, Key>} */
  keys = new Map();
  /** @type {Map<string, Proxy>} */
  proxies = new Map();
  #host;
  #name;
  #urls;
  #random;

  /** @param {Host} host @param {{name: string, seed: number, urls: string[]}} options `urls` are this writer's alone */
  constructor(host, { name, seed, urls }) {
    this.#host = host;
    this.#name = name;
    this.#urls = urls;
    this.#random = seeded(seed);
  }

  /** @param {number} count */
  async edits(count) {
    while (this.made < count) {
      const edit = this.#pick(this.#possible());
      await edit?.();
      this.made += 1;
    }
  }

  /** Every change that makes sense now; one that stands here twice is made twice as often. */
  #possible() {
    const free = this.#urls.filter((url) => ![...this.proxies.values()].some((proxy) => proxy.url === url));
    return [
      ...(this.keys.size < MOST_KEYS ? [() => this.#addKey()] : []),
      ...(free.length > 0 ? [() => this.#addProxy(this.#pick(free)), () => this.#addProxy(this.#pick(free))] : []),
      ...(this.keys.size > 0 ? [() => this.#changeKey(), () => this.#switchKey(), () => this.#removeKey()] : []),
      ...(this.proxies.size > 0
        ? [() => this.#renameProxy(), () => this.#switchProxy(), () => this.#removeProxy()]
        : []),
      ...(this.proxies.size > 0 && free.length > 0 ? [() => this.#moveProxy(this.#pick(free))] : []),
      ...(this.keys.size > 0 && this.proxies.size > 0 ? [() => this.#assign(), () => this.#assign()] : []),
      ...(this.keys.size > 0 ? [() => this.#pin(), () => this.#unassign()] : []),
    ];
  }

  async #addKey() {
    const name = `${this.#name}-key-${this.made}`;
    const weight = 1 + this.#below(9);
    const id = await this.#host.done({ kind: "add_key", key: `test-key-writer-${name}`, name, weight });
    this.keys.set(id, { name, weight, enabled: true, byHand: undefined });
  }

  async #changeKey() {
    const [id, key] = this.#pick([...this.keys]);
    const change = { name: `${this.#name}-key-${this.made}`, weight: 1 + this.#below(9) };
    await this.#host.done({ kind: "modify_key", id, ...change });
    Object.assign(key, change);
  }

  async #switchKey() {
    const [id, key] = this.#pick([...this.keys]);
    await this.#host.done({ kind: key.enabled ? "disable_key" : "enable_key", id });
    key.enabled = !key.enabled;
  }

  async #removeKey() {
    const [id] = this.#pick([...this.keys]);
    await this.#host.done({ kind: "remove_key", id });
    this.keys.delete(id);
  }

  /** @param {string} url */
  async #addProxy(url) {
    const name = `${this.#name}-proxy-${this.made}`;
    const id = await this.#host.done({ kind: "add_proxy", url, name });
    this.proxies.set(id, { name, url, enabled: true });
  }

  async #renameProxy() {
    const [id, proxy] = this.#pick([...this.proxies]);
    const name = `${this.#name}-proxy-${this.made}`;
    await this.#host.done({ kind: "update_proxy", id, name });
    proxy.name = name;
  }

  async #switchProxy() {
    const [id, proxy] = this.#pick([...this.proxies]);
    await this.#host.done({ kind: "update_proxy", id, enabled: !proxy.enabled });
    proxy.enabled = !proxy.enabled;
  }

  /** @param {string} url */
  async #moveProxy(url) {
    const [id, proxy] = this.#pick([...this.proxies]);
    await this.#host.done({ kind: "update_proxy", id, url });
    proxy.url = url;
  }

  async #removeProxy() {
    const [id] = this.#pick([...this.proxies]);
    await this.#host.done({ kind: "remove_proxy", id });
    this.proxies.delete(id);
    for (const key of this.keys.values()) if (key.byHand === id) key.byHand = undefined;
  }

  async #assign() {
    const [key_id, key] = this.#pick([...this.keys]);
    const [proxy_id] = this.#pick([...this.proxies]);
    await this.#host.done({ kind: "assign_proxy", key_id, proxy_id });
    key.byHand = proxy_id;
  }

  async #pin() {
    const [key_id, key] = this.#pick([...this.keys]);
    await this.#host.done({ kind: "assign_proxy", key_id, proxy_id: null });
    key.byHand = null;
  }

  async #unassign() {
    const [key_id, key] = this.#pick([...this.keys]);
    await this.#host.done({ kind: "unassign_proxy", key_id });
    key.byHand = undefined;
  }

  /** All that was done is there, and nothing else of this writer's. @param {Snapshot} snapshot */
  check({ keys, proxies }) {
    const mine = (/** @type {{name: string}} */ { name }) => name.startsWith(`${this.#name}-`);
    const named = (/** @type {{name: string}} */ a, /** @type {{name: string}} */ b) => a.name.localeCompare(b.name);
    const seenKeys = keys.filter(mine).map(({ id, name, enabled, weight, is_manual, proxy_id }) => {
      return { id, name, enabled, weight, byHand: is_manual ? proxy_id : undefined };
    });
    const seenProxies = proxies
      .filter(mine)
      .map(({ id, name, enabled, masked_url: url }) => ({ id, name, enabled, url }));
    const known = (/** @type {Map<string, any>} */ all) => [...all].map(([id, one]) => ({ id, ...one }));
    assert.deepEqual(seenKeys.sort(named), known(this.keys).sort(named), `keys of ${this.#name}`);
    assert.deepEqual(seenProxies.sort(named), known(this.proxies).sort(named), `proxies of ${this.#name}`);
    const there = new Set(proxies.map(({ id }) => id));
    for (const { name, proxy_id } of keys)
      assert.ok(proxy_id === null || there.has(proxy_id), `${name} points nowhere`);
  }

  /** @param {number} limit */
  #below(limit) {
    return Math.floor(this.#random() * limit);
  }

  /** @template T @param {T[]} all @returns {T} */
  #pick(all) {
    return /** @type {T} */ (all[this.#below(all.length)]);
  }
}

/** Mulberry32. @param {number} seed @returns {() => number} from 0 to 1 */
function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

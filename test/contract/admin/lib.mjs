/**
 * Speaks to the admin API of one gateway: JSON in, status, headers and JSON out, every byte shown to the canary. Also
 * reads its events one by one. It knows the API's form, nothing of what any path means.
 */
import assert from "node:assert/strict";

export const ADMIN = "admin-token-of-the-tests";
export const SERVER = { adminToken: ADMIN };

/** @typedef {import("../lib/gateway.mjs").Gateway} Gateway */
/** @typedef {{status: number, headers: import("node:http").IncomingHttpHeaders, body: any}} Said */

export class Admin {
  #gateway;

  /** @param {Gateway} gateway */
  constructor(gateway) {
    this.#gateway = gateway;
  }

  /**
   * @param {string} method @param {string} path @param {object | string | null} [body]
   * @param {Record<string, string>} [headers]
   * @returns {Promise<Said>}
   */
  async ask(method, path, body = null, headers = {}) {
    const options = { token: null, method, headers: { authorization: `Bearer ${ADMIN}`, ...headers } };
    const answer = await this.#gateway.ask(`/admin${path}`, body === null ? options : { ...options, body });
    const text = await answer.text();
    const json = String(answer.headers["content-type"]).startsWith("application/json");
    return { status: answer.status, headers: answer.headers, body: json ? JSON.parse(text) : text };
  }

  /**
   * The same, where only one status is right.
   * @param {number} status @param {string} method @param {string} path @param {object | string | null} [body]
   * @param {Record<string, string>} [headers]
   */
  async expect(status, method, path, body = null, headers = {}) {
    const said = await this.ask(method, path, body, headers);
    assert.equal(said.status, status, `${method} ${path}: ${JSON.stringify(said.body)}`);
    return said;
  }

  /** The error of a refusal. @param {number} status @param {string} method @param {string} path @param {object | string | null} [body] */
  async refused(status, method, path, body = null) {
    return (await this.expect(status, method, path, body)).body.error;
  }

  /** @param {string} [lastEventId] */
  async events(lastEventId) {
    const seen = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    const headers = { authorization: `Bearer ${ADMIN}`, ...seen };
    const answer = await this.#gateway.ask("/admin/events", { token: null, headers });
    assert.equal(answer.status, 200);
    return new Events(answer);
  }
}

/** @typedef {{id: string, name: string, data: any}} Told */

export class Events {
  #answer;
  #text = "";

  /** @param {import("../lib/gateway.mjs").Answer} answer */
  constructor(answer) {
    this.#answer = answer;
  }

  /** The next event, comments passed over; null at the stream's end. @returns {Promise<Told | null>} */
  async next() {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const lines = this.#text.slice(0, end).split("\n");
        this.#text = this.#text.slice(end + 2);
        const field = (/** @type {string} */ name) =>
          lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        const [id, event, data] = [field("id"), field("event"), field("data")];
        if (id && event && data) return { id, name: event, data: JSON.parse(data) };
        continue;
      }
      const chunk = await this.#answer.nextChunk();
      if (chunk === null) return null;
      this.#text += chunk.toString("utf8");
    }
  }

  /** The next of this name; those before it are passed over. @param {string} name @returns {Promise<Told>} */
  async until(name) {
    for (let told = await this.next(); told; told = await this.next()) if (told.name === name) return told;
    throw new Error(`The stream ended without ${name}.`);
  }

  leave() {
    this.#answer.leave();
  }
}

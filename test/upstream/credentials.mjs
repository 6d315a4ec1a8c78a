/**
 * Finds every credential a request carries, wherever a client may have put it, and judges them as Google does: exactly
 * one, and in a header. Being strict here is the point: a forwarder that leaves a second credential in place, or puts a
 * key into a URL, must be caught by every test, not by one.
 */
import { googleError, unauthenticated } from "./behaviour.mjs";

/** @typedef {{where: string, value: string}} Credential */

const HEADERS = ["x-goog-api-key", "authorization", "proxy-authorization", "x-api-key"];
const QUERY = ["key", "api_key", "access_token"];

/**
 * @param {[string, string][]} headers
 * @param {URLSearchParams} query
 * @returns {Credential[]}
 */
export function findCredentials(headers, query) {
  const inHeaders = headers
    .filter(([name]) => HEADERS.includes(name.toLowerCase()))
    .map(([name, value]) => ({ where: `header ${name.toLowerCase()}`, value }));
  const inQuery = QUERY.flatMap((name) => query.getAll(name).map((value) => ({ where: `query ${name}`, value })));
  return [...inHeaders, ...inQuery];
}

/**
 * @param {Credential[]} credentials
 * @returns {string | null} the key, when it is the only credential and stands where it should
 */
export function singleKey(credentials) {
  const [only, ...more] = credentials;
  return only && more.length === 0 && only.where === "header x-goog-api-key" ? only.value : null;
}

/**
 * @param {Credential[]} credentials
 * @returns {{status: number, body: object}} the refusal for a request without a single proper key
 */
export function refusal(credentials) {
  const [only, ...more] = credentials;
  if (!only) {
    const words =
      "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form " +
      "of API consumer identity to call this API.";
    return { status: 403, body: googleError(403, "PERMISSION_DENIED", words) };
  }
  if (more.length === 0 && only.where === "header authorization") {
    return { status: 401, body: JSON.parse(unauthenticated().pieces({ key: null, model: null }).join("")) };
  }
  const words = "Multiple authentication credentials received. Please pass only one.";
  return { status: 400, body: googleError(400, "INVALID_ARGUMENT", words) };
}

/**
 * What the files of this folder share around a host: example keys, one model's path, a prompt, and one way to ask an
 * endpoint with the local token that lies in the host's file. Starts nothing by itself.
 */
import { readFileSync } from "node:fs";
import { fetchRaw } from "../../lib/fetch.mjs";

export const ALPHA = "test-key-alpha-0001";
export const BETA = "test-key-beta-0002";
export const MODEL = "/v1beta/models/gemini-3.8-flash";

/** @param {string} text */
export function prompt(text) {
  return { contents: [{ role: "user", parts: [{ text }] }] };
}

/**
 * One question as a local tool asks it.
 * @param {string} url the endpoint
 * @param {string} token
 * @param {string} [text]
 */
export async function ask(url, token, text = "Hi") {
  const answer = await fetchRaw(`${url}${MODEL}:generateContent`, {
    headers: { "x-goog-api-key": token },
    body: prompt(text),
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

/** What a tool reads. @param {import("./host.mjs").Host} host */
export function tokenOf(host) {
  return readFileSync(host.tokenFile, "utf8").trim();
}

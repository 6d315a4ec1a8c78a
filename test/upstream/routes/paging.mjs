/**
 * Lists in pages, as Google gives them: a page's token is opaque, good for one project and one list only, and refused
 * anywhere else. So a forwarder that hands a token to another key is caught. Knows nothing of what is listed.
 */
import { createHash } from "node:crypto";
import { googleError } from "../behaviour.mjs";
import { json } from "./generate.mjs";

/** @typedef {import("../delivery.mjs").Reply} Reply */

const DEFAULT_SIZE = 50;

/** @param {string} owner @param {number} start */
function tokenFor(owner, start) {
  const mark = createHash("sha256").update(owner).digest("hex").slice(0, 12);
  return Buffer.from(`page?${mark}>${start}`).toString("base64");
}

/**
 * @param {Record<string, unknown>[]} items all there are
 * @param {string} field the answer's name for the list
 * @param {URLSearchParams} query
 * @param {string} owner of the list: tokens of another are refused
 * @returns {Reply}
 */
export function paged(items, field, query, owner) {
  const size = Number(query.get("pageSize") ?? query.get("page_size") ?? DEFAULT_SIZE);
  const token = query.get("pageToken") ?? query.get("page_token");
  const start = token ? Number(Buffer.from(token, "base64").toString().split(">")[1]) : 0;
  if (!Number.isInteger(size) || size < 1 || (token && token !== tokenFor(owner, start))) {
    return json(googleError(400, "INVALID_ARGUMENT", "The page size or the page token is not valid."), 400);
  }
  const end = start + size;
  const next = end < items.length ? { nextPageToken: tokenFor(owner, end) } : {};
  // Google leaves an empty list out.
  const page = items.slice(start, end);
  return json({ ...(page.length > 0 ? { [field]: page } : {}), ...next });
}

/**
 * A page of what the caller's project has.
 * @param {{world: import("../world.mjs").World, key: string, query: URLSearchParams}} call
 * @param {string} parent such as `files` or `fileSearchStores/s1/documents`
 * @param {string} field
 * @returns {Reply}
 */
export function listed({ world, key, query }, parent, field) {
  return paged(world.list(key, parent), field, query, `${world.projectOf(key)} ${parent}`);
}

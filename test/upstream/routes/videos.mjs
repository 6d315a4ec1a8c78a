/**
 * Videos: the operation that makes one, which is done after being asked about it some times, and the file that it
 * leaves behind. The file's address names Google's host, with the project's rights on it. No picture is drawn here.
 */
import { json } from "./generate.mjs";

/**
 * @typedef {import("../delivery.mjs").Reply} Reply
 * @typedef {import("./route.mjs").ResourceCall} ResourceCall
 */

export const VIDEO = Buffer.from("the moving picture of the simulated upstream");

/** @param {ResourceCall} call @param {string} model @returns {Reply} */
export function startVideo({ world, key }, model) {
  const name = `models/${model}/operations/${world.fresh("operation")}`;
  return json(world.put(key, name, { name }));
}

/** @param {ResourceCall} call @returns {Reply | null} */
export function videoOperation({ world, key, method, segments, origin, version }) {
  const name = segments.join("/");
  const found = world.find(key, "operations", name);
  if ("status" in found) return json(found.body, found.status);
  if (method !== "GET") return null;
  const asked = (found.asked ?? 0) + 1;
  found.asked = asked;
  if (!found.item.done && asked > world.videoPolls) {
    const uri = makeFile({ world, key, origin, version });
    const type = `type.googleapis.com/google.ai.generativelanguage.${version}.PredictLongRunningResponse`;
    const generateVideoResponse = { generatedSamples: [{ video: { uri } }] };
    Object.assign(found.item, { done: true, response: { "@type": type, generateVideoResponse } });
  }
  return json(found.item);
}

/** @param {Pick<ResourceCall, "world" | "key" | "origin" | "version">} call @returns {string} where the video is */
function makeFile({ world, key, origin, version }) {
  const name = `files/${world.fresh("video")}`;
  const uri = `${origin}/${version}/${name}`;
  const downloadUri = `${uri}:download?alt=media`;
  const about = { mimeType: "video/mp4", sizeBytes: String(VIDEO.length), state: "ACTIVE", source: "GENERATED" };
  world.put(key, name, { name, ...about, uri, downloadUri }, VIDEO);
  return downloadUri;
}

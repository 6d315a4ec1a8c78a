/**
 * Files: the resumable upload in chunks, the one-shot multipart upload, and what can be done with a file afterwards.
 * Follows the protocol headers as recorded from real clients; the chunk URL names this upstream's own origin, as
 * Google's does, for forwarders to rewrite.
 */
import { createHash } from "node:crypto";
import { googleError } from "../behaviour.mjs";
import { json } from "./generate.mjs";

/**
 * @typedef {import("../world.mjs").World} World
 * @typedef {import("../delivery.mjs").Reply} Reply
 * @typedef {object} FileCall
 * @property {World} world
 * @property {string} key
 * @property {string} origin this upstream's own, as Google names its own host
 * @property {string} version
 * @property {URLSearchParams} query
 * @property {(name: string) => string | undefined} header
 * @property {Buffer} bytes
 */

const GRANULARITY = 8 * 1024 * 1024;
const TIME = "2026-11-20T00:00:00.000000Z";

/** @param {Record<string, unknown>} about @param {string[]} names @returns {string | undefined} */
function field(about, ...names) {
  const name = names.find((n) => about[n] !== undefined);
  return name ? String(about[name]) : undefined;
}

/** @param {FileCall} call @param {Record<string, unknown>} about @param {Buffer} content @param {string} mimeType */
function store(call, about, content, mimeType) {
  const name = field(about, "name") ?? `files/${call.world.fresh("file")}`;
  const displayName = field(about, "displayName", "display_name");
  return call.world.put(
    call.key,
    name,
    {
      name,
      ...(displayName ? { displayName } : {}),
      mimeType,
      sizeBytes: String(content.length),
      createTime: TIME,
      updateTime: TIME,
      expirationTime: "2026-11-22T00:00:00.000000Z",
      sha256Hash: createHash("sha256").update(content).digest("base64"),
      uri: `${call.origin}/${call.version}/${name}`,
      state: "ACTIVE",
      source: "UPLOADED",
    },
    content,
  );
}

/** @param {number} status @param {string} message @returns {Reply} */
function uploadError(status, message) {
  return json(googleError(status, "INVALID_ARGUMENT", message), status);
}

/** @param {string} text @returns {Record<string, unknown>} what the client said about its file */
function aboutFile(text) {
  const parsed = text.trim() ? JSON.parse(text) : {};
  return parsed.file ?? parsed;
}

/** @param {FileCall} call @returns {Reply} */
export function startUpload(call) {
  const protocol = call.header("x-goog-upload-protocol");
  if (protocol === "multipart" || call.header("content-type")?.startsWith("multipart/related")) return multipart(call);
  if (protocol !== "resumable" || call.header("x-goog-upload-command") !== "start") {
    return uploadError(400, "The upload protocol or its command is missing.");
  }
  const id = call.world.fresh("simulated-upload-");
  const target = `/upload/${call.version}/files`;
  const about = aboutFile(call.bytes.toString("utf8"));
  about.mimeType ??= call.header("x-goog-upload-header-content-type");
  call.world.uploads.set(id, { owner: call.key, version: call.version, target, about, received: 0, parts: [] });
  const url = `${call.origin}${target}?upload_id=${id}&upload_protocol=resumable`;
  return {
    status: 200,
    headers: [
      ["Content-Type", "text/plain; charset=utf-8"],
      ["X-GUploader-UploadID", id],
      ["X-Goog-Upload-Status", "active"],
      ["X-Goog-Upload-URL", url],
      ["X-Goog-Upload-Control-URL", url],
      ["X-Goog-Upload-Chunk-Granularity", String(GRANULARITY)],
    ],
    pieces: [],
  };
}

/** @param {FileCall} call @returns {Reply} */
export function continueUpload(call) {
  const id = call.query.get("upload_id") ?? "";
  const upload = call.world.uploads.get(id);
  if (!upload) return uploadError(404, "The upload is not known.");
  const commands = (call.header("x-goog-upload-command") ?? "").split(",").map((c) => c.trim());
  if (commands.includes("query")) return uploadStatus(id, "active", upload.received);
  if (Number(call.header("x-goog-upload-offset") ?? Number.NaN) !== upload.received) {
    return uploadError(400, `The offset does not follow on byte ${upload.received}.`);
  }
  upload.parts.push(call.bytes);
  upload.received += call.bytes.length;
  if (!commands.includes("finalize")) return uploadStatus(id, "active", upload.received);
  call.world.uploads.delete(id);
  const mimeType = field(upload.about, "mimeType", "mime_type") ?? "application/octet-stream";
  const file = store(
    { ...call, key: upload.owner, version: upload.version },
    upload.about,
    Buffer.concat(upload.parts),
    mimeType,
  );
  const reply = json({ file });
  return { ...reply, headers: [...reply.headers, ["X-GUploader-UploadID", id], ["X-Goog-Upload-Status", "final"]] };
}

/** @param {string} id @param {string} status @param {number} received @returns {Reply} */
function uploadStatus(id, status, received) {
  return {
    status: 200,
    headers: [
      ["X-GUploader-UploadID", id],
      ["X-Goog-Upload-Status", status],
      ["X-Goog-Upload-Size-Received", String(received)],
    ],
    pieces: [],
  };
}

/** @param {FileCall} call @returns {Reply} */
function multipart(call) {
  const boundary = /boundary="?([^";]+)"?/.exec(call.header("content-type") ?? "")?.[1];
  const parts = boundary ? splitParts(call.bytes, boundary) : [];
  const [about, content] = parts;
  if (!about || !content) return uploadError(400, "The multipart body needs two parts.");
  const mimeType = /content-type:\s*([^\r\n]+)/i.exec(content.head)?.[1] ?? "application/octet-stream";
  return json({ file: store(call, aboutFile(about.body.toString("utf8")), content.body, mimeType) });
}

/** @param {Buffer} bytes @param {string} boundary @returns {{head: string, body: Buffer}[]} */
function splitParts(bytes, boundary) {
  const mark = Buffer.from(`--${boundary}`);
  /** @type {{head: string, body: Buffer}[]} */
  const parts = [];
  let from = bytes.indexOf(mark);
  for (let to = bytes.indexOf(mark, from + 1); from >= 0 && to >= 0; to = bytes.indexOf(mark, from + 1)) {
    const part = bytes.subarray(from + mark.length, to);
    const gap = part.indexOf("\r\n\r\n");
    if (gap >= 0) parts.push({ head: part.toString("latin1", 0, gap), body: part.subarray(gap + 4, part.length - 2) });
    from = to;
  }
  return parts;
}

/**
 * @param {FileCall} call
 * @param {string} method
 * @param {string} name such as `files/abc`, or empty for the whole collection
 * @param {string | undefined} action
 * @returns {Reply | null}
 */
export function files(call, method, name, action) {
  if (!name) return method === "GET" ? json({ files: call.world.list(call.key, "files") }) : null;
  const found = call.world.find(call.key, "files", name);
  if ("status" in found) return json(found.body, found.status);
  if (method === "GET" && action === "download") {
    const type = String(found.item.mimeType);
    return { status: 200, headers: [["Content-Type", type]], pieces: [found.content ?? ""] };
  }
  if (method === "GET" && !action) return json(found.item);
  if (method !== "DELETE") return null;
  call.world.remove(name);
  return json({});
}

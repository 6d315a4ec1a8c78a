/**
 * Files: the resumable upload in chunks, the one-shot multipart upload, and what can be done with a file afterwards.
 * Follows the protocol headers as recorded from real clients; the chunk URL names this upstream's own origin, as
 * Google's does, for forwarders to rewrite. An upload may go to a file search store; what that makes of it is decided
 * there.
 */
import { googleError } from "../behaviour.mjs";
import { Content } from "../content.mjs";
import { addDocument } from "./file-search-stores.mjs";
import { json } from "./generate.mjs";
import { listed } from "./paging.mjs";

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
 * @property {string | null} store the file search store an upload goes to
 * @property {Content | null} grown what an upload holds when this request's body is added
 */

const GRANULARITY = 8 * 1024 * 1024;
const TIME = "2026-11-20T00:00:00.000000Z";

/** @param {Record<string, unknown>} about @param {string[]} names @returns {string | undefined} */
function field(about, ...names) {
  const name = names.find((n) => about[n] !== undefined);
  return name ? String(about[name]) : undefined;
}

/**
 * @param {Pick<FileCall, "world" | "key" | "origin" | "version">} call
 * @param {Record<string, unknown>} about
 * @param {Content} content
 * @param {string} mimeType
 */
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
      sha256Hash: content.sha256("base64"),
      uri: `${call.origin}/${call.version}/${name}`,
      state: "ACTIVE",
      source: "UPLOADED",
    },
    content.bytes() ?? undefined,
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
  const denied = call.store ? call.world.find(call.key, "fileSearchStores", call.store) : null;
  if (denied && "status" in denied) return json(denied.body, denied.status);
  const id = call.world.fresh("simulated-upload-");
  const target = `/upload/${call.version}/${call.store ? `${call.store}:uploadToFileSearchStore` : "files"}`;
  const about = aboutFile(call.bytes.toString("utf8"));
  about.mimeType ??= call.header("x-goog-upload-header-content-type");
  const { key: owner, version, store: into } = call;
  call.world.uploads.set(id, { owner, version, store: into, about, content: new Content() });
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
  if (commands.includes("query")) return uploadStatus(id, "active", upload.content.length);
  if (Number(call.header("x-goog-upload-offset") ?? Number.NaN) !== upload.content.length) {
    return uploadError(400, `The offset does not follow on byte ${upload.content.length}.`);
  }
  upload.content = call.grown ?? upload.content;
  if (!commands.includes("finalize")) return uploadStatus(id, "active", upload.content.length);
  call.world.uploads.delete(id);
  const reply = finished(call, upload);
  return { ...reply, headers: [...reply.headers, ["X-GUploader-UploadID", id], ["X-Goog-Upload-Status", "final"]] };
}

/** @param {FileCall} call @param {import("../world.mjs").Upload} upload @returns {Reply} */
function finished({ world, origin }, { owner, version, store: into, about, content }) {
  const mimeType = field(about, "mimeType", "mime_type") ?? "application/octet-stream";
  const displayName = field(about, "displayName", "display_name");
  if (into) {
    const sizeBytes = String(content.length);
    return json(addDocument({ world, key: owner, store: into }, { displayName, mimeType, sizeBytes }, "upload/"));
  }
  return json({ file: store({ world, origin, key: owner, version }, about, content, mimeType) });
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
  const said = aboutFile(about.body.toString("utf8"));
  return json({ file: store(call, said, new Content().add(content.body), mimeType) });
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
  if (!name) return method === "GET" ? listed(call, "files", "files") : null;
  const found = call.world.find(call.key, "files", name);
  if ("status" in found) return json(found.body, found.status);
  if (method === "GET" && action === "download") {
    if (!found.content) return json(googleError(404, "NOT_FOUND", "The bench did not keep so large a file."), 404);
    return { status: 200, headers: [["Content-Type", String(found.item.mimeType)]], pieces: [found.content] };
  }
  if (method === "GET" && !action) return json(found.item);
  if (method !== "DELETE") return null;
  call.world.remove(name);
  return json({});
}

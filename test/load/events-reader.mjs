/**
 * Somebody who follows `/admin/events` while requests are measured, as a dashboard does, and keeps none of it. Runs on the
 * load's cores. Knows the admin API's address and its token, nothing of what is told.
 */
import { startProcess } from "../lib/processes.mjs";
import { pinned } from "./cores.mjs";

/** @param {string} url of a gateway @param {string} token @returns {Promise<{stop: () => Promise<void>}>} when it is answered */
export async function readEvents(url, token) {
  const quiet = ["--silent", "--no-buffer", "--output", "/dev/null", "--dump-header", "-"];
  const bearer = ["--header", `Authorization: Bearer ${token}`];
  const [command, args] = pinned("load", "curl", [...quiet, ...bearer, `${url}/admin/events`]);
  const reader = startProcess(command, args);
  const answered = (/** @type {string[]} */ lines) => lines.find((line) => /^HTTP\/1\.1 200\b/.test(line));
  await reader.stdout.waitFor(answered, { what: "nobody tells of events" });
  return { stop: () => reader.stop() };
}

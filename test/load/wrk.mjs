/**
 * One run of wrk: small POST requests over a number of connections that stay open, for some seconds. Gives what wrk
 * counted, and insists that every answer was a good one. Knows nothing of who answers.
 */
import { run } from "../lib/processes.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { pinned } from "./cores.mjs";

/** @typedef {{requests: number, perSecond: number, p50Ms: number, p99Ms: number}} Run */

export const PATH = "/v1beta/models/gemini-3.8-flash:generateContent";
const BODY = JSON.stringify({ contents: [{ role: "user", parts: [{ text: "Say hello to the machine." }] }] });
const REPORT = `
done = function(summary, latency)
  local e = summary.errors
  local bad = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format('report {"requests":%d,"micros":%d,"bad":%d,"p50":%d,"p99":%d}\\n',
    summary.requests, summary.duration, bad, latency:percentile(50), latency:percentile(99)))
end
`;

/**
 * @param {string} url without a path
 * @param {{seconds: number, connections?: number, token: string}} options
 * @returns {Promise<Run>}
 */
export async function wrk(url, { seconds, connections = 16, token }) {
  const dir = makeTempDir("wrk");
  const headers = `wrk.headers["Content-Type"] = "application/json"\nwrk.headers["x-goog-api-key"] = "${token}"`;
  const script = dir.write("post.lua", `wrk.method = "POST"\nwrk.body = [[${BODY}]]\n${headers}\n${REPORT}`);
  const args = ["--threads", "1", "--connections", String(connections), "--duration", `${seconds}s`];
  const [command, line] = pinned("load", "wrk", [...args, "--script", script, `${url}${PATH}`]);
  const { stdout } = await run(command, line, { timeoutMs: (seconds + 15) * 1000 });
  dir.dispose();
  const report = JSON.parse(/^report (.*)$/m.exec(stdout)?.[1] ?? "null");
  if (!report || report.bad > 0 || report.requests === 0) throw new Error(`The load run failed:\n${stdout}`);
  return {
    requests: report.requests,
    perSecond: report.requests / (report.micros / 1e6),
    p50Ms: report.p50 / 1000,
    p99Ms: report.p99 / 1000,
  };
}

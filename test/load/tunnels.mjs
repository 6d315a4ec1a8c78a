/**
 * How many tunnels a number of requests costs: one key, one after the other, through one CONNECT proxy to an upstream
 * with TLS. Counted by the proxy's own log, the probe of its health among them.
 */
import { Agent } from "node:http";
import { fetchRaw } from "../lib/fetch.mjs";
import { startTinyproxy } from "../proxies/index.mjs";
import { startUpstream } from "../upstream/index.mjs";
import { startGateway, TOKEN } from "./gateway.mjs";

/** More than this for any number of sequential requests of one key is a fault. */
export const MOST_TUNNELS = 3;

const PATH = "/v1beta/models/gemini-3.8-flash:countTokens";
const BODY = { contents: [{ role: "user", parts: [{ text: "Count me." }] }] };

/**
 * @param {number} requests
 * @returns {Promise<{requests: number, tunnels: number, seconds: number}>}
 */
export async function countTunnels(requests) {
  const upstream = await startUpstream();
  const proxy = await startTinyproxy();
  const way = { baseUrl: upstream.httpsUrl, caFile: upstream.caFile, proxyUrl: proxy.url };
  const gateway = await startGateway(way);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const begun = performance.now();
  try {
    for (let sent = 0; sent < requests; sent += 1) {
      const headers = { "x-goog-api-key": TOKEN };
      const answer = await fetchRaw(`${gateway.url}${PATH}`, { agent, headers, body: BODY });
      await answer.bytes();
      if (answer.status !== 200) throw new Error(`Request ${sent + 1} was answered with ${answer.status}.`);
    }
    const received = upstream.ledger.requests.length;
    if (received !== requests) throw new Error(`${requests} requests were sent and ${received} arrived.`);
    return { requests, tunnels: proxy.tunnels(), seconds: (performance.now() - begun) / 1000 };
  } finally {
    agent.destroy();
    await gateway.stop();
    await proxy.stop();
    await upstream.close();
  }
}

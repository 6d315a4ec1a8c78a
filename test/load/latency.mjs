/**
 * What the gateway adds to a request's latency at a steady load: the open-loop program of the core's examples asks the
 * upstream itself and through the gateway in turns, and the difference is the gateway's. Knows the promised bounds.
 */
import { measureExample } from "./example.mjs";
import { startGateway, TOKEN } from "./gateway.mjs";
import { startNginxUpstream } from "./nginx.mjs";
import { PATH } from "./wrk.mjs";

export const LONGEST_ADDED_P50_US = 150;
export const LONGEST_ADDED_P99_US = 1000;

const PER_SECOND = 500;

/** @typedef {{requests: number, p50Us: number, p99Us: number}} Latency */

/**
 * @param {{seconds: number}} options
 * @returns {Promise<{perSecond: number, direct: Latency, through: Latency}>}
 */
export async function measureLatency({ seconds }) {
  const upstream = await startNginxUpstream();
  const gateway = await startGateway({ baseUrl: `http://127.0.0.1:${upstream.port}` });
  try {
    const ports = [String(upstream.port), new URL(gateway.url).port];
    const args = [String(PER_SECOND), String(seconds), TOKEN, PATH, ...ports];
    return { perSecond: PER_SECOND, ...(await measureExample("open_loop", { role: "load", args })) };
  } finally {
    await Promise.all([gateway.stop(), upstream.stop()]);
  }
}

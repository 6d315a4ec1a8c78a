// The snapshot before the core has given its first: nothing entered, nothing counted.

import type { FiguresView, Snapshot } from "../../../native/addon/types.gen";

const figures: FiguresView = {
  attempts: 0,
  error_rate: null,
  latency_p50_ms: null,
  latency_p95_ms: null,
  bytes_sent: 0,
  bytes_received: 0,
  tunnels_opened: 0,
  tunnels_reused: 0,
  minutes: { attempts: [], failures: [] },
};

export const nothingYet: Snapshot = {
  revision: 0,
  version: "",
  endpoint: { kind: "starting" },
  keys: [],
  proxies: [],
  rotating: null,
  direct: figures,
  balance: { spread_keys: 0, spread_requests: 0, moves: 0, moves_last_hour: 0 },
  held_bytes: { keys: 0, proxies: 0, assignments: 0, rests: 0, owners: 0, signatures: 0, request_log: 0 },
  requests: [],
  request_count: 0,
  overview: { minutes: [] },
};

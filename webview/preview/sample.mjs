// Snapshots for looking at the panel: every state a row can have, with names and lengths as they occur, and one with as
// many rows as people have. Used by `look.mjs` alone; nothing of it is in the product. Nothing is left to chance: two
// runs give the same pictures.

const MINUTE = 60_000;
const now = Date.UTC(2026, 0, 15, 9, 30, 0);

/** Half an hour by minute: `wave(7, 3)` swings between nothing and 7; every `fault`th minute has a failure. */
function wave(most, phase, fault = 0) {
  const attempts = Array.from({ length: 30 }, (_, minute) =>
    Math.max(0, Math.round((most / 2) * (1 + Math.sin(minute / 3 + phase)) - 0.4)),
  );
  const failures = attempts.map((count, minute) =>
    fault > 0 && minute % fault === fault - 1 ? Math.min(1, count) : 0,
  );
  return { attempts, failures };
}

const figures = (more) => ({
  attempts: 0,
  error_rate: null,
  latency_p50_ms: null,
  latency_p95_ms: null,
  bytes_sent: 0,
  bytes_received: 0,
  tunnels_opened: 0,
  tunnels_reused: 0,
  minutes: { attempts: [], failures: [] },
  ...more,
});
const busy = (attempts, minutes, more) =>
  figures({
    attempts,
    error_rate: 0,
    latency_p50_ms: 500,
    latency_p95_ms: 2500,
    bytes_sent: attempts * 4_100,
    bytes_received: attempts * 21_700,
    tunnels_opened: Math.ceil(attempts / 40),
    tunnels_reused: attempts,
    minutes,
    ...more,
  });

const key = (id, name, more) => ({
  id,
  name,
  masked_key: `••••${id.padStart(4, "0")}`,
  status: "available",
  status_reason: null,
  cooling_down_until: null,
  circuit: "closed",
  health_score: 1,
  next_retry: null,
  enabled: true,
  project: null,
  weight: 1,
  proxy_id: null,
  proxy_assigned_at: null,
  is_manual: false,
  current_requests: 0,
  request_count: 0,
  failure_count: 0,
  direct_count: 0,
  home_proxy_id: null,
  last_used: null,
  figures: figures(),
  ...more,
});
const proxy = (id, name, masked_url, more) => ({
  id,
  name,
  masked_url,
  status: "active",
  enabled: true,
  assigned_key_count: 1,
  active_requests: 0,
  last_health_check: now - 21_000,
  error_count: 0,
  last_error: null,
  latency_ms: 84,
  figures: figures(),
  ...more,
});
const attempt = (key_name, proxy_name, status, duration_ms, error = null, more = {}) => ({
  key_id: key_name,
  key_name,
  proxy_id: proxy_name,
  proxy_name,
  direct_fallback: false,
  status,
  error,
  duration_ms,
  ...more,
});
const tokens = (input, output, more) => ({ input, output, cached: 0, thought: 0, ...more });
const request = (id, ago, path, model, status, duration_ms, attempts, more = {}) => ({
  id,
  at: now - ago,
  method: "POST",
  path,
  dialect: "gemini",
  model,
  client: "google-genai-sdk/1.30.0",
  status,
  duration_ms,
  first_byte_ms: Math.round(duration_ms / 3),
  tokens: null,
  error: null,
  attempts,
  ...more,
});

const listening = { kind: "listening", url: "http://127.0.0.1:3146", port: 3146, local_auth: "token" };
const empty = {
  revision: 1,
  version: "0.1.0",
  endpoint: listening,
  keys: [],
  proxies: [],
  rotating: null,
  direct: figures(),
  balance: { spread_keys: 0, spread_requests: 0, moves: 0, moves_last_hour: 0 },
  held_bytes: { keys: 0, proxies: 0, assignments: 0, rests: 0, owners: 0, signatures: 0, request_log: 0 },
  requests: [],
  request_count: 0,
  overview: { minutes: [] },
};

/** An hour with a quiet quarter in its middle and an outage near its end. */
const hour = Array.from({ length: 60 }, (_, index) => {
  const requests = Math.round(9 + 7 * Math.sin(index / 5) + 3 * Math.sin(index * 1.7));
  const errors = index > 44 && index < 50 ? Math.ceil(requests * 0.6) : index % 13 === 0 ? 1 : 0;
  const quiet = (index > 22 && index < 34) || requests < 1;
  return {
    at: now - (59 - index) * MINUTE,
    requests: quiet ? 0 : requests,
    errors: Math.min(errors, requests),
    tokens_in: requests * (2_100 + ((index * 137) % 900)),
    tokens_out: requests * (640 + ((index * 91) % 400)),
    latency_ms:
      index === 47 ? null : Math.round(520 + 300 * Math.sin(index / 8) + (index > 44 && index < 50 ? 1_400 : 0)),
  };
}).filter(({ requests }) => requests > 0);

const personal = wave(9, 0);
const keys = [
  key("7f21", "personal-1", {
    proxy_id: "p1",
    proxy_assigned_at: now - 86_400_000,
    project: "my-project",
    current_requests: 2,
    request_count: 1284,
    failure_count: 3,
    last_used: now - 1200,
    figures: busy(1310, personal),
  }),
  key("03ac", "personal-2", {
    proxy_id: "p2",
    is_manual: true,
    status: "cooling_down",
    status_reason: "Quota GenerateRequestsPerMinutePerProjectPerModel-FreeTier is used up.",
    cooling_down_until: now + 42_000,
    health_score: 0.82,
    request_count: 312,
    failure_count: 9,
    last_used: now - 18_000,
    figures: busy(321, wave(5, 2, 6), { error_rate: 0.125 }),
  }),
  key("9c0e", "team", {
    is_manual: true,
    weight: 3,
    request_count: 58,
    last_used: now - 7_400_000,
    figures: busy(58, figures().minutes),
  }),
  key("4d4d", "away from home", {
    proxy_id: "p1",
    is_manual: true,
    home_proxy_id: "p3",
    circuit: "half_open",
    health_score: 0.4,
    next_retry: now + 9_000,
    request_count: 77,
    failure_count: 12,
    direct_count: 4,
    last_used: now - 64_000,
    figures: busy(89, wave(3, 4, 3), { error_rate: 0.31 }),
  }),
  key("e55d", "old account", {
    proxy_id: "p1",
    status: "disabled",
    status_reason: "Google says that this API key is not valid.",
    circuit: "open",
    health_score: 0,
    failure_count: 1,
    request_count: 1,
    last_used: now - 200_000_000,
  }),
  key("11b0", "spare", { proxy_id: "p3", status: "disabled", status_reason: "Disabled by you.", enabled: false }),
  key("aaaa", "a key whose owner gave it a name of some length, as people do", { proxy_id: "p2" }),
];
const proxies = [
  proxy("p1", "eu-1", "socks5://mara:••••@10.0.0.12:1080", {
    assigned_key_count: 3,
    active_requests: 2,
    figures: busy(1400, wave(11, 0.4)),
  }),
  proxy("p2", "us-east-squid", "https://proxy.example.net:8443", {
    assigned_key_count: 2,
    latency_ms: 231,
    figures: busy(321, wave(5, 2, 9), { error_rate: 0.04 }),
  }),
  proxy("p3", "lab", "http://lab:••••@192.0.2.17:3128", {
    status: "error",
    error_count: 3,
    latency_ms: null,
    last_error: "The proxy refused the user name or password (407).",
    figures: busy(12, wave(2, 1, 2), { error_rate: 1, latency_p50_ms: null, latency_p95_ms: null }),
  }),
  proxy("p4", "switched off", "http://192.0.2.18:3128", {
    status: "inactive",
    enabled: false,
    assigned_key_count: 0,
    last_health_check: null,
    latency_ms: null,
  }),
];

const stream = "/v1beta/models/gemini-2.5-pro:streamGenerateContent";
const generate = "/v1beta/models/gemini-2.5-flash:generateContent";
const requests = [
  request(
    "r3",
    1200,
    stream,
    "gemini-2.5-pro",
    200,
    3140,
    [
      attempt("personal-2", "us-east-squid", 429, 180, "Quota used up; the key cools down for 42 s."),
      attempt("personal-1", "eu-1", 200, 2960),
    ],
    { tokens: tokens(18_204, 1_422, { cached: 12_000, thought: 800 }) },
  ),
  request("r2", 61_000, "/v1/chat/completions", "gemini-2.5-flash", 200, 812, [attempt("team", null, 200, 812)], {
    dialect: "openai",
    client: "OpenAI/Python",
    tokens: tokens(412, 96),
  }),
  request("r6", 64_000, generate, "gemini-2.5-flash", 200, 640, [
    attempt("away from home", null, 200, 640, null, { direct_fallback: true }),
  ]),
  request(
    "r1",
    183_000,
    generate,
    "gemini-2.5-flash",
    502,
    10_204,
    [attempt("spare", "lab", null, 10_200, "The proxy lab did not answer within 10 seconds.")],
    { error: "No key could reach the upstream." },
  ),
  request("r5", 190_000, stream, "gemini-2.5-pro", 499, 4_011, [attempt("personal-1", "eu-1", null, 4_000)], {
    client: null,
    first_byte_ms: null,
    error: "The client left before the answer was complete.",
  }),
  request("r0", 200_000, "/v1beta/models", null, 400, 95, [attempt("personal-1", "eu-1", 400, 95)], {
    method: "GET",
    client: "curl/8.5.0",
  }),
];

const full = {
  ...empty,
  keys,
  proxies,
  direct: busy(62, wave(2, 5)),
  balance: { spread_keys: 1, spread_requests: 2, moves: 7, moves_last_hour: 2 },
  requests,
  request_count: 1743,
  overview: { minutes: hour },
};

const rotating = (mode, more) => ({
  enabled: mode !== "off",
  mode,
  masked_url: "http://customer-mara:••••@rotating.example.net:7777",
  requests: 4_210,
  success_rate: 0.973,
  average_latency_ms: 1_180,
  addresses_seen: 318,
  last_address: "198.51.100.23",
  last_error: null,
  last_health_check: now - 12_000,
  figures: busy(4_300, wave(14, 1, 8), { error_rate: 0.027 }),
  ...more,
});
const fallenBack = { last_error: "The rotating proxy closed the connection.", success_rate: 0.41 };
const refused = { last_error: "The rotating proxy refused the user name or password (407).", success_rate: 0 };

/** As many keys and rows as the panel must carry without lag. */
function many() {
  const thousand = Array.from({ length: 1000 }, (_, index) => {
    const cooling = index % 11 === 3;
    const disabled = index % 37 === 5;
    const status = disabled ? "disabled" : cooling ? "cooling_down" : "available";
    return key(String(1000 + index), `key-${String(index + 1).padStart(4, "0")}`, {
      status,
      status_reason: disabled ? "Disabled by you." : cooling ? "Quota used up." : null,
      enabled: !disabled,
      cooling_down_until: cooling ? now + 1000 * (5 + (index % 50)) : null,
      proxy_id: `m${index % 40}`,
      project: `project-${index % 25}`,
      request_count: (index * 7919) % 2000,
      last_used: now - index * 900,
      figures: busy((index * 7919) % 2000, wave(1 + (index % 12), index, index % 5)),
    });
  });
  const forty = Array.from({ length: 40 }, (_, index) =>
    proxy(`m${index}`, `proxy-${index + 1}`, `socks5://user:••••@192.0.2.${index + 1}:1080`, {
      assigned_key_count: 25,
      figures: busy(50_000, wave(40 + index * 3, index)),
    }),
  );
  const fifty = Array.from({ length: 50 }, (_, index) => {
    const name = `key-${String(1 + ((index * 17) % 1000)).padStart(4, "0")}`;
    return request(`m${index}`, index * 700, generate, "gemini-2.5-flash", 200, 400 + index * 13, [
      attempt(name, `proxy-${1 + (index % 40)}`, 200, 390 + index * 13),
    ]);
  });
  return { ...full, keys: thousand, proxies: forty, requests: fifty, request_count: 10_000 };
}

const failed = {
  kind: "failed",
  message: "Port 3146 is taken by another program. Choose another port or end that program.",
};

export const sentAt = now;
export const samples = {
  full,
  empty,
  many: many(),
  failed: { ...empty, endpoint: failed },
  stopped: { ...full, endpoint: { kind: "stopped" }, rotating: rotating("off") },
  open: { ...empty, endpoint: { ...listening, local_auth: "off" }, keys: [key("7f21", "first")] },
  rotating: { ...full, rotating: rotating("on") },
  "rotating-fallen-back": { ...full, rotating: rotating("fallen_back", fallenBack) },
  "rotating-refused": { ...full, rotating: rotating("refused", refused) },
};

// A snapshot for looking at the panel: every state a row can have, with names and lengths as they occur. Used by
// `look.mjs` alone; nothing of it is in the product.

const now = Date.UTC(2026, 0, 15, 9, 30, 0);
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
  last_used: null,
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
  ...more,
});
const attempt = (key_name, proxy_name, status, duration_ms, error = null) => ({
  key_id: key_name,
  key_name,
  proxy_id: proxy_name,
  proxy_name,
  status,
  error,
  duration_ms,
});
const request = (id, ago, path, model, status, duration_ms, attempts, error = null) => ({
  id,
  at: now - ago,
  method: "POST",
  path,
  model,
  status,
  duration_ms,
  error,
  attempts,
});

const listening = { kind: "listening", url: "http://127.0.0.1:3146", port: 3146, local_auth: "token" };
const empty = {
  revision: 1,
  version: "0.1.0",
  endpoint: listening,
  keys: [],
  proxies: [],
  rotating: null,
  requests: [],
};

const full = {
  ...empty,
  keys: [
    key("7f21", "personal-1", { proxy_id: "p1", current_requests: 2, request_count: 1284, last_used: now - 1200 }),
    key("03ac", "personal-2", {
      proxy_id: "p2",
      is_manual: true,
      status: "cooling_down",
      status_reason: "Quota GenerateRequestsPerMinutePerProjectPerModel-FreeTier is used up.",
      cooling_down_until: now + 42_000,
      request_count: 312,
      failure_count: 9,
      last_used: now - 18_000,
    }),
    key("9c0e", "team", { is_manual: true, request_count: 58, last_used: now - 7_400_000 }),
    key("e55d", "old account", {
      proxy_id: "p1",
      status: "disabled",
      status_reason: "Google says that this API key is not valid.",
      failure_count: 1,
      request_count: 1,
      last_used: now - 200_000_000,
    }),
    key("11b0", "spare", { proxy_id: "p3", status: "disabled", status_reason: "Disabled by you.", enabled: false }),
  ],
  proxies: [
    proxy("p1", "eu-1", "socks5://mara:••••@10.0.0.12:1080", { assigned_key_count: 2, active_requests: 2 }),
    proxy("p2", "us-east-squid", "https://proxy.example.net:8443", { latency_ms: 231 }),
    proxy("p3", "lab", "http://lab:••••@192.0.2.17:3128", {
      status: "error",
      error_count: 3,
      latency_ms: null,
      last_error: "The proxy refused the user name or password (407).",
    }),
  ],
  requests: [
    request("r3", 1200, "/v1beta/models/gemini-2.5-pro:streamGenerateContent", "gemini-2.5-pro", 200, 3140, [
      attempt("personal-2", "us-east-squid", 429, 180, "Quota used up; the key cools down for 42 s."),
      attempt("personal-1", "eu-1", 200, 2960),
    ]),
    request("r2", 61_000, "/v1beta/models/gemini-2.5-flash:generateContent", "gemini-2.5-flash", 200, 812, [
      attempt("team", null, 200, 812),
    ]),
    request(
      "r1",
      183_000,
      "/v1beta/models/gemini-2.5-flash:generateContent",
      "gemini-2.5-flash",
      502,
      10_204,
      [attempt("spare", "lab", null, 10_200, "The proxy lab did not answer within 10 seconds.")],
      "No key could reach the upstream.",
    ),
    request("r0", 200_000, "/v1beta/models", null, 400, 95, [attempt("personal-1", "eu-1", 400, 95)]),
  ],
};

const failed = {
  kind: "failed",
  message: "Port 3146 is taken by another program. Choose another port or end that program.",
};

export const sentAt = now;
export const samples = {
  full,
  empty,
  failed: { ...empty, endpoint: failed },
};

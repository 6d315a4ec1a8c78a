// Generated from the core's types by `cargo test -p aggregator-core --test types`; do not edit.
// Regenerate with UPDATE_TYPES=1. Everything here crosses the addon as JSON text.

export type Command =
  | { kind: "add_key"; key: string; name?: string; project?: string; weight?: number; cooldown_seconds?: number }
  | { kind: "modify_key"; id: string; key?: string; name?: string; project?: string; weight?: number; cooldown_seconds?: number }
  | { kind: "remove_key"; id: string }
  | { kind: "enable_key"; id: string }
  | { kind: "disable_key"; id: string }
  | { kind: "test_key"; id: string }
  | { kind: "add_proxy"; url: string; name?: string }
  | { kind: "update_proxy"; id: string; url?: string; name?: string; enabled?: boolean }
  | { kind: "remove_proxy"; id: string }
  | { kind: "test_proxy"; id: string }
  /** Manual: stays until changed by hand. `proxy_id: null` pins "No Proxy". */
  | { kind: "assign_proxy"; key_id: string; proxy_id: string | null }
  /** Back to automatic. */
  | { kind: "unassign_proxy"; key_id: string }
  | { kind: "apply_settings"; settings: Settings }
  | { kind: "rotate_local_token" };

/** `message` is a whole sentence for the user; `field` names the faulty input (for example `url`). */
export type Reply =
  | { kind: "done"; message: string; id?: string }
  | { kind: "refused"; code: RefusalCode; message: string; field?: string };

export type RefusalCode = "invalid" | "not_found" | "duplicate" | "not_saved" | "failed" | "read_only";

export type EndpointView =
  | { kind: "stopped" }
  | { kind: "starting" }
  | { kind: "listening"; url: string; port: number; local_auth: "token" | "off" }
  /** Another window of this product owns the port: this window is read-only. */
  | { kind: "elsewhere"; url: string; message: string }
  | { kind: "failed"; message: string };

export type KeyStatus = "available" | "cooling_down" | "disabled";

export type KeyView = {
  id: string;
  name: string;
  masked_key: string;
  status: KeyStatus;
  /** Why it is cooling or disabled, in words; null while available. */
  status_reason: string | null;
  /** Milliseconds since 1970, as every time here. */
  cooling_down_until: number | null;
  enabled: boolean;
  project: string | null;
  weight: number;
  /** null = no proxy: the panel shows "No Proxy". */
  proxy_id: string | null;
  proxy_assigned_at: number | null;
  is_manual: boolean;
  current_requests: number;
  request_count: number;
  failure_count: number;
  last_used: number | null;
};

export type ProxyStatus = "active" | "inactive" | "error";

export type ProxyView = {
  id: string;
  name: string;
  /** Without the password; the user name is kept. */
  masked_url: string;
  status: ProxyStatus;
  enabled: boolean;
  assigned_key_count: number;
  active_requests: number;
  last_health_check: number | null;
  error_count: number;
  last_error: string | null;
  latency_ms: number | null;
};

export type AttemptView = {
  key_id: string;
  key_name: string;
  /** null = direct. */
  proxy_id: string | null;
  proxy_name: string | null;
  /** Upstream's status; null when no answer came. */
  status: number | null;
  /** What went wrong, in words; null when nothing did. */
  error: string | null;
  duration_ms: number;
};

export type RequestView = {
  id: string;
  at: number;
  method: string;
  path: string;
  model: string | null;
  /** The status the client saw. */
  status: number;
  duration_ms: number;
  error: string | null;
  attempts: Array<AttemptView>;
};

export type Snapshot = {
  /** Grows with every change. */
  revision: number;
  version: string;
  endpoint: EndpointView;
  keys: Array<KeyView>;
  proxies: Array<ProxyView>;
  /** Newest first, at most 50 here. */
  requests: Array<RequestView>;
};

export type Level = "debug" | "info" | "warn" | "error";

export type EventType =
  | "key.added" | "key.updated" | "key.removed" | "key.cooling" | "key.available" | "key.disabled"
  | "assignment.changed" | "pool.changed" | "proxy.error" | "proxy.recovered"
  | "request.finished" | "direct.used" | "state.warning" | "endpoint.changed";

export type Event = {
  type: EventType;
  at: number;
  level: Level;
  /** A line for the log, free of secrets. */
  message: string;
  key_id?: string;
  proxy_id?: string;
  request_id?: string;
};

/** One store (`value`) or deletion (`null`) in the user's secret store. Carry them out in the order given. */
export type SecretWrite = { name: string; value: string | null };

/** What the addon's callback receives: a JSON array of these, at most ten calls a second. */
export type CoreMessage =
  | { kind: "event"; event: Event }
  | { kind: "snapshot"; snapshot: Snapshot }
  /** The host stores these, then calls `vaultWritten(ticket, error)`. */
  | { kind: "vault_write"; ticket: number; writes: Array<SecretWrite> };

export type Settings = {
  server: { host: string; port: number; localAuth: "token" | "off"; maxBodyMb: number; maxUploadMb: number; shutdownGraceSeconds: number };
  upstream: { baseUrl: string; caFile: string | null; requestTimeoutSeconds: number; connectTimeoutSeconds: number; http2: "auto" | "off" };
  keySelection: "round_robin" | "least_loaded" | "random" | "fill_first";
  maxAttempts: number;
  proxy: {
    autoAssignment: boolean;
    loadBalancingStrategy: "least_loaded" | "round_robin" | "random";
    healthCheckIntervalSeconds: number;
    maxErrorsBeforeDisable: number;
  };
  requestLog: { size: number };
};

/** Every field of `settings` may be left out: the core's defaults fill in. */
export type OpenOptions = {
  settings: object;
  /** The secrets named by `secretNames`, those that exist. */
  secrets: Record<string, string>;
  /** Where the local token lives; created with mode 0600 when absent. */
  token_file: string;
};

export type OpenReport = {
  /** Stored data that could not be read, one sentence each; the rest is loaded. */
  warnings: Array<string>;
};

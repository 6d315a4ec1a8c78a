// Generated from the core's types by `cargo test -p aggregator-core --test types`; do not edit.
// Regenerate with UPDATE_TYPES=1. Everything here crosses the addon as JSON text.

/**
 * One API key. Not the key's text.
 */
export type KeyId = string;

/**
 * One proxy server of the pool.
 */
export type ProxyId = string;

export type Command = { "kind": "add_key", key: string, name?: string, project?: string, weight?: number, cooldown_seconds?: number, } | { "kind": "add_keys", text: string, } | { "kind": "modify_key", id: KeyId, key?: string, name?: string, project?: string, weight?: number, cooldown_seconds?: number, } | { "kind": "remove_key", id: KeyId, } | { "kind": "enable_key", id: KeyId, } | { "kind": "disable_key", id: KeyId, } | { "kind": "test_key", id: KeyId, } | { "kind": "add_proxy", url: string, name?: string, } | { "kind": "add_proxies", text: string, } | { "kind": "update_proxy", id: ProxyId, url?: string, name?: string, enabled?: boolean, } | { "kind": "remove_proxy", id: ProxyId, } | { "kind": "test_proxy", id: ProxyId, } | { "kind": "assign_proxy", key_id: KeyId, proxy_id: ProxyId | null, } | { "kind": "unassign_proxy", key_id: KeyId, } | { "kind": "rebalance_proxies" } | { "kind": "plan_rebalance" } | { "kind": "edit_keys", ids: Array<KeyId>, action: KeysAction, } | { "kind": "remove_proxies", ids: Array<ProxyId>, } | { "kind": "undo_removal", undo: string, } | { "kind": "list_requests", offset: number, 
/**
 * 1 to 500.
 */
limit: number, filter: RequestFilter, } | { "kind": "allow_direct_until_recovery" } | { "kind": "configure_rotating", url?: string, enabled: boolean, } | { "kind": "test_rotating" } | { "kind": "apply_settings", settings: Settings, } | { "kind": "rotate_local_token" } | { "kind": "reload_config" } | { "kind": "export_backup", passphrase?: string, } | { "kind": "preview_backup", text: string, passphrase?: string, } | { "kind": "import_backup", text: string, passphrase?: string, };

/**
 * What is done to each of several keys.
 */
export type KeysAction = { "kind": "enable" } | { "kind": "disable" } | { "kind": "remove" } | { "kind": "assign", 
/**
 * A proxy's id, null for "No Proxy", "auto" for the balancer's choice.
 */
proxy_id: ProxyId | null | "auto", };

/**
 * Everything given must hold; nothing given fits every request.
 */
export type RequestFilter = { 
/**
 * Somewhere in path, model, id, client, error, or a key's or proxy's name; upper and lower case alike.
 */
text?: string, outcome?: OutcomeFilter, 
/**
 * An attempt was made with this key.
 */
key_id?: KeyId, 
/**
 * An attempt was made through this proxy.
 */
proxy_id?: ProxyId, 
/**
 * This very model.
 */
model?: string, dialect?: DialectView, };

export type OutcomeFilter = "all" | "failed" | "retried" | "direct";

/**
 * `message` is a whole sentence for the user; `field` names the faulty input (for example `url`).
 */
export type Reply = { "kind": "done", message: string, id?: string, 
/**
 * After a removal: what `UndoRemoval` takes it back by, for ten minutes.
 */
undo?: string, } | { "kind": "requests", total: number, matched: number, offset: number, rows: Array<RequestView>, } | { "kind": "rebalance_plan", message: string, moves: Array<PlannedMove>, spread_before: number, spread_after: number, } | { "kind": "backup", message: string, text: string, } | { "kind": "backup_diff", message: string, diff: BackupDiff, } | { "kind": "proxies_listed", message: string, entries: Array<ListedProxy>, } | { "kind": "keys_listed", message: string, entries: Array<ListedKey>, } | { "kind": "tested" } & Tested | { "kind": "reloaded" } & Reloaded | { "kind": "refused" } & Refusal;

/**
 * What reading the configuration anew changed.
 */
export type Reloaded = { 
/**
 * One line with the counts.
 */
message: string, keys: Counts, proxies: Counts, 
/**
 * Settings that changed, by their place: `proxy.failurePolicy`.
 */
settings: Array<string>, 
/**
 * What should be known besides, as sentences: what waits for a restart, say.
 */
notes: Array<string>, };

export type Counts = { added: number, changed: number, removed: number, };

/**
 * One key that would change its proxy.
 */
export type PlannedMove = { key_id: KeyId, key_name: string, from: NamedProxy | null, to: NamedProxy, };

export type NamedProxy = { id: ProxyId, name: string, };

/**
 * To `TestKey`, `TestProxy` and `TestRotating`.
 */
export type Tested = { works: boolean, 
/**
 * Whole sentences for the user: that all is well, or what failed and what to do.
 */
message: string, 
/**
 * Of the key or the proxy; the rotating one has none.
 */
id?: string, 
/**
 * Left out when it works.
 */
fault?: TestFault, 
/**
 * In the order of the way; the first that is not `ok` is the last. Stages that were not reached are left out.
 */
stages: Array<TestStage>, 
/**
 * At which the proxy says that Gemini sees it; null where it does not tell.
 */
address: string | null, };

export type TestStage = { stage: TestStageName, ms: number, ok: boolean, 
/**
 * Whole sentences: what was done, or the exact fault.
 */
words: string, };

export type TestStageName = "dns" | "connect" | "proxy_connect" | "proxy_tls" | "proxy_login" | "tls" | "gemini";

/**
 * Whose fault it is that a test failed.
 */
export type TestFault = "key" | "quota" | "proxy" | "upstream";

/**
 * What restoring a backup would change or has changed.
 */
export type BackupDiff = { 
/**
 * When the backup was made, in the form of RFC 3339.
 */
created: string, 
/**
 * Without secrets nothing is removed, and a key that is not there cannot be added.
 */
has_secrets: boolean, keys: Differences, proxies: Differences, 
/**
 * The keys' names, with the proxies.
 */
assignments: Differences, 
/**
 * What becomes of the rotating proxy, in a few words; `null` when nothing does.
 */
rotating: string | null, 
/**
 * What the user should know besides, as sentences: what could not be restored.
 */
notes: Array<string>, };

/**
 * Names of what comes, changes (with what of it) and goes.
 */
export type Differences = { added: Array<string>, changed: Array<string>, removed: Array<string>, };

/**
 * What became of one entry of a list.
 */
export type ListedProxy = { 
/**
 * From 1.
 */
line: number, result: ListedResult, 
/**
 * A whole sentence, without credentials.
 */
message: string, id?: ProxyId, };

/**
 * What became of one row of a list of keys.
 */
export type ListedKey = { 
/**
 * From 1.
 */
line: number, result: ListedResult, 
/**
 * A whole sentence; of the key at most its last four characters.
 */
message: string, id?: KeyId, };

export type ListedResult = "added" | "duplicate" | "refused" | "skipped";

export type Refusal = { code: RefusalCode, message: string, field?: string, };

export type RefusalCode = "invalid" | "not_found" | "duplicate" | "not_saved" | "failed";

export type EndpointView = { "kind": "stopped" } | { "kind": "starting" } | { "kind": "listening", url: string, port: number, local_auth: LocalAuth, } | { "kind": "failed", message: string, };

export type KeyStatus = "available" | "cooling_down" | "disabled";

/**
 * What a person sees of a circuit.
 */
export type Circuit = "closed" | "open" | "half_open";

/**
 * The last half hour, minute by minute, oldest first, the present one last; both are empty when nothing happened.
 */
export type MinutesView = { 
/**
 * Attempts that ended.
 */
attempts: number[], 
/**
 * Those of them that failed by this entry's fault.
 */
failures: number[], };

/**
 * Since the entry was loaded, where nothing else is said.
 */
export type FiguresView = { 
/**
 * Attempts that ended; a request that went round takes several.
 */
attempts: number, 
/**
 * Attempts of the last five minutes that failed by this entry's fault, 0 to 1; null when there was none.
 */
error_rate: number | null, 
/**
 * From an attempt to the beginning of its answer: half of them, and 95 of 100, are at most this slow, right to the
 * histogram's bucket. null before the first answer.
 */
latency_p50_ms: number | null, latency_p95_ms: number | null, 
/**
 * Bytes as they passed the socket, TLS and the proxy's own words included; probes too.
 */
bytes_sent: number, bytes_received: number, 
/**
 * Connections made (behind a proxy: tunnels), and requests that found one open.
 */
tunnels_opened: number, tunnels_reused: number, minutes: MinutesView, };

/**
 * How evenly the keys lie on the proxies that work.
 */
export type BalanceView = { 
/**
 * Keys on the most loaded proxy less those on the least loaded one.
 */
spread_keys: number, 
/**
 * The same of requests in flight.
 */
spread_requests: number, 
/**
 * Keys that changed their proxy, by themselves or by hand.
 */
moves: number, moves_last_hour: number, };

/**
 * About how many bytes the core's structures hold.
 */
export type HeldView = { keys: number, proxies: number, assignments: number, 
/**
 * Quotas at rest.
 */
rests: number, 
/**
 * Who owns which file, cache or batch.
 */
owners: number, 
/**
 * Thought signatures.
 */
signatures: number, request_log: number, };

export type KeyView = { id: KeyId, name: string, masked_key: string, status: KeyStatus, 
/**
 * Why it is cooling or disabled, in words; null while available.
 */
status_reason: string | null, 
/**
 * Milliseconds since 1970, as every time here.
 */
cooling_down_until: number | null, circuit: Circuit, 
/**
 * Moving average of how its attempts went, 0 to 1.
 */
health_score: number, 
/**
 * When a key with an open circuit is tried again.
 */
next_retry: number | null, enabled: boolean, project: string | null, weight: number, 
/**
 * null = no proxy: the panel shows "No Proxy".
 */
proxy_id: ProxyId | null, proxy_assigned_at: number | null, is_manual: boolean, current_requests: number, request_count: number, failure_count: number, 
/**
 * Requests that went direct although the key has a proxy.
 */
direct_count: number, 
/**
 * The proxy chosen by hand that this key is away from while it fails.
 */
home_proxy_id: ProxyId | null, last_used: number | null, figures: FiguresView, };

export type ProxyStatus = "active" | "inactive" | "error";

export type ProxyView = { id: ProxyId, name: string, 
/**
 * Without the password; the user name is kept.
 */
masked_url: string, status: ProxyStatus, enabled: boolean, assigned_key_count: number, active_requests: number, last_health_check: number | null, 
/**
 * Faults since the last success.
 */
error_count: number, last_error: string | null, 
/**
 * To a usable tunnel, when last probed.
 */
latency_ms: number | null, figures: FiguresView, };

export type RotatingMode = "off" | "on" | "fallen_back" | "refused";

export type RotatingView = { 
/**
 * Switched on by the user, whether it serves or not.
 */
enabled: boolean, mode: RotatingMode, 
/**
 * Without the password; the user name is kept.
 */
masked_url: string, requests: number, 
/**
 * 0 to 1; null before the first request has ended.
 */
success_rate: number | null, 
/**
 * From a request to the beginning of its answer; null before the first answer.
 */
average_latency_ms: number | null, 
/**
 * Different addresses from which it said that its tunnels left, up to 1000; 0 when it says none.
 */
addresses_seen: number, last_address: string | null, last_error: string | null, last_health_check: number | null, figures: FiguresView, };

export type AttemptView = { key_id: KeyId, key_name: string, 
/**
 * null = direct.
 */
proxy_id: ProxyId | null, proxy_name: string | null, 
/**
 * It went direct although the key has a proxy: none worked, and the failure policy allows it.
 */
direct_fallback: boolean, 
/**
 * Upstream's status; null when no answer came.
 */
status: number | null, 
/**
 * What went wrong, in words; null when nothing did.
 */
error: string | null, duration_ms: number, };

/**
 * The language a client speaks, as its path shows it.
 */
export type DialectView = "gemini" | "openai";

export type TokensView = { 
/**
 * What was sent, tools' results and what came from a cache included.
 */
input: number, 
/**
 * What the model wrote, its thoughts included.
 */
output: number, 
/**
 * The part of `input` that came from a cache.
 */
cached: number, 
/**
 * The part of `output` that the model thought.
 */
thought: number, };

export type RequestView = { id: string, at: number, method: string, 
/**
 * Without the query.
 */
path: string, dialect: DialectView, model: string | null, 
/**
 * The tool that asked, as the first word of its User-Agent says, such as `google-genai-sdk/1.2.0`.
 */
client: string | null, 
/**
 * The status the client saw; 499 when it left first.
 */
status: number, duration_ms: number, 
/**
 * From the request's head to the beginning of the answer; null when the client left before.
 */
first_byte_ms: number | null, 
/**
 * As the answer says; null when it says none, or could not be read in passing.
 */
tokens: TokensView | null, error: string | null, attempts: Array<AttemptView>, };

export type MinuteView = { 
/**
 * When it began.
 */
at: number, 
/**
 * Requests that finished in it, those whose client left included.
 */
requests: number, 
/**
 * Of them those that ended in an error which is not the caller's: a status of 500 or more, 429, 401 or 403 where the
 * upstream gave it to a key (a wrong local token is the caller's), and answers that began well and broke off. 400,
 * 404 and 499 are the caller's.
 */
errors: number, tokens_in: number, 
/**
 * What the models thought included.
 */
tokens_out: number, 
/**
 * From a request to the beginning of its answer, on average over the requests without error; null without one.
 */
latency_ms: number | null, };

/**
 * The last hour.
 */
export type OverviewView = { 
/**
 * Only those in which a request finished, oldest first.
 */
minutes: Array<MinuteView>, };

export type Snapshot = { 
/**
 * Grows with every change.
 */
revision: number, version: string, endpoint: EndpointView, keys: Array<KeyView>, proxies: Array<ProxyView>, 
/**
 * null: none was ever entered.
 */
rotating: RotatingView | null, 
/**
 * Of connections without a proxy, whosever they are.
 */
direct: FiguresView, balance: BalanceView, held_bytes: HeldView, 
/**
 * By how much this machine's clock is ahead of Gemini's, by its last answer; left out before the first.
 */
clock_skew_ms?: number, 
/**
 * Newest first, at most 50 here.
 */
requests: Array<RequestView>, 
/**
 * How many the log holds; `ListRequests` gives them all.
 */
request_count: number, overview: OverviewView, };

export type Level = "debug" | "info" | "warn" | "error";

export type EventType = "key.added" | "key.updated" | "key.removed" | "key.cooling" | "key.available" | "key.disabled" | "assignment.changed" | "pool.changed" | "proxy.error" | "proxies.down" | "proxy.recovered" | "rotating.changed" | "rebalanced" | "direct.used" | "request.finished" | "state.warning" | "endpoint.changed" | "config.reloaded";

export type Event = { type: EventType, at: number, level: Level, message: string, key_id?: KeyId, proxy_id?: ProxyId, request_id?: string, };

/**
 * One store (`value`) or deletion (`null`) in the user's secret store. Carry them out in the order given.
 */
export type SecretWrite = { name: string, value: string | null, };

/**
 * What the addon's callback receives: a JSON array of these, at most four calls a second.
 */
export type CoreMessage = { "kind": "event", event: Event, } | { "kind": "snapshot", snapshot: Snapshot, } | { "kind": "role", role: WindowRole, } | { "kind": "opened", report: OpenReport, } | { "kind": "vault_wanted", ticket: number, } | { "kind": "vault_write", ticket: number, writes: Array<SecretWrite>, };

export type LocalAuth = "token" | "off";

export type Http2 = "auto" | "off";

export type KeySelection = "round_robin" | "least_loaded" | "random" | "fill_first";

export type LoadBalancingStrategy = "least_loaded" | "round_robin" | "random";

/**
 * The endpoint's own certificate.
 */
export type TlsFiles = { 
/**
 * PEM file of the certificate, its chain behind it.
 */
certFile: string, 
/**
 * PEM file of its private key, not encrypted.
 */
keyFile: string, };

export type ServerSettings = { host: string, 
/**
 * 0 asks the system for a free port. Wider than a port, so that one out of range is named like other bounds.
 */
port: number, localAuth: LocalAuth, 
/**
 * With it the port serves TLS beside plain HTTP, told apart by the first byte.
 */
tls: TlsFiles | null, 
/**
 * Largest request body outside `/upload`, in MiB.
 */
maxBodyMb: number, 
/**
 * Largest request body under `/upload`, in MiB; always streamed.
 */
maxUploadMb: number, shutdownGraceSeconds: number, };

export type UpstreamSettings = { baseUrl: string, 
/**
 * PEM file of certificate authorities trusted beside the system's, for the upstream and for https proxies.
 */
caFile: string | null, 
/**
 * Longest silence of the upstream, before the first byte and between bytes.
 */
requestTimeoutSeconds: number, connectTimeoutSeconds: number, http2: Http2, };

/**
 * What becomes of the keys of a proxy that fails.
 */
export type FailurePolicy = "reassign" | "reassignThenDirect" | "fail";

export type ProxySettings = { autoAssignment: boolean, loadBalancingStrategy: LoadBalancingStrategy, healthCheckIntervalSeconds: number, maxErrorsBeforeDisable: number, rebalanceThreshold: number, failurePolicy: FailurePolicy, };

export type RotatingSettings = { 
/**
 * False keeps the rotating proxy and leaves it unused.
 */
enabled: boolean, 
/**
 * How often a request that it failed tries it again, and how many faults in a row it may have, before keys go
 * their individual ways.
 */
maxRetries: number, };

/**
 * When a key that fails while others are served is let alone, and for how long.
 */
export type MonitoringSettings = { 
/**
 * Failures in a row that open a key's circuit.
 */
failureThreshold: number, 
/**
 * First wait of an open circuit; it doubles with each opening in a row, up to an hour.
 */
recoveryTimeSeconds: number, 
/**
 * Failures older than this no longer count.
 */
windowSeconds: number, };

export type RequestLogSettings = { 
/**
 * How many finished requests are remembered.
 */
size: number, };

export type Settings = { server: ServerSettings, upstream: UpstreamSettings, keySelection: KeySelection, maxAttempts: number, 
/**
 * How long a request may wait for a key whose quota returns, before it is answered 429; 0 never waits.
 */
maxWaitSeconds: number, 
/**
 * Names that OpenAI clients may use for models of Gemini's: theirs → Gemini's.
 */
modelAliases: { [key in string]: string }, proxy: ProxySettings, rotatingProxy: RotatingSettings, monitoring: MonitoringSettings, requestLog: RequestLogSettings, };

export type OpenOptions = { 
/**
 * What is left out takes the core's default.
 */
settings: object, 
/**
 * The secrets named by `secretNames`, those that exist. Left out, they are asked for (`vault_wanted`) when this
 * window begins to lead: a window that shares a folder must not have read them before that.
 */
secrets?: Record<string, string>, 
/**
 * Where the windows of one profile find each other; without it this one is alone.
 */
windows_folder?: string, 
/**
 * Where the local token lies; made with mode 0600 when absent.
 */
token_file: string, 
/**
 * The database that keeps learned state over a restart (rests, circuits, owners of files, the request log); without
 * one it is forgotten. A JSON file of the same name beside it stands in where it cannot be used.
 */
state_file?: string, 
/**
 * PEM file of Node's NODE_EXTRA_CA_CERTS, when it is set.
 */
extra_ca_file?: string, };

/**
 * A window's part: the leader has the core and serves, followers show and ask what it has.
 */
export type WindowRole = "leader" | "follower" | "waiting";

/**
 * Each under the name it has in today's settings, below `proxy`.
 */
export type LegacySettings = { autoAssignment?: boolean, loadBalancingStrategy?: LoadBalancingStrategy, healthCheckIntervalSeconds?: number, maxErrorsBeforeDisable?: number, rebalanceThreshold?: number, };

export type OpenReport = { role: WindowRole, 
/**
 * Stored data that could not be read, one sentence each; the rest is loaded.
 */
warnings: Array<string>, 
/**
 * What was taken over from an earlier version, for the log.
 */
notes: Array<string>, 
/**
 * Settings of an earlier version. The core runs with them where its own had their defaults; the host keeps each one
 * that the user has not set, then applies its settings.
 */
legacy_settings?: LegacySettings, };

//! What the user may set, with its defaults, bounds and words for a value out of bounds. The same types serve
//! the editor's settings and the YAML file; where they are stored or how they are applied is not known here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use url::Url;

/// One wrong value: where (`server.port`) and what is wrong, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub path: String,
    pub message: String,
}

impl Problem {
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LocalAuth {
    #[default]
    Token,
    Off,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Http2 {
    /// Offered on direct connections; behind a proxy always HTTP/1.1 (h2 through a proxy can stall 40 ms an exchange).
    #[default]
    Auto,
    Off,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum KeySelection {
    #[default]
    RoundRobin,
    LeastLoaded,
    Random,
    FillFirst,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LoadBalancingStrategy {
    #[default]
    LeastLoaded,
    RoundRobin,
    Random,
}

/// The endpoint's own certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsFiles {
    /// PEM file of the certificate, its chain behind it.
    pub cert_file: String,
    /// PEM file of its private key, not encrypted.
    pub key_file: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServerSettings {
    pub host: String,
    /// 0 asks the system for a free port. Wider than a port, so that one out of range is named like other bounds.
    pub port: u32,
    pub local_auth: LocalAuth,
    /// With it the port serves TLS beside plain HTTP, told apart by the first byte.
    pub tls: Option<TlsFiles>,
    /// Largest request body outside `/upload`, in MiB.
    #[ts(type = "number")]
    pub max_body_mb: u64,
    /// Largest request body under `/upload`, in MiB; always streamed.
    #[ts(type = "number")]
    pub max_upload_mb: u64,
    #[ts(type = "number")]
    pub shutdown_grace_seconds: u64,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 3146,
            local_auth: LocalAuth::Token,
            tls: None,
            max_body_mb: 64,
            max_upload_mb: 2048,
            shutdown_grace_seconds: 30,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UpstreamSettings {
    pub base_url: String,
    /// PEM file of certificate authorities trusted beside the system's, for the upstream and for https proxies.
    pub ca_file: Option<String>,
    /// Longest silence of the upstream, before the first byte and between bytes.
    #[ts(type = "number")]
    pub request_timeout_seconds: u64,
    #[ts(type = "number")]
    pub connect_timeout_seconds: u64,
    pub http2: Http2,
}

impl Default for UpstreamSettings {
    fn default() -> Self {
        Self {
            base_url: "https://generativelanguage.googleapis.com".to_owned(),
            ca_file: None,
            request_timeout_seconds: 300,
            connect_timeout_seconds: 10,
            http2: Http2::Auto,
        }
    }
}

/// What becomes of the keys of a proxy that fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FailurePolicy {
    /// They move to another proxy that works; without one, requests end in a clear error.
    #[default]
    Reassign,
    /// The same, and without one they go direct; each such request is counted and shown.
    ReassignThenDirect,
    /// They wait for their proxy.
    Fail,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ProxySettings {
    pub auto_assignment: bool,
    pub load_balancing_strategy: LoadBalancingStrategy,
    #[ts(type = "number")]
    pub health_check_interval_seconds: u64,
    pub max_errors_before_disable: u32,
    pub rebalance_threshold: u32,
    pub failure_policy: FailurePolicy,
}

impl Default for ProxySettings {
    fn default() -> Self {
        Self {
            auto_assignment: true,
            load_balancing_strategy: LoadBalancingStrategy::LeastLoaded,
            health_check_interval_seconds: 60,
            max_errors_before_disable: 3,
            rebalance_threshold: 1,
            failure_policy: FailurePolicy::default(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RotatingSettings {
    /// False keeps the rotating proxy and leaves it unused.
    pub enabled: bool,
    /// How often a request that it failed tries it again, and how many faults in a row it may have, before keys go
    /// their individual ways.
    pub max_retries: u32,
}

impl Default for RotatingSettings {
    fn default() -> Self {
        Self { enabled: true, max_retries: 2 }
    }
}

/// When a key that fails while others are served is let alone, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MonitoringSettings {
    /// Failures in a row that open a key's circuit.
    pub failure_threshold: u32,
    /// First wait of an open circuit; it doubles with each opening in a row, up to an hour.
    #[ts(type = "number")]
    pub recovery_time_seconds: u64,
    /// Failures older than this no longer count.
    #[ts(type = "number")]
    pub window_seconds: u64,
}

impl Default for MonitoringSettings {
    fn default() -> Self {
        Self { failure_threshold: 3, recovery_time_seconds: 30, window_seconds: 300 }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RequestLogSettings {
    /// How many finished requests are remembered.
    pub size: usize,
}

impl Default for RequestLogSettings {
    fn default() -> Self {
        Self { size: 500 }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    pub server: ServerSettings,
    pub upstream: UpstreamSettings,
    pub key_selection: KeySelection,
    pub max_attempts: u32,
    /// How long a request may wait for a key whose quota returns, before it is answered 429; 0 never waits.
    #[ts(type = "number")]
    pub max_wait_seconds: u64,
    /// Names that OpenAI clients may use for models of Gemini's: theirs → Gemini's.
    pub model_aliases: BTreeMap<String, String>,
    pub proxy: ProxySettings,
    pub rotating_proxy: RotatingSettings,
    pub monitoring: MonitoringSettings,
    pub request_log: RequestLogSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server: ServerSettings::default(),
            upstream: UpstreamSettings::default(),
            key_selection: KeySelection::default(),
            max_attempts: 4,
            max_wait_seconds: 0,
            model_aliases: BTreeMap::new(),
            proxy: ProxySettings::default(),
            rotating_proxy: RotatingSettings::default(),
            monitoring: MonitoringSettings::default(),
            request_log: RequestLogSettings::default(),
        }
    }
}

impl Settings {
    /// The port to bind; one out of range, which [`problems`](Self::problems) refuses, counts as 0.
    pub fn port(&self) -> u16 {
        u16::try_from(self.server.port).unwrap_or(0)
    }

    /// Every value out of bounds; empty when the settings may be used.
    pub fn problems(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        let mut within = |path: &str, value: u64, low: u64, high: u64| {
            if value < low || value > high {
                found.push(Problem::new(path, format!("{value} is out of range; use {low} to {high}.")));
            }
        };
        within("server.port", u64::from(self.server.port), 0, u64::from(u16::MAX));
        within("server.maxBodyMb", self.server.max_body_mb, 1, 1024);
        within("server.maxUploadMb", self.server.max_upload_mb, 1, 1_048_576);
        within("server.shutdownGraceSeconds", self.server.shutdown_grace_seconds, 0, 3600);
        within("upstream.requestTimeoutSeconds", self.upstream.request_timeout_seconds, 1, 86_400);
        within("upstream.connectTimeoutSeconds", self.upstream.connect_timeout_seconds, 1, 600);
        within("maxAttempts", u64::from(self.max_attempts), 1, 100);
        within("maxWaitSeconds", self.max_wait_seconds, 0, 3600);
        within("proxy.healthCheckIntervalSeconds", self.proxy.health_check_interval_seconds, 10, 600);
        within("proxy.maxErrorsBeforeDisable", u64::from(self.proxy.max_errors_before_disable), 1, 10);
        within("proxy.rebalanceThreshold", u64::from(self.proxy.rebalance_threshold), 0, 5);
        within("rotatingProxy.maxRetries", u64::from(self.rotating_proxy.max_retries), 0, 10);
        within("monitoring.failureThreshold", u64::from(self.monitoring.failure_threshold), 1, 100);
        within("monitoring.recoveryTimeSeconds", self.monitoring.recovery_time_seconds, 1, 3600);
        within("monitoring.windowSeconds", self.monitoring.window_seconds, 1, 86_400);
        within("requestLog.size", self.request_log.size as u64, 1, 100_000);
        if let Some(tls) = &self.server.tls {
            let files = [("server.tls.certFile", &tls.cert_file), ("server.tls.keyFile", &tls.key_file)];
            for (path, _) in files.iter().filter(|(_, file)| file.trim().is_empty()) {
                found.push(Problem::new(*path, "TLS needs both files, the certificate's and its key's."));
            }
        }
        found.extend(self.model_aliases.iter().filter_map(|(alias, model)| alias_problem(alias, model)));
        if let Err(problem) = parse_base_url(&self.upstream.base_url) {
            found.push(Problem::new("upstream.baseUrl", problem));
        }
        found
    }
}

/// An alias may be any name a client sends; what it stands for must be a model's name that can stand in a path.
fn alias_problem(alias: &str, model: &str) -> Option<Problem> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    let words = match (alias.trim().is_empty(), model.is_empty() || !model.bytes().all(fits)) {
        (true, _) => "a name is empty; write the name that your tool sends, then Gemini's.".to_owned(),
        (_, true) => format!("\"{alias}\" stands for no model's name; write for example gemini-3.8-flash."),
        (false, false) => return None,
    };
    Some(Problem::new("modelAliases", words))
}

/// The upstream's base: http or https, a host, no credentials, no query.
pub fn parse_base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| {
        format!("this is not a URL ({error}); write for example https://generativelanguage.googleapis.com.")
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("the scheme \"{}\" is not supported; use https or http.", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("credentials do not belong here; add the key under keys.".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("a query or fragment does not belong here; give the address alone.".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_have_no_problem() {
        assert_eq!(Settings::default().problems(), []);
    }

    #[test]
    fn each_bound_names_its_path() {
        let mut settings = Settings::default();
        settings.server.port = 70_000;
        settings.proxy.health_check_interval_seconds = 9;
        settings.proxy.max_errors_before_disable = 11;
        settings.rotating_proxy.max_retries = 11;
        settings.max_attempts = 0;
        settings.server.tls = Some(TlsFiles { cert_file: "cert.pem".to_owned(), key_file: String::new() });
        settings.upstream.base_url = "ftp://example.com".to_owned();
        let paths: Vec<_> = settings.problems().into_iter().map(|problem| problem.path).collect();
        assert_eq!(
            paths,
            [
                "server.port",
                "maxAttempts",
                "proxy.healthCheckIntervalSeconds",
                "proxy.maxErrorsBeforeDisable",
                "rotatingProxy.maxRetries",
                "server.tls.keyFile",
                "upstream.baseUrl"
            ]
        );
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let error = serde_json::from_str::<Settings>(r#"{"server":{"prot":1}}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `prot`"));
    }

    #[test]
    fn a_base_url_carries_no_credentials() {
        assert!(parse_base_url("https://user:pass@example.com").is_err());
        assert!(parse_base_url("https://example.com?key=1").is_err());
        assert!(parse_base_url("https://example.com/prefix").is_ok());
    }
}

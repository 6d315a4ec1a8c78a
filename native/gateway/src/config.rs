//! The YAML file: its shape, its defaults and every problem in it with line and column. It turns the text into
//! what the core opens with; environment and command line are laid over it elsewhere.
//!
//! Invariant: no message quotes a line of the file, because lines hold keys and passwords.

use std::collections::BTreeMap;
use std::sync::Arc;

use aggregator_core::keys::text::{check_key_text, check_name};
use aggregator_core::proxies::rotating;
use aggregator_core::proxies::url::ProxyUrl;
use aggregator_core::secret::Secret;
use aggregator_core::settings::{
    KeySelection, LocalAuth, MonitoringSettings, Problem, ProxySettings, RequestLogSettings,
    RotatingSettings, ServerSettings, Settings, TlsFiles, UpstreamSettings,
};
use aggregator_core::vault::{Assignment, Entered, EnteredKey, EnteredProxy, EnteredRotating};
use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    pub server: ServerSection,
    pub upstream: UpstreamSettings,
    pub keys: Vec<KeySection>,
    pub proxies: Vec<ProxySection>,
    pub key_selection: KeySelection,
    pub max_attempts: Option<u32>,
    pub max_wait_seconds: u64,
    pub model_aliases: BTreeMap<String, String>,
    pub proxy: ProxySettings,
    pub rotating_proxy: RotatingSection,
    pub monitoring: MonitoringSettings,
    pub persistence: PersistenceSection,
    pub request_log: RequestLogSettings,
    pub log: LogSection,
}

/// The core's server settings, and what only the stand-alone program has.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServerSection {
    pub host: String,
    pub port: u32,
    pub local_auth: LocalAuth,
    pub access_tokens: Vec<String>,
    pub admin_token: Option<String>,
    pub tls: Option<TlsFiles>,
    pub shutdown_grace_seconds: u64,
    pub max_body_mb: u64,
    pub max_upload_mb: u64,
}

impl Default for ServerSection {
    fn default() -> Self {
        let core = ServerSettings::default();
        Self {
            host: core.host,
            port: core.port,
            local_auth: core.local_auth,
            access_tokens: Vec::new(),
            admin_token: None,
            tls: None,
            shutdown_grace_seconds: core.shutdown_grace_seconds,
            max_body_mb: core.max_body_mb,
            max_upload_mb: core.max_upload_mb,
        }
    }
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeySection {
    pub name: Option<String>,
    pub key: String,
    #[serde(default = "one")]
    pub weight: u32,
    pub cooldown_seconds: Option<u32>,
    pub project: Option<String>,
    pub proxy: Option<String>,
    #[serde(default = "yes")]
    pub enabled: bool,
}

impl std::fmt::Debug for KeySection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySection").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProxySection {
    pub name: Option<String>,
    pub url: String,
}

impl std::fmt::Debug for ProxySection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxySection").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RotatingSection {
    pub url: Option<String>,
    pub enabled: bool,
    pub max_retries: Option<u32>,
}

impl std::fmt::Debug for RotatingSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RotatingSection").field("enabled", &self.enabled).finish_non_exhaustive()
    }
}

impl RotatingSection {
    fn entered(&self, problems: &mut Vec<Problem>) -> Option<EnteredRotating> {
        let Some(url) = &self.url else {
            if self.enabled {
                let words =
                    "a rotating proxy that is on needs its URL, for example user-rotate:password@host:port.";
                problems.push(Problem::new("rotatingProxy.url", words));
            }
            return None;
        };
        match rotating::parse(url) {
            Ok(url) => Some(EnteredRotating { url: Arc::new(url), enabled: self.enabled }),
            Err(error) => {
                problems.push(Problem::new("rotatingProxy.url", error.to_string()));
                None
            }
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PersistenceSection {
    pub sqlite_path: Option<String>,
    pub fallback_json_path: Option<String>,
    pub enabled: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LogSection {
    pub level: LogLevel,
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Json,
    Text,
}

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}

impl Config {
    pub fn settings(&self) -> Settings {
        let server = &self.server;
        Settings {
            server: ServerSettings {
                host: server.host.clone(),
                port: server.port,
                local_auth: server.local_auth,
                tls: server.tls.clone(),
                max_body_mb: server.max_body_mb,
                max_upload_mb: server.max_upload_mb,
                shutdown_grace_seconds: server.shutdown_grace_seconds,
            },
            upstream: self.upstream.clone(),
            key_selection: self.key_selection,
            max_attempts: self.max_attempts.unwrap_or(Settings::default().max_attempts),
            max_wait_seconds: self.max_wait_seconds,
            model_aliases: self.model_aliases.clone(),
            proxy: self.proxy.clone(),
            rotating_proxy: RotatingSettings {
                max_retries: self
                    .rotating_proxy
                    .max_retries
                    .unwrap_or(RotatingSettings::default().max_retries),
                ..RotatingSettings::default()
            },
            monitoring: self.monitoring.clone(),
            request_log: self.request_log.clone(),
        }
    }

    /// Keys, proxies and the assignments made by `proxy:` of a key; every entry that cannot be used is a problem.
    pub fn entered(&self) -> Result<Entered, Vec<Problem>> {
        let mut problems = Vec::new();
        let proxies = self.entered_proxies(&mut problems);
        let keys = self.entered_keys(&mut problems);
        let rotating = self.rotating_proxy.entered(&mut problems);
        let mut assignments = Vec::new();
        for (place, section) in self.keys.iter().enumerate() {
            let Some(wanted) = &section.proxy else { continue };
            let id = keys.get(place).map(|key: &EnteredKey| key.id.clone());
            match (proxies.iter().find(|proxy| proxy.name == *wanted), id) {
                (Some(proxy), Some(key_id)) => assignments.push(Assignment {
                    key_id,
                    proxy_id: Some(proxy.id.clone()),
                    assigned_at: 0,
                    is_manual: true,
                    home: None,
                }),
                (None, _) => problems.push(Problem::new(
                    format!("keys.{place}.proxy"),
                    format!("there is no proxy named \"{wanted}\" under proxies."),
                )),
                (Some(_), None) => {}
            }
        }
        if problems.is_empty() { Ok(Entered { keys, proxies, assignments, rotating }) } else { Err(problems) }
    }

    fn entered_proxies(&self, problems: &mut Vec<Problem>) -> Vec<EnteredProxy> {
        let mut proxies: Vec<EnteredProxy> = Vec::new();
        for (place, section) in self.proxies.iter().enumerate() {
            let url = match ProxyUrl::parse(&section.url) {
                Ok(url) => Arc::new(url),
                Err(error) => {
                    problems.push(Problem::new(format!("proxies.{place}.url"), error.to_string()));
                    continue;
                }
            };
            let name = section.name.clone().unwrap_or_else(|| format!("proxy-{}", place + 1));
            check_entry_name(
                &name,
                &format!("proxies.{place}.name"),
                proxies.iter().map(|proxy| &*proxy.name),
                problems,
            );
            if let Some(twin) = proxies.iter().find(|known| known.url == url) {
                let words = format!("this proxy is there already, under the name \"{}\".", twin.name);
                problems.push(Problem::new(format!("proxies.{place}.url"), words));
            }
            proxies.push(EnteredProxy { id: name.as_str().into(), name, url, enabled: true });
        }
        proxies
    }

    fn entered_keys(&self, problems: &mut Vec<Problem>) -> Vec<EnteredKey> {
        let mut keys: Vec<EnteredKey> = Vec::new();
        for (place, section) in self.keys.iter().enumerate() {
            let at = |field: &str| format!("keys.{place}.{field}");
            if let Err(error) = check_key_text(&section.key) {
                problems.push(Problem::new(at("key"), error.to_string()));
            }
            if !(1..=100).contains(&section.weight) {
                let words = format!("{} is out of range; use 1 to 100.", section.weight);
                problems.push(Problem::new(at("weight"), words));
            }
            if let Some(seconds) = section.cooldown_seconds.filter(|seconds| !(1..=86_400).contains(seconds))
            {
                problems.push(Problem::new(
                    at("cooldownSeconds"),
                    format!("{seconds} is out of range; use 1 to 86400."),
                ));
            }
            let name = section.name.clone().unwrap_or_else(|| format!("key-{}", place + 1));
            check_entry_name(&name, &at("name"), keys.iter().map(|key| &*key.name), problems);
            let secret = Secret::new(section.key.as_str());
            if let Some(twin) = keys.iter().find(|known| known.secret == secret) {
                let words = format!("this key is there already, under the name \"{}\".", twin.name);
                problems.push(Problem::new(at("key"), words));
            }
            keys.push(EnteredKey {
                id: name.as_str().into(),
                name,
                secret,
                project: section.project.clone(),
                weight: section.weight,
                cooldown_seconds: section.cooldown_seconds,
                enabled: section.enabled,
            });
        }
        keys
    }
}

fn check_entry_name<'a>(
    name: &str,
    path: &str,
    mut known: impl Iterator<Item = &'a str>,
    problems: &mut Vec<Problem>,
) {
    if let Err(words) = check_name(name) {
        problems.push(Problem::new(path, words));
    }
    if known.any(|other| other == name) {
        problems.push(Problem::new(path, format!("the name \"{name}\" is there twice; give each its own.")));
    }
}

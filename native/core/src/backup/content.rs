//! What stands in a backup: keys, proxies and which key leaves through which, as the user entered them. It owns the
//! names and forms of the fields and what is left out of a backup without secrets, and knows nothing of encryption
//! or of what a restore makes of it.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use secrecy::ExposeSecret;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::{BackupError, quoted};
use crate::ids::{KeyId, ProxyId};
use crate::proxies::rotating;
use crate::proxies::url::ProxyUrl;
use crate::secret::Secret;
use crate::vault::{Assignment, Entered, EnteredKey, EnteredProxy, EnteredRotating};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Content {
    pub keys: Vec<KeyEntry>,
    pub proxies: Vec<ProxyEntry>,
    pub assignments: Vec<AssignmentEntry>,
    /// Only where the content is encrypted: without its credentials a rotating proxy is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotating: Option<RotatingEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotatingEntry {
    #[serde(serialize_with = "write_url", deserialize_with = "read_url")]
    pub url: Secret,
    pub enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyEntry {
    pub id: KeyId,
    pub name: String,
    /// The key's text; only where the content is encrypted.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write",
        deserialize_with = "read"
    )]
    pub key: Option<Secret>,
    /// Recognises a key that is there when its text is not; only where the content is not encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    pub weight: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_seconds: Option<u32>,
    pub enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProxyEntry {
    pub id: ProxyId,
    pub name: String,
    #[serde(serialize_with = "write_url", deserialize_with = "read_url")]
    pub url: Secret,
    /// The proxy has a user name or a password that are not in this backup.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub credentials_left_out: bool,
    pub enabled: bool,
}

/// What the user chose, or where the balancer put the key: a key away from its failed proxy is still that proxy's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssignmentEntry {
    pub key_id: KeyId,
    /// `null` is a pinned "No Proxy".
    pub proxy_id: Option<ProxyId>,
    pub is_manual: bool,
}

impl Content {
    /// With `secrets` everything; without, no key's text and no proxy's credentials.
    pub fn of(entered: &Entered, secrets: bool) -> Self {
        Self {
            keys: entered.keys.iter().map(|key| KeyEntry::of(key, secrets)).collect(),
            proxies: entered.proxies.iter().map(|proxy| ProxyEntry::of(proxy, secrets)).collect(),
            assignments: entered.assignments.iter().map(AssignmentEntry::of).collect(),
            rotating: entered.rotating.as_ref().filter(|_| secrets).map(RotatingEntry::of),
        }
    }

    /// Whether the parts fit together and the secrets are where they may be. What a key or a proxy may look like is
    /// checked where it is restored.
    pub fn check(&self, secrets: bool) -> Result<(), BackupError> {
        let damaged = || Err(BackupError::Damaged(None));
        let keys = distinct(self.keys.iter().map(|key| &key.id));
        let proxies = distinct(self.proxies.iter().map(|proxy| &proxy.id));
        let (Some(keys), Some(proxies)) = (keys, proxies) else { return damaged() };
        if self.keys.iter().any(|key| key.key.is_some() != secrets) {
            return damaged();
        }
        let misplaced = |proxy: &ProxyEntry| {
            if secrets { proxy.credentials_left_out } else { proxy.url.expose().contains('@') }
        };
        if self.proxies.iter().any(misplaced) || (self.rotating.is_some() && !secrets) {
            return damaged();
        }
        if distinct(self.assignments.iter().map(|entry| &entry.key_id)).is_none() {
            return damaged();
        }
        let fits = |entry: &AssignmentEntry| {
            keys.contains(&entry.key_id)
                && entry.proxy_id.as_ref().map_or(entry.is_manual, |proxy| proxies.contains(proxy))
        };
        if self.assignments.iter().all(fits) { Ok(()) } else { damaged() }
    }
}

impl KeyEntry {
    fn of(key: &EnteredKey, secrets: bool) -> Self {
        Self {
            id: key.id.clone(),
            name: key.name.clone(),
            key: secrets.then(|| key.secret.clone()),
            fingerprint: (!secrets).then(|| key.secret.fingerprint()),
            project: key.project.clone(),
            weight: key.weight,
            cooldown_seconds: key.cooldown_seconds,
            enabled: key.enabled,
        }
    }
}

impl ProxyEntry {
    fn of(proxy: &EnteredProxy, secrets: bool) -> Self {
        let bare = proxy.url.without_credentials();
        let left_out = !secrets && bare != *proxy.url;
        let url = if left_out { &bare } else { &*proxy.url };
        Self {
            id: proxy.id.clone(),
            name: proxy.name.clone(),
            url: Secret::new(url.to_secret_string().expose_secret()),
            credentials_left_out: left_out,
            enabled: proxy.enabled,
        }
    }

    pub fn parsed(&self) -> Result<ProxyUrl, BackupError> {
        ProxyUrl::parse(self.url.expose()).map_err(|error| {
            BackupError::Entry(format!("Proxy {} in the backup: {error}", quoted(&self.name)))
        })
    }
}

impl RotatingEntry {
    fn of(rotating: &EnteredRotating) -> Self {
        let url = Secret::new(rotating.url.to_secret_string().expose_secret());
        Self { url, enabled: rotating.enabled }
    }

    pub fn entered(&self) -> Result<EnteredRotating, BackupError> {
        let url = rotating::parse(self.url.expose())
            .map_err(|error| BackupError::Entry(format!("The rotating proxy in the backup: {error}")))?;
        Ok(EnteredRotating { url: Arc::new(url), enabled: self.enabled })
    }
}

impl AssignmentEntry {
    fn of(entry: &Assignment) -> Self {
        let (proxy_id, is_manual) = choice(entry);
        Self { key_id: entry.key_id.clone(), proxy_id: proxy_id.cloned(), is_manual }
    }
}

/// Where the key belongs, and whether by hand: its home, when it is away from one.
pub fn choice(entry: &Assignment) -> (Option<&ProxyId>, bool) {
    match &entry.home {
        Some(home) => (Some(home), true),
        None => (entry.proxy_id.as_ref(), entry.is_manual),
    }
}

/// `None` when one is there twice.
fn distinct<T: Eq + Hash>(all: impl Iterator<Item = T>) -> Option<HashSet<T>> {
    let mut seen = HashSet::new();
    for one in all {
        if !seen.insert(one) {
            return None;
        }
    }
    Some(seen)
}

fn write<S: Serializer>(secret: &Option<Secret>, to: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(Secret::expose).serialize(to)
}

fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(Secret::new))
}

fn write_url<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose())
}

fn read_url<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    String::deserialize(from).map(Secret::new)
}

//! What the user entered, as plain data, and the trait by which a host keeps it: VS Code's SecretStorage through
//! the addon, the YAML file headless. What the system learned (cooldowns, counters, faults) is not here.
//!
//! Invariant: a change is saved before it is applied, so nothing the user was told of can be lost or half-done.

pub mod legacy;
pub mod secrets;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::ids::{KeyId, ProxyId};
use crate::proxies::url::ProxyUrl;
use crate::secret::Secret;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnteredKey {
    pub id: KeyId,
    pub name: String,
    pub secret: Secret,
    pub project: Option<String>,
    /// Share of requests among available keys, 1 to 100.
    pub weight: u32,
    /// Wait after a refusal that names no delay; the default is 60.
    pub cooldown_seconds: Option<u32>,
    pub enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnteredProxy {
    pub id: ProxyId,
    pub name: String,
    pub url: Arc<ProxyUrl>,
    pub enabled: bool,
}

/// The one proxy for all keys while it is switched on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnteredRotating {
    pub url: Arc<ProxyUrl>,
    pub enabled: bool,
}

/// Which proxy a key leaves through. `proxy_id: None` is a pinned "No Proxy" and therefore always manual.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    pub key_id: KeyId,
    #[serde(deserialize_with = "said")]
    pub proxy_id: Option<ProxyId>,
    pub assigned_at: Millis,
    pub is_manual: bool,
    /// The proxy chosen by hand that failed: the key is away from it and returns when it works again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<ProxyId>,
}

/// `null` pins "No Proxy", a missing field means nothing: a damaged entry must not send its key out directly.
fn said<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<ProxyId>, D::Error> {
    Option::deserialize(deserializer)
}

/// Everything the user entered, in the order entered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entered {
    pub keys: Vec<EnteredKey>,
    pub proxies: Vec<EnteredProxy>,
    pub assignments: Vec<Assignment>,
    pub rotating: Option<EnteredRotating>,
}

impl Entered {
    /// Fleets are large: whoever compares two states looks entries up here, once for all of them.
    pub(crate) fn keys_by_id(&self) -> HashMap<&KeyId, &EnteredKey> {
        self.keys.iter().map(|key| (&key.id, key)).collect()
    }

    pub(crate) fn proxies_by_id(&self) -> HashMap<&ProxyId, &EnteredProxy> {
        self.proxies.iter().map(|proxy| (&proxy.id, proxy)).collect()
    }

    pub(crate) fn assignments_by_key(&self) -> HashMap<&KeyId, &Assignment> {
        self.assignments.iter().map(|entry| (&entry.key_id, entry)).collect()
    }
}

/// Why a change could not be kept, in words without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultError(pub String);

#[async_trait]
pub trait Vault: Send + Sync {
    /// Keeps `after` where `before` was kept; returns once it is safe.
    async fn save(&self, before: &Entered, after: &Entered) -> Result<(), VaultError>;

    /// Called when this program has become the one that writes: carries out what reading left to do, a migration say.
    async fn begin(&self) -> Result<(), VaultError> {
        Ok(())
    }

    /// What shall be in force when the host's file says `declared` and `now` is in force: the file's word, unless what
    /// was entered beside it is kept.
    fn merge(&self, declared: &Entered, _now: &Entered) -> Entered {
        declared.clone()
    }

    /// Keeps `after`, which [`merge`](Self::merge) made of `declared`.
    async fn save_declared(
        &self,
        _declared: &Entered,
        before: &Entered,
        after: &Entered,
    ) -> Result<(), VaultError> {
        self.save(before, after).await
    }

    /// What the user should know of a change that was saved here, as a sentence.
    fn caution(&self) -> Option<&'static str> {
        None
    }
}

/// The vault of a program whose input is a file the user writes: nothing is written back.
pub struct DeclaredVault;

#[async_trait]
impl Vault for DeclaredVault {
    async fn save(&self, _before: &Entered, _after: &Entered) -> Result<(), VaultError> {
        Ok(())
    }
}

//! The vault as named secrets, the form of VS Code's SecretStorage: which names exist, how their texts are written and
//! which writes turn one state into the next; reading them is in `reading`. Storing them is the host's part. The names
//! and the shapes of `geminiApiKeysIds`, `geminiProxyPool` and `geminiProxyAssignments` are those of earlier versions.
//!
//! Invariant: the writes are ordered so that stopping after any of them leaves a state that loads: a key's text
//! is stored before the index names it, and the index forgets a key before its text is deleted.

mod copy;
mod reading;
mod rotating;

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use super::Entered;
pub use copy::{texts_of, writes_over};
pub use reading::{Loaded, load, secret_names};
pub(super) use reading::{free_name, is_placeholder, listed_ids, shown};

pub const KEY_INDEX: &str = "geminiApiKeysIds";
pub const KEY_DETAILS: &str = "geminiApiKeyDetails";
pub const PROXY_POOL: &str = "geminiProxyPool";
pub const ASSIGNMENTS: &str = "geminiProxyAssignments";
pub const ROTATING: &str = "geminiRotatingProxyConfig";
const FIXED: [&str; 5] = [KEY_INDEX, KEY_DETAILS, PROXY_POOL, ASSIGNMENTS, ROTATING];

/// One store (`value`) or deletion (`null`) in the user's secret store. Carry them out in the order given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SecretWrite {
    pub name: String,
    pub value: Option<String>,
}

/// The secrets of today's form, save the keys' own texts and the rotating proxy, in the order in which they are written.
pub(super) fn texts(entered: &Entered) -> [(&'static str, String); 4] {
    [
        (PROXY_POOL, pool_text(entered)),
        (ASSIGNMENTS, assignments_text(entered)),
        (KEY_DETAILS, details_text(entered)),
        (KEY_INDEX, index_text(entered)),
    ]
}

/// The writes that turn the stored `before` into `after`, in an order safe to interrupt.
pub fn writes_between(before: &Entered, after: &Entered) -> Vec<SecretWrite> {
    let mut writes = Vec::new();
    let (old_keys, new_keys) = (before.keys_by_id(), after.keys_by_id());
    for key in &after.keys {
        let known = old_keys.get(&key.id);
        if known.is_none_or(|old| old.secret != key.secret) {
            writes.push(store(key.id.as_str(), key.secret.expose().to_owned()));
        }
    }
    for ((name, old), (_, new)) in texts(before).into_iter().zip(texts(after)) {
        if old != new {
            writes.push(store(name, new));
        }
    }
    writes.extend(rotating::write_between(before, after));
    for key in &before.keys {
        if !new_keys.contains_key(&key.id) {
            writes.push(SecretWrite { name: key.id.to_string(), value: None });
        }
    }
    writes
}

pub(in crate::vault) fn store(name: &str, value: String) -> SecretWrite {
    SecretWrite { name: name.to_owned(), value: Some(value) }
}

fn index_text(entered: &Entered) -> String {
    let ids: Vec<&str> = entered.keys.iter().map(|key| key.id.as_str()).collect();
    serde_json::json!(ids).to_string()
}

fn details_text(entered: &Entered) -> String {
    let keys: serde_json::Map<String, Value> = entered
        .keys
        .iter()
        .map(|key| {
            let details = serde_json::json!({
                "name": key.name, "project": key.project, "weight": key.weight,
                "cooldown_seconds": key.cooldown_seconds, "enabled": key.enabled,
            });
            (key.id.to_string(), details)
        })
        .collect();
    serde_json::json!({ "keys": keys }).to_string()
}

fn pool_text(entered: &Entered) -> String {
    let proxies: Vec<Value> = entered
        .proxies
        .iter()
        .map(|proxy| {
            serde_json::json!({
                "id": proxy.id, "name": proxy.name, "url": proxy.url.to_secret_string().expose_secret(), "enabled": proxy.enabled,
            })
        })
        .collect();
    serde_json::json!({ "proxies": proxies }).to_string()
}

fn assignments_text(entered: &Entered) -> String {
    serde_json::json!({ "assignments": entered.assignments }).to_string()
}

#[cfg(test)]
mod tests;

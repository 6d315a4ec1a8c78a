//! The vault as named secrets, the form of VS Code's SecretStorage: which names exist, how their texts are read,
//! and which writes turn one state into the next. Storing them is the host's part. The names and the shapes of
//! `geminiApiKeysIds`, `geminiProxyPool` and `geminiProxyAssignments` are those of earlier versions.
//!
//! Invariant: the writes are ordered so that stopping after any of them leaves a state that loads: a key's text
//! is stored before the index names it, and the index forgets a key before its text is deleted.

mod rotating;

use std::collections::HashMap;
use std::sync::Arc;

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Assignment, Entered, EnteredKey, EnteredProxy};
use crate::clock::Millis;
use crate::ids::{KeyId, ProxyId};
use crate::keys::text::check_key_text;
use crate::proxies::url::ProxyUrl;
use crate::secret::Secret;

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

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StoredPool {
    proxies: Vec<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_updated: Option<Millis>,
}

#[derive(Serialize, Deserialize)]
struct StoredProxy {
    id: ProxyId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    url: String,
    #[serde(default = "yes")]
    enabled: bool,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct StoredAssignments {
    assignments: Vec<serde_json::Value>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct StoredDetails {
    keys: HashMap<KeyId, KeyDetails>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
struct KeyDetails {
    name: Option<String>,
    project: Option<String>,
    weight: u32,
    cooldown_seconds: Option<u32>,
    enabled: bool,
}

impl Default for KeyDetails {
    fn default() -> Self {
        Self { name: None, project: None, weight: 1, cooldown_seconds: None, enabled: true }
    }
}

fn yes() -> bool {
    true
}

/// The names worth reading, given the text of [`KEY_INDEX`]. An unreadable index names no key.
pub fn secret_names(index: Option<&str>) -> Vec<String> {
    let ids: Vec<String> = index.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    FIXED.iter().map(|name| (*name).to_owned()).chain(ids).collect()
}

/// Reads what can be read. What cannot is left out and named in a warning, without its content.
pub fn load(secrets: &HashMap<String, String>) -> (Entered, Vec<String>) {
    let mut warnings = Vec::new();
    let entered = Entered {
        keys: load_keys(secrets, &mut warnings),
        proxies: load_proxies(secrets, &mut warnings),
        assignments: load_assignments(secrets, &mut warnings),
        rotating: rotating::load(secrets, &mut warnings),
    };
    (entered, warnings)
}

/// The JSON text under `name`, or the default with a warning when it is damaged.
fn read<T: Default + serde::de::DeserializeOwned>(
    secrets: &HashMap<String, String>,
    name: &str,
    warnings: &mut Vec<String>,
) -> T {
    let Some(text) = secrets.get(name) else { return T::default() };
    // serde also reads a list as a struct without fields, which would lose an object's content in silence.
    let wrong_form = (name == KEY_INDEX) != text.trim_start().starts_with('[');
    let value = if wrong_form { None } else { serde_json::from_str(text).ok() };
    value.unwrap_or_else(|| {
        warnings.push(format!(
            "The stored secret \"{name}\" is damaged and was not used; it is kept until the next change."
        ));
        T::default()
    })
}

fn load_keys(secrets: &HashMap<String, String>, warnings: &mut Vec<String>) -> Vec<EnteredKey> {
    let ids: Vec<KeyId> = read(secrets, KEY_INDEX, warnings);
    let details: StoredDetails = read(secrets, KEY_DETAILS, warnings);
    let mut keys: Vec<EnteredKey> = Vec::with_capacity(ids.len());
    for id in ids {
        if keys.iter().any(|key| key.id == id) {
            continue;
        }
        let Some(text) = secrets.get(id.as_str()) else {
            warnings.push(format!(
                "The text of the key \"{id}\" is gone from the secret store; add the key again."
            ));
            continue;
        };
        if check_key_text(text).is_err() {
            warnings
                .push(format!("The stored text of the key \"{id}\" is not a usable key; add the key again."));
            continue;
        }
        let detail = details.keys.get(&id).cloned().unwrap_or_default();
        keys.push(EnteredKey {
            name: detail.name.unwrap_or_else(|| id.to_string()),
            secret: Secret::new(text.as_str()),
            project: detail.project,
            weight: detail.weight.clamp(1, 100),
            cooldown_seconds: detail.cooldown_seconds,
            enabled: detail.enabled,
            id,
        });
    }
    keys
}

fn load_proxies(secrets: &HashMap<String, String>, warnings: &mut Vec<String>) -> Vec<EnteredProxy> {
    let pool: StoredPool = read(secrets, PROXY_POOL, warnings);
    let mut proxies: Vec<EnteredProxy> = Vec::with_capacity(pool.proxies.len());
    for (place, value) in pool.proxies.into_iter().enumerate() {
        let place = place + 1;
        let Ok(stored) = serde_json::from_value::<StoredProxy>(value) else {
            warnings.push(format!("Stored proxy {place} is damaged and was left out; add it again."));
            continue;
        };
        match ProxyUrl::parse(&stored.url) {
            Ok(url) if !proxies.iter().any(|known| known.id == stored.id || *known.url == url) => {
                let name = stored.name.unwrap_or_else(|| url.masked());
                proxies.push(EnteredProxy {
                    id: stored.id,
                    name,
                    url: Arc::new(url),
                    enabled: stored.enabled,
                });
            }
            Ok(_) => warnings.push(format!("Stored proxy {place} is there twice and was left out once.")),
            Err(error) => warnings.push(format!("Stored proxy {place} was left out: {error}")),
        }
    }
    proxies
}

fn load_assignments(secrets: &HashMap<String, String>, warnings: &mut Vec<String>) -> Vec<Assignment> {
    let stored: StoredAssignments = read(secrets, ASSIGNMENTS, warnings);
    let total = stored.assignments.len();
    let read: Vec<Assignment> =
        stored.assignments.into_iter().filter_map(|value| serde_json::from_value(value).ok()).collect();
    if read.len() < total {
        warnings.push(format!(
            "{} stored assignments are damaged; those keys are placed anew.",
            total - read.len()
        ));
    }
    read
}

/// The writes that turn the stored `before` into `after`, in an order safe to interrupt.
pub fn writes_between(before: &Entered, after: &Entered) -> Vec<SecretWrite> {
    let mut writes = Vec::new();
    for key in &after.keys {
        let known = before.keys.iter().find(|old| old.id == key.id);
        if known.is_none_or(|old| old.secret != key.secret) {
            writes.push(store(key.id.as_str(), key.secret.expose().to_owned()));
        }
    }
    push_if_changed(&mut writes, PROXY_POOL, pool_text(before), pool_text(after));
    push_if_changed(&mut writes, ASSIGNMENTS, assignments_text(before), assignments_text(after));
    writes.extend(rotating::write_between(before, after));
    push_if_changed(&mut writes, KEY_DETAILS, details_text(before), details_text(after));
    push_if_changed(&mut writes, KEY_INDEX, index_text(before), index_text(after));
    for key in &before.keys {
        if !after.keys.iter().any(|kept| kept.id == key.id) {
            writes.push(SecretWrite { name: key.id.to_string(), value: None });
        }
    }
    writes
}

fn store(name: &str, value: String) -> SecretWrite {
    SecretWrite { name: name.to_owned(), value: Some(value) }
}

fn push_if_changed(writes: &mut Vec<SecretWrite>, name: &str, before: String, after: String) {
    if before != after {
        writes.push(store(name, after));
    }
}

fn index_text(entered: &Entered) -> String {
    let ids: Vec<&str> = entered.keys.iter().map(|key| key.id.as_str()).collect();
    serde_json::json!(ids).to_string()
}

fn details_text(entered: &Entered) -> String {
    let keys: serde_json::Map<String, serde_json::Value> = entered
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
    let proxies: Vec<serde_json::Value> = entered
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
mod tests {
    use super::*;

    fn key(id: &str) -> EnteredKey {
        EnteredKey {
            id: id.into(),
            name: format!("name of {id}"),
            secret: Secret::new(format!("test-key-of-{id}")),
            project: Some("p".to_owned()),
            weight: 2,
            cooldown_seconds: Some(5),
            enabled: false,
        }
    }

    fn sample() -> Entered {
        Entered {
            keys: vec![key("api-key-1"), key("api-key-2")],
            proxies: vec![EnteredProxy {
                id: "proxy_1_a".into(),
                name: "eu".to_owned(),
                url: Arc::new(ProxyUrl::parse("socks5://user:pass@127.0.0.1:1080").unwrap()),
                enabled: true,
            }],
            assignments: vec![Assignment {
                key_id: "api-key-1".into(),
                proxy_id: Some("proxy_1_a".into()),
                assigned_at: 7,
                is_manual: true,
                home: None,
            }],
            rotating: None,
        }
    }

    fn apply(stored: &mut HashMap<String, String>, writes: &[SecretWrite]) {
        for write in writes {
            match &write.value {
                Some(value) => stored.insert(write.name.clone(), value.clone()),
                None => stored.remove(&write.name),
            };
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut stored = HashMap::new();
        apply(&mut stored, &writes_between(&Entered::default(), &sample()));
        assert_eq!(load(&stored), (sample(), vec![]));
        assert_eq!(secret_names(stored.get(KEY_INDEX).map(String::as_str))[5..], ["api-key-1", "api-key-2"]);
    }

    #[test]
    fn stopping_after_any_write_leaves_a_loadable_state() {
        let before = sample();
        let mut after = sample();
        after.keys.remove(0);
        after.keys.push(key("api-key-3"));
        let writes = writes_between(&before, &after);
        for stop in 0..=writes.len() {
            let mut stored = HashMap::new();
            apply(&mut stored, &writes_between(&Entered::default(), &before));
            apply(&mut stored, &writes[..stop]);
            let (loaded, warnings) = load(&stored);
            assert_eq!(warnings, Vec::<String>::new(), "after {stop} writes");
            assert_eq!(loaded.keys.len(), 2, "after {stop} writes");
        }
    }

    #[test]
    fn a_removed_key_leaves_no_secret_behind() {
        let mut stored = HashMap::new();
        apply(&mut stored, &writes_between(&Entered::default(), &sample()));
        apply(&mut stored, &writes_between(&sample(), &Entered::default()));
        assert!(
            stored.values().all(|text| !text.contains("test-key") && !text.contains("pass")),
            "{stored:?}"
        );
    }

    #[test]
    fn damage_is_named_and_the_rest_is_loaded() {
        let mut stored = HashMap::new();
        apply(&mut stored, &writes_between(&Entered::default(), &sample()));
        stored.remove("api-key-2");
        stored.insert(
            PROXY_POOL.to_owned(),
            r#"{"proxies":[{"id":"a","url":"ftp://x:secret@h:1"},{"id":"b","url":"http://h:8080"}]}"#
                .to_owned(),
        );
        stored.insert(ASSIGNMENTS.to_owned(), "{".to_owned());
        stored.insert(KEY_DETAILS.to_owned(), "[]".to_owned());
        let (loaded, warnings) = load(&stored);
        assert_eq!((loaded.keys.len(), loaded.proxies.len(), loaded.assignments.len()), (1, 1, 0));
        assert_eq!(warnings.len(), 4);
        assert!(!warnings.concat().contains("secret@"), "{warnings:?}");
    }
}

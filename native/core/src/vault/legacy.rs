//! What earlier versions stored, taken over into today's form: which of their secrets are worth reading, what they add
//! to what was entered, which settings they hint at, and the writes that make it last. Pure: time and randomness are
//! arguments, storing is the host's part. Cooldowns, counters and histories of earlier versions are not taken over.
//!
//! Invariant: nothing old is deleted or overwritten before the new was read back whole at a later start: texts that are
//! replaced are kept aside first, the mark that all is taken over is written last, and only a start that finds mark and
//! whole texts deletes. Stopped anywhere, the next start takes over the same once more and doubles nothing.

mod settings;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

pub use self::settings::LegacySettings;
use super::secrets::{
    ASSIGNMENTS, KEY_DETAILS, KEY_INDEX, Loaded, PROXY_POOL, ROTATING, SecretWrite, free_name,
    is_placeholder, listed_ids, load, shown, store, texts,
};
use super::{Assignment, Entered, EnteredKey, EnteredProxy};
use crate::clock::Millis;
use crate::ids::{KeyId, ProxyId, mint};
use crate::proxies::url::ProxyUrl;
use crate::salvage;

const VERSION: &str = "proxyMigrationVersion";
/// The mark of this form; the second generation wrote 1.0.0.
const THIS_FORM: &str = "2.0.0";
const OLD_POOL: &str = "geminiProxies";
const OLD_ROTATING: &str = "geminiRotatingProxy";
const OLD_SETTINGS: &str = "geminiProxySettings";
const STATUS_PREFIX: &str = "apiKeyStatus_";
const ASIDE: &str = ".before-2.0.0";
/// Texts that earlier versions share with today; the index last, because it tells whose status there was.
const SHARED: [&str; 5] = [PROXY_POOL, ASSIGNMENTS, ROTATING, KEY_DETAILS, KEY_INDEX];

/// What the vault was found to hold, and what is to be done about it.
#[derive(Debug, Default, PartialEq)]
pub struct Found {
    pub entered: Entered,
    /// One sentence for each thing that could not be read or taken over.
    pub warnings: Vec<String>,
    /// What was taken over, for the log.
    pub notes: Vec<String>,
    /// To be carried out in order by the program that writes, before anything else is stored.
    pub writes: Vec<SecretWrite>,
    pub settings: Option<LegacySettings>,
}

pub(super) fn fixed_names() -> impl Iterator<Item = String> {
    let own = [VERSION, OLD_POOL, OLD_ROTATING, OLD_SETTINGS].into_iter().map(str::to_owned);
    own.chain(SHARED.into_iter().map(aside))
}

/// The mark that everything earlier is taken over, for a store that still holds some of it without the mark.
pub(super) fn missing_mark(secrets: &HashMap<String, String>) -> Option<SecretWrite> {
    let something_old = secrets.keys().any(|name| name != VERSION && is_reserved(name));
    let marked = secrets.get(VERSION).is_some_and(|mark| mark == THIS_FORM);
    (something_old && !marked).then(|| store(VERSION, THIS_FORM.to_owned()))
}

pub(super) fn status_name(id: &KeyId) -> String {
    format!("{STATUS_PREFIX}{id}")
}

/// Where a text that is replaced is kept until the new one is known to be whole.
pub(super) fn aside(name: &str) -> String {
    format!("{name}{ASIDE}")
}

pub(super) fn is_reserved(name: &str) -> bool {
    name.starts_with(STATUS_PREFIX) || fixed_names().any(|own| own == name)
}

/// Reads everything, today's form and earlier ones.
pub fn read(secrets: &HashMap<String, String>, now: Millis, rng: &mut fastrand::Rng) -> Found {
    let loaded = load(secrets);
    let version = secrets.get(VERSION).map(String::as_str);
    let something_old = secrets.keys().any(|name| name != VERSION && is_reserved(name));
    if version == Some(THIS_FORM) && (!something_old || loaded.warnings.is_empty()) {
        let writes = clean_up(secrets, &loaded.entered);
        let Loaded { entered, warnings, .. } = loaded;
        return Found { entered, warnings, writes, ..Found::default() };
    }
    if version.is_none() && !something_old {
        let Loaded { entered, warnings, .. } = loaded;
        return Found { entered, warnings, ..Found::default() };
    }
    // The second generation kept what it had taken over from the first; taking that again would bring removed proxies
    // back.
    let whole = secrets.contains_key(PROXY_POOL) && !loaded.damaged.contains(&PROXY_POOL);
    let second = version.is_some() && (whole || secrets.contains_key(&aside(PROXY_POOL)));
    let Loaded { entered, warnings, damaged } = loaded;
    Taking { secrets, now, rng, second, entered, warnings }.all(&damaged)
}

struct Taking<'a> {
    secrets: &'a HashMap<String, String>,
    now: Millis,
    rng: &'a mut fastrand::Rng,
    /// The second generation, or a later one, wrote this, and its pool is whole.
    second: bool,
    entered: Entered,
    warnings: Vec<String>,
}

impl Taking<'_> {
    fn all(mut self, damaged: &[&str]) -> Found {
        self.kept_aside(damaged);
        if !self.second {
            self.old_pool();
        }
        for place in 0..self.entered.keys.len() {
            self.status(place);
        }
        self.drop_dangling();
        self.rotating();
        let settings =
            self.secrets.get(OLD_SETTINGS).map(|text| LegacySettings::read(text, &mut self.warnings));
        let Entered { keys, proxies, assignments, .. } = &self.entered;
        let notes = vec![format!(
            "Taken over from an earlier version: {} keys, {} proxies, {} assignments. Its data is deleted at the next start.",
            keys.len(),
            proxies.len(),
            assignments.len()
        )];
        let writes = writes(self.secrets, &self.entered, damaged);
        Found { entered: self.entered, warnings: self.warnings, notes, writes, settings }
    }

    /// Where what replaced it turned out damaged, the text kept aside helps once more.
    fn kept_aside(&mut self, damaged: &[&str]) {
        let wanted = [PROXY_POOL, ASSIGNMENTS].into_iter().filter(|name| damaged.contains(name));
        let texts: HashMap<String, String> = wanted
            .filter_map(|name| Some((name.to_owned(), self.secrets.get(&aside(name))?.clone())))
            .collect();
        let older = load(&texts).entered;
        for proxy in older.proxies.into_iter().filter(|proxy| !is_placeholder(proxy)) {
            self.entered.proxies.retain(|known| known.id != proxy.id || !is_placeholder(known));
            if !self.entered.proxies.iter().any(|known| known.id == proxy.id || known.url == proxy.url) {
                self.entered.proxies.push(proxy);
            }
        }
        for entry in older.assignments {
            if !self.is_assigned(&entry.key_id) {
                self.entered.assignments.push(entry);
            }
        }
    }

    /// The first generation's pool: a list of URLs.
    fn old_pool(&mut self) {
        let Some(text) = self.secrets.get(OLD_POOL) else { return };
        let urls: Vec<Value> = serde_json::from_str(text).unwrap_or_else(|_| {
            let words = format!(
                "The earlier version's list of proxies ({OLD_POOL}) is damaged; what is whole in it is used."
            );
            self.warnings.push(words);
            // What lies between two entries is no URL.
            salvage::strings(text).into_iter().filter(|text| text.contains("://")).map(Value::from).collect()
        });
        for (place, url) in urls.iter().enumerate() {
            let found = url.as_str().ok_or_else(|| "it is no text.".to_owned());
            if let Err(words) = found.and_then(|url| self.proxy_at(url)) {
                let place = place + 1;
                self.warnings
                    .push(format!("Proxy {place} of the earlier version's list was left out: {words}"));
            }
        }
    }

    /// The proxy with this URL, added when there is none.
    fn proxy_at(&mut self, url: &str) -> Result<ProxyId, String> {
        let url = ProxyUrl::parse(url.trim()).map_err(|error| error.to_string())?;
        let proxies = &mut self.entered.proxies;
        if let Some(known) = proxies.iter().find(|known| *known.url == url) {
            return Ok(known.id.clone());
        }
        let id = ProxyId::from(mint("proxy", self.now, self.rng));
        let name = free_name(&url, proxies);
        proxies.push(EnteredProxy { id: id.clone(), name, url: Arc::new(url), enabled: true });
        Ok(id)
    }

    /// What earlier versions kept beside the key at `place`: whether it is disabled, and its proxy.
    fn status(&mut self, place: usize) {
        let Some(key) = self.entered.keys.get_mut(place) else { return };
        let (id, name) = (key.id.clone(), shown(&key.name));
        let Some(text) = self.secrets.get(&status_name(&id)) else { return };
        let Ok(Value::Object(status)) = serde_json::from_str(text) else {
            let words =
                format!("What the earlier version kept of the key \"{name}\" is damaged; check its proxy.");
            self.warnings.push(words);
            return;
        };
        let field = |name: &str| status.get(name).and_then(Value::as_str);
        // Once details are stored, the user may have enabled it again.
        if field("status") == Some("disabled") && !self.secrets.contains_key(KEY_DETAILS) {
            key.enabled = false;
            self.warnings.push(format!(
                "The key \"{name}\" was disabled in the earlier version and stays so; enable it to use it again."
            ));
        }
        if self.is_assigned(&id) {
            return;
        }
        let at = status.get("proxyAssignedAt").and_then(Value::as_u64).unwrap_or(self.now);
        let by_id = field("assignedProxyId").map(ProxyId::from);
        let by_id = by_id.filter(|id| self.entered.proxies.iter().any(|proxy| proxy.id == *id));
        let (proxy, is_manual) = match (by_id, field("proxy")) {
            (Some(id), _) => (id, false),
            // By hand, as the second generation took it over: the key keeps the proxy it has always had.
            (None, Some(url)) if !self.second => match self.proxy_at(url) {
                Ok(id) => (id, true),
                Err(words) => {
                    let words =
                        format!("The proxy of the key \"{name}\" was left out, another is assigned: {words}");
                    self.warnings.push(words);
                    return;
                }
            },
            _ => return,
        };
        self.entered.assignments.push(Assignment {
            key_id: id,
            proxy_id: Some(proxy),
            assigned_at: at,
            is_manual,
            home: None,
        });
    }

    fn is_assigned(&self, key: &KeyId) -> bool {
        self.entered.assignments.iter().any(|entry| entry.key_id == *key)
    }

    fn drop_dangling(&mut self) {
        let Self { entered: Entered { keys, proxies, assignments, .. }, warnings, .. } = self;
        let keys: HashMap<&KeyId, &EnteredKey> = keys.iter().map(|key| (&key.id, key)).collect();
        assignments.retain(|entry| {
            let Some(key) = keys.get(&entry.key_id) else { return false };
            let is_there = |id: &ProxyId| proxies.iter().any(|proxy| proxy.id == *id);
            let fits = entry.proxy_id.as_ref().is_none_or(is_there);
            if !fits {
                warnings.push(format!(
                    "The proxy of the key \"{}\" is no longer in the pool; another is assigned.",
                    shown(&key.name)
                ));
            }
            fits
        });
    }

    fn rotating(&mut self) {
        if self.secrets.get(OLD_ROTATING).is_some_and(|text| text.trim() == "true") {
            let words = "In the earlier version all keys took turns over the proxies (rotating mode). Now each key keeps \
                         one proxy of the same pool; a rotating provider is configured as rotating proxy.";
            self.warnings.push(words.to_owned());
        }
    }
}

/// From what is stored to today's form of `entered`.
fn writes(secrets: &HashMap<String, String>, entered: &Entered, damaged: &[&str]) -> Vec<SecretWrite> {
    let differs = |name: &str, text: &str| secrets.get(name).is_none_or(|stored| stored != text);
    let mut fresh: Vec<(&str, Option<String>)> = Vec::new();
    fresh.extend(damaged.contains(&ROTATING).then_some((ROTATING, None)));
    fresh.extend(
        texts(entered)
            .into_iter()
            .filter(|(name, text)| differs(name, text))
            .map(|(name, text)| (name, Some(text))),
    );
    let mut writes = Vec::new();
    for (name, _) in &fresh {
        let copy = aside(name);
        // A copy made before an interruption is the older one.
        if let Some(old) = secrets.get(*name).filter(|_| !secrets.contains_key(&copy)) {
            writes.push(store(&copy, old.clone()));
        }
    }
    let texts_of_keys = entered.keys.iter().filter(|key| differs(key.id.as_str(), key.secret.expose()));
    writes.extend(texts_of_keys.map(|key| store(key.id.as_str(), key.secret.expose().to_owned())));
    writes.extend(fresh.into_iter().map(|(name, value)| SecretWrite { name: name.to_owned(), value }));
    if differs(VERSION, THIS_FORM) {
        writes.push(store(VERSION, THIS_FORM.to_owned()));
    }
    writes
}

/// All is taken over and was read back whole: what earlier versions kept goes.
fn clean_up(secrets: &HashMap<String, String>, entered: &Entered) -> Vec<SecretWrite> {
    let mut names: Vec<String> =
        secrets.keys().filter(|name| name.starts_with(STATUS_PREFIX)).cloned().collect();
    names.sort_unstable();
    names.extend([OLD_POOL, OLD_ROTATING, OLD_SETTINGS].map(str::to_owned));
    names.extend(twins(secrets, &entered.keys).map(|id| id.to_string()));
    names.extend(SHARED.into_iter().map(aside));
    names.retain(|name| secrets.contains_key(name));
    names.into_iter().map(|name| SecretWrite { name, value: None }).collect()
}

/// Keys that were left out because their text is that of another key, which stays.
fn twins(secrets: &HashMap<String, String>, keys: &[EnteredKey]) -> impl Iterator<Item = KeyId> {
    let before = secrets.get(&aside(KEY_INDEX)).map(|text| listed_ids(text).0).unwrap_or_default();
    before.into_iter().filter(|id| {
        let text = secrets.get(id.as_str()).map(|text| text.trim());
        !keys.iter().any(|key| key.id == *id) && keys.iter().any(|key| Some(key.secret.expose()) == text)
    })
}

#[cfg(test)]
mod tests;

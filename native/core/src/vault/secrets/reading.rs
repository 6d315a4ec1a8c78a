//! Reads the secrets of today's form, damaged ones included: what is whole is used, what is not is named without its
//! content. It writes nothing; what earlier versions kept under other names is `legacy`'s part.
//!
//! Invariant: damage opens no direct way out: a proxy that cannot be read stays in the pool, switched off, and the keys
//! on it wait for the user or move to another proxy.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::super::{Assignment, Entered, EnteredKey, EnteredProxy, legacy};
use super::{ASSIGNMENTS, FIXED, KEY_DETAILS, KEY_INDEX, PROXY_POOL, rotating};
use crate::ids::{KeyId, ProxyId};
use crate::keys::text::check_key_text;
use crate::proxies::url::ProxyUrl;
use crate::salvage;
use crate::secret::Secret;

/// Characters of a stored name that a sentence repeats.
const LONGEST_SHOWN: usize = 64;
/// Begins the host of a proxy that could not be read.
const UNREADABLE: &str = "unreadable-";

#[derive(Deserialize)]
struct StoredProxy {
    id: ProxyId,
    #[serde(default)]
    name: Option<String>,
    url: String,
    #[serde(default = "yes")]
    enabled: bool,
}

#[derive(Clone, Deserialize)]
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

/// Details that insist on what is always written, to find them in a damaged text.
#[derive(Deserialize)]
struct WholeDetails {
    name: String,
    project: Option<String>,
    weight: u32,
    cooldown_seconds: Option<u32>,
    enabled: bool,
}

impl From<WholeDetails> for KeyDetails {
    fn from(whole: WholeDetails) -> Self {
        let WholeDetails { name, project, weight, cooldown_seconds, enabled } = whole;
        Self { name: Some(name), project, weight, cooldown_seconds, enabled }
    }
}

fn yes() -> bool {
    true
}

/// What was read of the vault.
#[derive(Debug, Default, PartialEq)]
pub struct Loaded {
    pub entered: Entered,
    /// One sentence for each thing that could not be read, without its content.
    pub warnings: Vec<String>,
    /// The secrets that are not whole.
    pub damaged: Vec<&'static str>,
}

/// The names worth reading, given what was read so far: ask again with what they brought, until no name is new.
pub fn secret_names(known: &HashMap<String, String>) -> Vec<String> {
    let fixed = FIXED.iter().map(|name| (*name).to_owned()).chain(legacy::fixed_names());
    let of_keys = possible_ids(known).into_iter().flat_map(|id| [legacy::status_name(&id), id.to_string()]);
    let mut seen = HashSet::new();
    fixed.chain(of_keys).filter(|name| seen.insert(name.clone())).collect()
}

/// Every key that any record names. A damaged text may bring names that there are not.
fn possible_ids(known: &HashMap<String, String>) -> Vec<KeyId> {
    let mut unheard = Notes::default();
    let mut ids = Vec::new();
    for list in [KEY_INDEX, &legacy::aside(KEY_INDEX)] {
        ids.extend(known.get(list).map(|text| listed_ids(text).0).unwrap_or_default());
    }
    ids.extend(load_details(known, &mut unheard).into_iter().map(|(id, _)| id));
    ids.extend(load_assignments(known, &mut unheard).into_iter().map(|entry| entry.key_id));
    let mut seen = HashSet::new();
    ids.retain(|id| !is_reserved(id) && seen.insert(id.clone()));
    ids
}

/// Invariant: no key bears the name of another secret, or removing that key would delete it.
fn is_reserved(id: &KeyId) -> bool {
    is_reserved_name(id.as_str())
}

pub(super) fn is_reserved_name(name: &str) -> bool {
    FIXED.contains(&name) || legacy::is_reserved(name)
}

/// Reads what can be read. What cannot is left out and named in a warning, without its content.
pub fn load(secrets: &HashMap<String, String>) -> Loaded {
    let mut notes = Notes::default();
    let assignments = load_assignments(secrets, &mut notes);
    let rotating = rotating::load(secrets, &mut notes);
    let proxies = load_proxies(secrets, &assignments, rotating.is_err(), &mut notes);
    let details = load_details(secrets, &mut notes);
    let keys = load_keys(secrets, details, &assignments, &mut notes);
    Loaded {
        entered: Entered { keys, proxies, assignments, rotating: rotating.unwrap_or_default() },
        warnings: notes.warnings,
        damaged: notes.damaged,
    }
}

#[derive(Default)]
pub(super) struct Notes {
    warnings: Vec<String>,
    damaged: Vec<&'static str>,
}

impl Notes {
    pub(super) fn say(&mut self, words: String) {
        self.warnings.push(words);
    }

    pub(super) fn damaged(&mut self, name: &'static str, entries: usize) {
        let used = match entries {
            0 => "nothing in it could be used".to_owned(),
            1 => "one entry in it could still be read and is used".to_owned(),
            count => format!("{count} entries in it could still be read and are used"),
        };
        let words = format!(
            "The stored secret \"{name}\" is damaged: {used}. It is kept until the next change; check your entries."
        );
        self.lost(name, words);
    }

    /// Something of `name` is not what it was, in these words.
    pub(super) fn lost(&mut self, name: &'static str, words: String) {
        self.say(words);
        self.damaged.push(name);
    }
}

/// The array under `field`; `None` when the text is not of that form.
fn array(text: &str, field: &str) -> Option<Vec<Value>> {
    match serde_json::from_str::<Value>(text).ok()?.get_mut(field)?.take() {
        Value::Array(entries) => Some(entries),
        _ => None,
    }
}

/// The ids in the text of an index, each once, and whether it is whole. One that is there twice was another before.
pub(in crate::vault) fn listed_ids(text: &str) -> (Vec<KeyId>, bool) {
    let listed: Option<Vec<KeyId>> = serde_json::from_str(text).ok();
    let whole = listed.is_some();
    let mut ids = listed.unwrap_or_else(|| salvage::strings(text).into_iter().map(KeyId::from).collect());
    let all = ids.len();
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    (ids, whole && seen.len() == all)
}

/// The ids of the keys, from the index and, where it fails, from the other records: a text that one of them names is not
/// lost with the index.
fn key_ids(
    secrets: &HashMap<String, String>,
    others: impl Iterator<Item = KeyId>,
    notes: &mut Notes,
) -> Vec<KeyId> {
    let is_stored = |id: &KeyId| secrets.contains_key(id.as_str());
    let (mut ids, whole) = match secrets.get(KEY_INDEX) {
        Some(text) => listed_ids(text),
        None => (Vec::new(), false),
    };
    if !whole {
        ids.retain(is_stored);
    }
    if !whole || !ids.iter().all(is_stored) {
        ids.extend(others.filter(is_stored));
    }
    let mut seen = HashSet::new();
    ids.retain(|id| !is_reserved(id) && seen.insert(id.clone()));
    if !whole && (secrets.contains_key(KEY_INDEX) || !ids.is_empty()) {
        notes.damaged(KEY_INDEX, ids.len());
    }
    ids
}

fn load_keys(
    secrets: &HashMap<String, String>,
    details: Vec<(KeyId, KeyDetails)>,
    assignments: &[Assignment],
    notes: &mut Notes,
) -> Vec<EnteredKey> {
    let others = details.iter().map(|(id, _)| id).chain(assignments.iter().map(|entry| &entry.key_id));
    let ids = key_ids(secrets, others.cloned(), notes);
    let mut details: HashMap<KeyId, KeyDetails> = details.into_iter().collect();
    let mut keys: Vec<EnteredKey> = Vec::with_capacity(ids.len());
    let mut texts = HashMap::new();
    for id in ids {
        let name = shown(id.as_str());
        // Earlier versions stored what was pasted, a line break at its end included.
        let text = match secrets.get(id.as_str()).map(|text| text.trim()) {
            None => {
                notes.say(format!(
                    "The text of the key \"{name}\" is gone from the secret store; add the key again."
                ));
                continue;
            }
            Some(text) if check_key_text(text).is_err() => {
                notes.say(format!(
                    "The stored text of the key \"{name}\" is not a usable key; add the key again."
                ));
                continue;
            }
            Some(text) => text,
        };
        let place = keys.len();
        let first = *texts.entry(text).or_insert(place);
        if let Some(twin) = keys.get(first) {
            let words =
                format!("The key \"{name}\" is the same as \"{}\" and was left out.", shown(&twin.name));
            notes.say(words);
            continue;
        }
        let detail = details.remove(&id).unwrap_or_default();
        keys.push(EnteredKey {
            name: detail.name.unwrap_or_else(|| id.to_string()),
            secret: Secret::new(text),
            project: detail.project,
            weight: detail.weight.clamp(1, 100),
            cooldown_seconds: detail.cooldown_seconds,
            enabled: detail.enabled,
            id,
        });
    }
    keys
}

/// A name from the store in a sentence: a damaged one may hold anything.
pub(in crate::vault) fn shown(name: &str) -> String {
    name.chars().take(LONGEST_SHOWN).map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn load_proxies(
    secrets: &HashMap<String, String>,
    assignments: &[Assignment],
    rotating_lost: bool,
    notes: &mut Notes,
) -> Vec<EnteredProxy> {
    let entries = secrets.get(PROXY_POOL).map(|text| array(text, "proxies").ok_or(text));
    let mut whole = !matches!(entries, Some(Err(_)));
    let read: Vec<Option<StoredProxy>> = match entries {
        Some(Ok(entries)) => entries.into_iter().map(|entry| serde_json::from_value(entry).ok()).collect(),
        Some(Err(text)) => salvage::objects(text).into_iter().map(Some).collect(),
        None => Vec::new(),
    };
    let mut proxies: Vec<EnteredProxy> = Vec::with_capacity(read.len());
    let torn = !whole;
    for (place, stored) in read.into_iter().enumerate() {
        whole &= load_proxy(place + 1, stored, &mut proxies, notes);
    }
    if torn {
        notes.damaged(PROXY_POOL, proxies.len());
    }
    let gone = !secrets.contains_key(PROXY_POOL) && assignments.iter().any(|entry| entry.proxy_id.is_some());
    if !whole || gone || (rotating_lost && proxies.is_empty()) {
        keep_places(&mut proxies, assignments, notes);
    }
    proxies
}

/// Answers whether nothing was lost.
fn load_proxy(
    place: usize,
    stored: Option<StoredProxy>,
    proxies: &mut Vec<EnteredProxy>,
    notes: &mut Notes,
) -> bool {
    let Some(stored) = stored else {
        notes.say(format!("Stored proxy {place} is damaged and was left out; add it again."));
        return false;
    };
    match ProxyUrl::parse(&stored.url) {
        Ok(url) if !proxies.iter().any(|known| known.id == stored.id || *known.url == url) => {
            let name = stored.name.unwrap_or_else(|| free_name(&url, proxies));
            proxies.push(EnteredProxy { id: stored.id, name, url: Arc::new(url), enabled: stored.enabled });
            true
        }
        Ok(_) => {
            notes.say(format!("Stored proxy {place} is there twice and was left out once."));
            true
        }
        Err(error) => {
            notes.say(format!("Stored proxy {place} was left out: {error}"));
            false
        }
    }
}

/// A switched-off proxy in the place of each that keys are assigned to and that could not be read; one at least where
/// the pool would be empty, since with an empty pool keys go direct.
fn keep_places(proxies: &mut Vec<EnteredProxy>, assignments: &[Assignment], notes: &mut Notes) {
    let mut lost: Vec<ProxyId> = Vec::new();
    for id in assignments.iter().filter_map(|entry| entry.proxy_id.as_ref()) {
        if !lost.contains(id) && !proxies.iter().any(|proxy| proxy.id == *id) {
            lost.push(id.clone());
        }
    }
    if proxies.is_empty() && lost.is_empty() {
        lost.push("proxy_unreadable".into());
    }
    for id in lost {
        let Some((number, url)) = free_place(proxies) else { continue };
        let name = format!("unreadable proxy {number}");
        notes.say(format!(
            "A proxy could not be read. It is in the pool as \"{name}\", switched off, so that none of its keys goes \
             direct instead: enter its URL there and enable it, or remove it."
        ));
        proxies.push(EnteredProxy { id, name, url: Arc::new(url), enabled: false });
    }
}

/// A URL that nobody in the pool has. Its host never resolves (RFC 6761).
fn free_place(known: &[EnteredProxy]) -> Option<(usize, ProxyUrl)> {
    let places = (1..).map(|number| (number, format!("http://{UNREADABLE}{number}.invalid:9")));
    let mut urls = places.filter_map(|(number, url)| Some((number, ProxyUrl::parse(&url).ok()?)));
    urls.find(|(_, url)| !known.iter().any(|proxy| *proxy.url == *url))
}

/// Whether it stands for a proxy that could not be read.
pub(in crate::vault) fn is_placeholder(proxy: &EnteredProxy) -> bool {
    let name = proxy.url.host().strip_suffix(".invalid");
    name.is_some_and(|name| name.starts_with(UNREADABLE))
}

/// `host:port`, with a number where another proxy has that name.
pub(in crate::vault) fn free_name(url: &ProxyUrl, known: &[EnteredProxy]) -> String {
    let place = format!("{}:{}", url.host(), url.port());
    let taken = |name: &str| known.iter().any(|proxy| proxy.name == name);
    let numbered = (2_u64..).map(|number| format!("{place} {number}"));
    std::iter::once(place.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(place)
}

fn load_assignments(secrets: &HashMap<String, String>, notes: &mut Notes) -> Vec<Assignment> {
    let Some(text) = secrets.get(ASSIGNMENTS) else { return Vec::new() };
    let Some(entries) = array(text, "assignments") else {
        let read = salvage::objects(text);
        notes.damaged(ASSIGNMENTS, read.len());
        return read;
    };
    let total = entries.len();
    let read: Vec<Assignment> =
        entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect();
    match total - read.len() {
        0 => {}
        1 => notes.say("One stored assignment is damaged; its key is placed anew.".to_owned()),
        lost => notes.say(format!("{lost} stored assignments are damaged; their keys are placed anew.")),
    }
    read
}

fn load_details(secrets: &HashMap<String, String>, notes: &mut Notes) -> Vec<(KeyId, KeyDetails)> {
    let Some(text) = secrets.get(KEY_DETAILS) else { return Vec::new() };
    let whole = serde_json::from_str::<Value>(text).ok();
    let Some(Value::Object(entries)) = whole.and_then(|mut value| Some(value.get_mut("keys")?.take())) else {
        let read: Vec<_> = salvage::members::<WholeDetails>(text)
            .into_iter()
            .map(|(id, found)| (id.into(), KeyDetails::from(found)))
            .collect();
        notes.damaged(KEY_DETAILS, read.len());
        return read;
    };
    let mut read = Vec::with_capacity(entries.len());
    for (id, entry) in entries {
        let details = serde_json::from_value(entry).unwrap_or_else(|_| {
            let shown = shown(&id);
            notes.say(format!(
                "Name, project and weight of the key \"{shown}\" are damaged; it has the defaults and is enabled."
            ));
            KeyDetails::default()
        });
        read.push((id.into(), details));
    }
    read
}

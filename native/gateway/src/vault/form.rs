//! What is kept of the headless vault, as one JSON text with a form number: what the file said (texts of keys and addresses
//! of proxies as digests only) and what was in force. A text that the file holds itself is left out.
//!
//! Invariant: of what the file declares no secret is kept; of what was added beside it the whole is.

use std::collections::HashSet;
use std::sync::Arc;

use aggregator_core::ids::{KeyId, ProxyId};
use aggregator_core::proxies::url::ProxyUrl;
use aggregator_core::secret::{Secret, digest};
use aggregator_core::vault::{Assignment, Entered, EnteredKey, EnteredProxy, EnteredRotating};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

const FORM: u32 = 1;

/// A key, with what it is recognised by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    pub id: KeyId,
    pub name: String,
    /// The digest of its text.
    pub mark: String,
    pub project: Option<String>,
    pub weight: u32,
    pub cooldown_seconds: Option<u32>,
    pub enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proxy {
    pub id: ProxyId,
    pub name: String,
    /// The digest of its address and credentials.
    pub mark: String,
    pub enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rotating {
    pub mark: String,
    pub enabled: bool,
}

/// What the file said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Base {
    pub keys: Vec<Key>,
    pub proxies: Vec<Proxy>,
    pub assignments: Vec<Assignment>,
    pub rotating: Option<Rotating>,
}

/// An entry with its secret, where the file does not hold it.
#[derive(Clone)]
pub struct Whole<Entry, Text> {
    pub entry: Entry,
    pub text: Option<Text>,
}

/// What is in force, or was when it was kept.
#[derive(Clone, Default)]
pub struct Now {
    pub keys: Vec<Whole<Key, Secret>>,
    pub proxies: Vec<Whole<Proxy, Arc<ProxyUrl>>>,
    pub assignments: Vec<Assignment>,
    pub rotating: Option<Whole<Rotating, Arc<ProxyUrl>>>,
}

#[derive(Default)]
pub struct Text {
    pub declared: Base,
    pub now: Now,
}

#[derive(Serialize, Deserialize)]
struct Written {
    form: u32,
    declared: Base,
    now: WrittenNow,
}

#[derive(Serialize, Deserialize)]
struct WrittenNow {
    keys: Vec<WithText<Key>>,
    proxies: Vec<WithText<Proxy>>,
    assignments: Vec<Assignment>,
    rotating: Option<WithText<Rotating>>,
}

#[derive(Serialize, Deserialize)]
struct WithText<Entry> {
    #[serde(flatten)]
    entry: Entry,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl Text {
    pub fn write(base: &Base, after: &Entered) -> String {
        let key_marks: HashSet<&str> = base.keys.iter().map(|key| key.mark.as_str()).collect();
        let proxy_marks: HashSet<&str> = base.proxies.iter().map(|proxy| proxy.mark.as_str()).collect();
        let keys = after.keys.iter().map(|key| {
            let entry = Key::of(key);
            let known = key_marks.contains(entry.mark.as_str());
            WithText { text: (!known).then(|| key.secret.expose().to_owned()), entry }
        });
        let proxies = after.proxies.iter().map(|proxy| {
            let entry = Proxy::of(proxy);
            let known = proxy_marks.contains(entry.mark.as_str());
            WithText { text: (!known).then(|| plain(&proxy.url)), entry }
        });
        let rotating = after.rotating.as_ref().map(|proxy| {
            let entry = Rotating::of(proxy);
            let known = base.rotating.as_ref().is_some_and(|base| base.mark == entry.mark);
            WithText { text: (!known).then(|| plain(&proxy.url)), entry }
        });
        let now = WrittenNow {
            keys: keys.collect(),
            proxies: proxies.collect(),
            assignments: after.assignments.clone(),
            rotating,
        };
        // Plain data with text keys: it cannot fail.
        serde_json::to_string(&Written { form: FORM, declared: base.clone(), now }).unwrap_or_default()
    }

    /// An error is a sentence without secrets.
    pub fn read(text: &str) -> Result<Self, String> {
        let no_json = |error: serde_json::Error| {
            format!("what is kept of it is damaged at line {}, column {}.", error.line(), error.column())
        };
        let form: Form = serde_json::from_str(text).map_err(no_json)?;
        if form.form > FORM {
            return Err(format!("it was kept by a newer version of this program (form {}).", form.form));
        }
        let written: Written = serde_json::from_str(text).map_err(no_json)?;
        let url = |text: Option<String>| text.and_then(|text| ProxyUrl::parse(&text).ok()).map(Arc::new);
        let key = |one: WithText<Key>| Whole { entry: one.entry, text: one.text.map(Secret::new) };
        let now = Now {
            keys: written.now.keys.into_iter().map(key).collect(),
            proxies: written
                .now
                .proxies
                .into_iter()
                .map(|one| Whole { entry: one.entry, text: url(one.text) })
                .collect(),
            assignments: written.now.assignments,
            rotating: written.now.rotating.map(|one| Whole { entry: one.entry, text: url(one.text) }),
        };
        Ok(Self { declared: written.declared, now })
    }
}

#[derive(Deserialize)]
struct Form {
    form: u32,
}

/// What is in force, in the form in which it is compared.
pub fn live(entered: &Entered) -> Now {
    Now {
        keys: entered
            .keys
            .iter()
            .map(|key| Whole { entry: Key::of(key), text: Some(key.secret.clone()) })
            .collect(),
        proxies: entered
            .proxies
            .iter()
            .map(|proxy| Whole { entry: Proxy::of(proxy), text: Some(Arc::clone(&proxy.url)) })
            .collect(),
        assignments: entered.assignments.clone(),
        rotating: entered
            .rotating
            .as_ref()
            .map(|proxy| Whole { entry: Rotating::of(proxy), text: Some(Arc::clone(&proxy.url)) }),
    }
}

impl Key {
    pub fn of(key: &EnteredKey) -> Self {
        Self {
            id: key.id.clone(),
            name: key.name.clone(),
            mark: digest(key.secret.expose()),
            project: key.project.clone(),
            weight: key.weight,
            cooldown_seconds: key.cooldown_seconds,
            enabled: key.enabled,
        }
    }
}

impl Proxy {
    pub fn of(proxy: &EnteredProxy) -> Self {
        Self {
            id: proxy.id.clone(),
            name: proxy.name.clone(),
            mark: mark(&proxy.url),
            enabled: proxy.enabled,
        }
    }
}

impl Rotating {
    pub fn of(proxy: &EnteredRotating) -> Self {
        Self { mark: mark(&proxy.url), enabled: proxy.enabled }
    }
}

fn mark(url: &ProxyUrl) -> String {
    digest(url.to_secret_string().expose_secret())
}

fn plain(url: &ProxyUrl) -> String {
    url.to_secret_string().expose_secret().to_owned()
}

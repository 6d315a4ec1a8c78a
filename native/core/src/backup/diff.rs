//! What a restore changes, in names: the difference between two states of what the user entered, for a person to read
//! before it is done. No secret is in it: a new text or address is told of, never shown.

use std::collections::HashMap;

use serde::Serialize;
use ts_rs::TS;

use super::content::choice;
use crate::ids::{KeyId, ProxyId};
use crate::vault::{Assignment, Entered, EnteredKey, EnteredProxy, EnteredRotating};

/// Names of what comes, changes (with what of it) and goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
pub struct Differences {
    pub added: Vec<String>,
    pub changed: Vec<String>,
    pub removed: Vec<String>,
}

/// What restoring a backup would change or has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
pub struct BackupDiff {
    /// When the backup was made, in the form of RFC 3339.
    pub created: String,
    /// Without secrets nothing is removed, and a key that is not there cannot be added.
    pub has_secrets: bool,
    pub keys: Differences,
    pub proxies: Differences,
    /// The keys' names, with the proxies.
    pub assignments: Differences,
    /// What becomes of the rotating proxy, in a few words; `null` when nothing does.
    pub rotating: Option<String>,
    /// What the user should know besides, as sentences: what could not be restored.
    pub notes: Vec<String>,
}

impl BackupDiff {
    pub fn between(before: &Entered, after: &Entered) -> Self {
        Self {
            keys: differences(&before.keys, &after.keys, |key| (&key.id, &key.name), changed_key),
            proxies: differences(
                &before.proxies,
                &after.proxies,
                |proxy| (&proxy.id, &proxy.name),
                changed_proxy,
            ),
            assignments: assignments(before, after),
            rotating: rotating(before.rotating.as_ref(), after.rotating.as_ref()),
            notes: order(before, after).into_iter().collect(),
            ..Self::default()
        }
    }

    /// `3 keys added, 1 changed; 1 proxy removed`; `None` when nothing is.
    pub fn summary(&self) -> Option<String> {
        let mut parts: Vec<String> =
            [("key", &self.keys), ("proxy", &self.proxies), ("assignment", &self.assignments)]
                .into_iter()
                .filter_map(|(noun, differences)| differences.summary(noun))
                .collect();
        parts.extend(self.rotating.iter().map(|words| format!("rotating proxy {words}")));
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

impl Differences {
    fn summary(&self, noun: &str) -> Option<String> {
        let parts = [("added", &self.added), ("changed", &self.changed), ("removed", &self.removed)];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(verb, names)| format!("{} {verb}", counted(names.len(), noun)))
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// `1 proxy`, `2 proxies`.
pub fn counted(count: usize, noun: &str) -> String {
    match (count, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "proxy") => format!("{count} proxies"),
        _ => format!("{count} {noun}s"),
    }
}

fn differences<'a, T: PartialEq, Id: Eq + std::hash::Hash + 'a>(
    before: &'a [T],
    after: &'a [T],
    named: impl Fn(&'a T) -> (&'a Id, &'a String),
    changed: impl Fn(&T, &T) -> String,
) -> Differences {
    let old: HashMap<&Id, &T> = before.iter().map(|one| (named(one).0, one)).collect();
    let new: HashMap<&Id, &T> = after.iter().map(|one| (named(one).0, one)).collect();
    let mut differences = Differences::default();
    for one in after {
        let (id, name) = named(one);
        match old.get(id) {
            None => differences.added.push(name.clone()),
            Some(known) if *known != one => differences.changed.push(changed(known, one)),
            Some(_) => {}
        }
    }
    let gone = before.iter().map(&named).filter(|(id, _)| !new.contains_key(id));
    differences.removed = gone.map(|(_, name)| name.clone()).collect();
    differences
}

fn changed_key(old: &EnteredKey, new: &EnteredKey) -> String {
    let what = [
        (old.secret != new.secret, "its text"),
        (old.project != new.project, "project"),
        (old.weight != new.weight, "weight"),
        (old.cooldown_seconds != new.cooldown_seconds, "cooldown"),
        (old.enabled != new.enabled, if new.enabled { "enabled" } else { "disabled" }),
    ];
    changed(&old.name, &new.name, what)
}

fn changed_proxy(old: &EnteredProxy, new: &EnteredProxy) -> String {
    let what = [
        (old.url != new.url, "address or credentials"),
        (old.enabled != new.enabled, if new.enabled { "enabled" } else { "disabled" }),
    ];
    changed(&old.name, &new.name, what)
}

fn changed<const N: usize>(old: &str, new: &str, what: [(bool, &str); N]) -> String {
    let what: Vec<&str> = what.into_iter().filter(|(differs, _)| *differs).map(|(_, word)| word).collect();
    let name = if old == new { new.to_owned() } else { format!("{old} → {new}") };
    if what.is_empty() { name } else { format!("{name} ({})", what.join(", ")) }
}

fn assignments(before: &Entered, after: &Entered) -> Differences {
    let old = before.assignments_by_key();
    let new = after.assignments_by_key();
    let mut differences = Differences::default();
    for key in &after.keys {
        match (old.get(&key.id), new.get(&key.id)) {
            (None, Some(entry)) => {
                differences.added.push(format!("{}: {}", key.name, place(entry, after)));
            }
            (Some(was), Some(is)) if !same(was, is) => {
                differences.changed.push(format!(
                    "{}: {} → {}",
                    key.name,
                    place(was, before),
                    place(is, after)
                ));
            }
            (Some(was), None) => {
                differences.removed.push(format!("{}: {}", key.name, place(was, before)));
            }
            _ => {}
        }
    }
    differences
}

/// The time apart, which tells when and not where.
pub fn same(one: &Assignment, other: &Assignment) -> bool {
    (&one.proxy_id, one.is_manual, &one.home) == (&other.proxy_id, other.is_manual, &other.home)
}

fn place(entry: &Assignment, entered: &Entered) -> String {
    let name = |id: &ProxyId| {
        entered.proxies.iter().find(|proxy| proxy.id == *id).map_or("?", |proxy| proxy.name.as_str())
    };
    let (belongs, is_manual) = choice(entry);
    let proxy = belongs.map_or("No Proxy", name);
    let how = if is_manual { " by hand" } else { "" };
    match &entry.proxy_id {
        Some(at) if belongs != Some(at) => format!("{proxy}{how}, for now {}", name(at)),
        _ => format!("{proxy}{how}"),
    }
}

fn rotating(before: Option<&EnteredRotating>, after: Option<&EnteredRotating>) -> Option<String> {
    let switched = |enabled| if enabled { "switched on" } else { "switched off" };
    let words = match (before, after) {
        (None, None) => return None,
        (Some(_), None) => "removed".to_owned(),
        (None, Some(new)) => format!("added, {}", switched(new.enabled)),
        (Some(old), Some(new)) if old == new => return None,
        (Some(old), Some(new)) if old.url == new.url => switched(new.enabled).to_owned(),
        (Some(_), Some(new)) => format!("changed, {}", switched(new.enabled)),
    };
    Some(words)
}

/// Keys that stay, in another order.
fn order(before: &Entered, after: &Entered) -> Option<String> {
    let keys = |entered: &Entered, in_both: &Entered| -> Vec<KeyId> {
        let known = in_both.keys.iter().map(|key| &key.id).collect::<std::collections::HashSet<_>>();
        entered.keys.iter().map(|key| key.id.clone()).filter(|id| known.contains(id)).collect()
    };
    let differs = keys(before, after) != keys(after, before);
    differs.then(|| "The keys take the order that they had in the backup.".to_owned())
}

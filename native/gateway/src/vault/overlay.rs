//! How what the file declares and what was entered beside it become one, field by field, from three states: what the file
//! said before, what is in force, what the file says now. Pure; stored nowhere.
//!
//! The rule: where the file says something else than before, the file holds. Where it says what it said before, what was
//! changed beside it holds. What was added beside it stays; what the file no longer has goes.
//!
//! Invariant: an entry keeps its id, and with it all that was learned of it, as long as its text or its name stays.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use aggregator_core::ids::{KeyId, ProxyId};
use aggregator_core::vault::{Assignment, Entered, EnteredKey, EnteredProxy, EnteredRotating};

use super::form::{Base, Key, Now, Proxy, Rotating};

pub struct Laid {
    pub entered: Entered,
    /// What the file says, with the ids in force.
    pub base: Base,
}

pub fn lay(base: &Base, now: &Now, declared: &Entered) -> Laid {
    let key_ids = key_ids(base, now, declared);
    let proxy_ids = proxy_ids(base, now, declared);
    let said = said(declared, &key_ids, &proxy_ids);
    let keys = keys(base, now, &said, declared);
    let entered = Entered {
        assignments: assignments(base, now, &said, &keys),
        keys,
        proxies: proxies(base, now, &said, declared),
        rotating: rotating(base, now, declared),
    };
    Laid { entered, base: said }
}

/// The declaration in the form in which it is compared, with the ids in force.
fn said(declared: &Entered, keys: &[KeyId], proxies: &[ProxyId]) -> Base {
    let key = |(key, id): (&EnteredKey, &KeyId)| Key { id: id.clone(), ..Key::of(key) };
    let proxy = |(proxy, id): (&EnteredProxy, &ProxyId)| Proxy { id: id.clone(), ..Proxy::of(proxy) };
    let key_at: HashMap<&KeyId, &KeyId> = declared.keys.iter().map(|key| &key.id).zip(keys).collect();
    let proxy_at: HashMap<&ProxyId, &ProxyId> =
        declared.proxies.iter().map(|proxy| &proxy.id).zip(proxies).collect();
    let place = |entry: &Assignment| {
        let key_id = (*key_at.get(&entry.key_id)?).clone();
        let proxy_id = entry.proxy_id.as_ref().and_then(|id| proxy_at.get(id)).map(|id| (*id).clone());
        Some(Assignment { key_id, proxy_id, ..entry.clone() })
    };
    Base {
        keys: declared.keys.iter().zip(keys).map(key).collect(),
        proxies: declared.proxies.iter().zip(proxies).map(proxy).collect(),
        assignments: declared.assignments.iter().filter_map(place).collect(),
        rotating: declared.rotating.as_ref().map(Rotating::of),
    }
}

fn key_ids(base: &Base, now: &Now, declared: &Entered) -> Vec<KeyId> {
    let known = base.keys.iter().chain(now.keys.iter().map(|key| &key.entry));
    let known: Vec<_> = known.map(|key| (&key.id, key.mark.as_str(), key.name.as_str())).collect();
    let wanted: Vec<Key> = declared.keys.iter().map(Key::of).collect();
    let wanted: Vec<_> = wanted.iter().map(|key| (key.mark.as_str(), key.name.as_str())).collect();
    ids(&known, &wanted)
}

fn proxy_ids(base: &Base, now: &Now, declared: &Entered) -> Vec<ProxyId> {
    let known = base.proxies.iter().chain(now.proxies.iter().map(|proxy| &proxy.entry));
    let known: Vec<_> = known.map(|proxy| (&proxy.id, proxy.mark.as_str(), proxy.name.as_str())).collect();
    let wanted: Vec<Proxy> = declared.proxies.iter().map(Proxy::of).collect();
    let wanted: Vec<_> = wanted.iter().map(|proxy| (proxy.mark.as_str(), proxy.name.as_str())).collect();
    ids(&known, &wanted)
}

/// For each wanted entry the id of the known one with its text, else of the one with its name, else a new one. What the
/// file said comes first in `known`. An unnamed entry is named by its place, so the text is the better witness.
fn ids<Id: Clone + Eq + Hash + for<'a> From<&'a str>>(
    known: &[(&Id, &str, &str)],
    wanted: &[(&str, &str)],
) -> Vec<Id> {
    let mut found: Vec<Option<Id>> = vec![None; wanted.len()];
    let mut claimed: HashSet<&Id> = HashSet::new();
    let (mut by_mark, mut by_name): (HashMap<&str, Vec<&Id>>, HashMap<&str, Vec<&Id>>) = Default::default();
    for (id, mark, name) in known {
        by_mark.entry(*mark).or_default().push(*id);
        by_name.entry(*name).or_default().push(*id);
    }
    for by_text in [true, false] {
        for (place, (mark, name)) in wanted.iter().enumerate() {
            if found[place].is_some() {
                continue;
            }
            let candidates = if by_text { by_mark.get(mark) } else { by_name.get(name) };
            let free = candidates.into_iter().flatten().find(|id| !claimed.contains(*id));
            if let Some(id) = free {
                claimed.insert(id);
                found[place] = Some((*id).clone());
            }
        }
    }
    let mut taken: HashSet<Id> =
        known.iter().map(|(id, ..)| (*id).clone()).chain(found.iter().flatten().cloned()).collect();
    let fresh = |(id, (_, name)): (Option<Id>, &(&str, &str))| {
        let id = id.unwrap_or_else(|| free_id(name, &taken));
        taken.insert(id.clone());
        id
    };
    found.into_iter().zip(wanted).map(fresh).collect()
}

/// The name itself, unless an entry that had it once still goes by it.
fn free_id<Id: Eq + Hash + for<'a> From<&'a str>>(name: &str, taken: &HashSet<Id>) -> Id {
    let numbered = (2_u64..).map(|number| Id::from(format!("{name}-{number}").as_str()));
    std::iter::once(Id::from(name))
        .chain(numbered)
        .find(|id| !taken.contains(id))
        .unwrap_or_else(|| Id::from(name))
}

/// The file's word where it is new, else what is in force.
fn pick<T: PartialEq + Clone>(before: &T, now: &T, said: &T) -> T {
    if before == said { now.clone() } else { said.clone() }
}

fn keys(base: &Base, now: &Now, said: &Base, declared: &Entered) -> Vec<EnteredKey> {
    let before: HashMap<&KeyId, &Key> = base.keys.iter().map(|key| (&key.id, key)).collect();
    let in_force: HashMap<_, _> = now.keys.iter().map(|key| (&key.entry.id, key)).collect();
    let names: HashSet<&str> = said.keys.iter().map(|key| key.name.as_str()).collect();
    let marks: HashSet<&str> = said.keys.iter().map(|key| key.mark.as_str()).collect();
    let mut all = Vec::new();
    for (key, written) in said.keys.iter().zip(&declared.keys) {
        let whole = EnteredKey { id: key.id.clone(), ..written.clone() };
        match (before.get(&key.id), in_force.get(&key.id)) {
            // Removed beside the file, which says of it what it said then.
            (Some(old), None) if *old == key => {}
            (Some(old), Some(kept)) => {
                let entry = &kept.entry;
                let renamed = pick(&old.name, &entry.name, &key.name);
                let name = if names.contains(renamed.as_str()) { key.name.clone() } else { renamed };
                let own_text =
                    kept.text.as_ref().filter(|_| old.mark == key.mark && !marks.contains(&*entry.mark));
                all.push(EnteredKey {
                    name,
                    secret: own_text.cloned().unwrap_or(whole.secret.clone()),
                    project: pick(&old.project, &entry.project, &key.project),
                    weight: pick(&old.weight, &entry.weight, &key.weight),
                    cooldown_seconds: pick(
                        &old.cooldown_seconds,
                        &entry.cooldown_seconds,
                        &key.cooldown_seconds,
                    ),
                    enabled: pick(&old.enabled, &entry.enabled, &key.enabled),
                    ..whole
                });
            }
            _ => all.push(whole),
        }
    }
    let declared_ids: HashSet<&KeyId> = said.keys.iter().map(|key| &key.id).collect();
    for kept in &now.keys {
        let entry = &kept.entry;
        let added = !before.contains_key(&entry.id) && !declared_ids.contains(&entry.id);
        let Some(secret) = kept.text.as_ref().filter(|_| added && !marks.contains(&*entry.mark)) else {
            continue;
        };
        let taken = |name: &str| all.iter().any(|key: &EnteredKey| key.name == name);
        all.push(EnteredKey {
            id: entry.id.clone(),
            name: free_name(&entry.name, taken),
            secret: secret.clone(),
            project: entry.project.clone(),
            weight: entry.weight,
            cooldown_seconds: entry.cooldown_seconds,
            enabled: entry.enabled,
        });
    }
    all
}

fn proxies(base: &Base, now: &Now, said: &Base, declared: &Entered) -> Vec<EnteredProxy> {
    let before: HashMap<&ProxyId, &Proxy> = base.proxies.iter().map(|proxy| (&proxy.id, proxy)).collect();
    let in_force: HashMap<_, _> = now.proxies.iter().map(|proxy| (&proxy.entry.id, proxy)).collect();
    let names: HashSet<&str> = said.proxies.iter().map(|proxy| proxy.name.as_str()).collect();
    let marks: HashSet<&str> = said.proxies.iter().map(|proxy| proxy.mark.as_str()).collect();
    let mut all = Vec::new();
    for (proxy, written) in said.proxies.iter().zip(&declared.proxies) {
        let whole = EnteredProxy { id: proxy.id.clone(), ..written.clone() };
        match (before.get(&proxy.id), in_force.get(&proxy.id)) {
            (Some(old), None) if *old == proxy => {}
            (Some(old), Some(kept)) => {
                let entry = &kept.entry;
                let renamed = pick(&old.name, &entry.name, &proxy.name);
                let name = if names.contains(renamed.as_str()) { proxy.name.clone() } else { renamed };
                let own =
                    kept.text.as_ref().filter(|_| old.mark == proxy.mark && !marks.contains(&*entry.mark));
                let url = own.map_or_else(|| Arc::clone(&whole.url), Arc::clone);
                let enabled = pick(&old.enabled, &entry.enabled, &proxy.enabled);
                all.push(EnteredProxy { name, url, enabled, ..whole });
            }
            _ => all.push(whole),
        }
    }
    let declared_ids: HashSet<&ProxyId> = said.proxies.iter().map(|proxy| &proxy.id).collect();
    for kept in &now.proxies {
        let entry = &kept.entry;
        let added = !before.contains_key(&entry.id) && !declared_ids.contains(&entry.id);
        let Some(url) = kept.text.as_ref().filter(|_| added && !marks.contains(&*entry.mark)) else {
            continue;
        };
        let taken = |name: &str| all.iter().any(|proxy: &EnteredProxy| proxy.name == name);
        let name = free_name(&entry.name, taken);
        all.push(EnteredProxy { id: entry.id.clone(), name, url: Arc::clone(url), enabled: entry.enabled });
    }
    all
}

/// Names are the file's before they are anybody else's.
fn free_name(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2_u64..).map(|number| format!("{name} {number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}

/// Where the file says which proxy a key has, and says so anew, that holds; where it no longer does, the key is placed
/// automatically and stays where it is. What points nowhere any more is dropped when the assignments are settled.
fn assignments(base: &Base, now: &Now, said: &Base, keys: &[EnteredKey]) -> Vec<Assignment> {
    let by_key = |list: &[Assignment]| -> HashMap<KeyId, Assignment> {
        list.iter().map(|entry| (entry.key_id.clone(), entry.clone())).collect()
    };
    let (before, in_force, wanted) =
        (by_key(&base.assignments), by_key(&now.assignments), by_key(&said.assignments));
    let proxy = |entry: Option<&Assignment>| entry.map(|entry| entry.proxy_id.clone());
    let place = |key: &KeyId| {
        let (old, current, wish) = (before.get(key), in_force.get(key), wanted.get(key));
        match wish {
            _ if proxy(old) == proxy(wish) => current.cloned(),
            Some(wish) => Some(wish.clone()),
            None => {
                let stays = current.filter(|entry| entry.proxy_id.is_some());
                stays.map(|entry| Assignment { is_manual: false, home: None, ..entry.clone() })
            }
        }
    };
    keys.iter().filter_map(|key| place(&key.id)).collect()
}

fn rotating(base: &Base, now: &Now, declared: &Entered) -> Option<EnteredRotating> {
    let said = declared.rotating.as_ref().map(Rotating::of);
    match (&base.rotating, &now.rotating, &said) {
        (Some(old), Some(kept), Some(new)) => {
            let written = declared.rotating.clone()?;
            let own = kept.text.as_ref().filter(|_| old.mark == new.mark);
            let url = own.map_or(written.url, Arc::clone);
            Some(EnteredRotating { url, enabled: pick(&old.enabled, &kept.entry.enabled, &new.enabled) })
        }
        (old, kept, new) if old == new => {
            let kept = kept.as_ref()?;
            let url = kept.text.as_ref().map(Arc::clone)?;
            Some(EnteredRotating { url, enabled: kept.entry.enabled })
        }
        _ => declared.rotating.clone(),
    }
}

#[cfg(test)]
#[path = "overlay_tests.rs"]
mod tests;

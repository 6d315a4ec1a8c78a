//! What the state becomes by restoring a backup, worked out on a copy. Whole backups set everything to what it was; one
//! without secrets gives keys and proxies that are there their names, weights, projects and assignments back and takes
//! nothing away. It knows nothing of files, and applying a plan is the aggregator's part.
//!
//! Invariant: planning the same backup again after it was applied changes nothing.

use std::collections::HashMap;

use super::Backup;
use super::content::choice;
use super::diff::{BackupDiff, same};
use super::error::BackupError;
use crate::clock::Millis;
use crate::ids::{KeyId, ProxyId};
use crate::pools::Pools;
use crate::settings::Settings;
use crate::vault::{Assignment, Entered, EnteredProxy};

mod keys;
mod matching;
mod proxies;

pub struct Plan {
    pub next: Pools,
    pub diff: BackupDiff,
}

/// Entries as they shall be, and which entry of the backup became which of them.
struct Restored<Id, Entry> {
    entries: Vec<Entry>,
    ids: HashMap<Id, Id>,
    notes: Vec<String>,
}

/// Assignments are settled as they will be, so that the difference shown is the one made.
pub fn plan(pools: &Pools, backup: &Backup, settings: &Settings, now: Millis) -> Result<Plan, BackupError> {
    let before = pools.entered();
    let mut next = pools.clone();
    let keys = keys::restore(&before.keys, backup, now, &mut next.rng)?;
    let proxies = proxies::restore(&before.proxies, backup, now, &mut next.rng)?;
    let rotating = match &backup.content.rotating {
        Some(rotating) => Some(rotating.entered()?),
        None => before.rotating.clone().filter(|_| !backup.has_secrets),
    };
    let mut target =
        Entered { keys: keys.entries, proxies: proxies.entries, assignments: Vec::new(), rotating };
    let around = Around { pools, before: &before, backup, keys: &keys.ids, proxies: &proxies.ids, now };
    target.assignments = around.assignments(&target);
    next.adopt(target);
    next.settle_assignments(settings, now);
    keep_times(&mut next, &before);
    let mut diff = BackupDiff::between(&before, &next.entered());
    diff.created.clone_from(&backup.created);
    diff.has_secrets = backup.has_secrets;
    diff.notes.extend(keys.notes.into_iter().chain(proxies.notes));
    Ok(Plan { next, diff })
}

struct Around<'a> {
    pools: &'a Pools,
    before: &'a Entered,
    backup: &'a Backup,
    keys: &'a HashMap<KeyId, KeyId>,
    proxies: &'a HashMap<ProxyId, ProxyId>,
    now: Millis,
}

impl Around<'_> {
    fn assignments(&self, target: &Entered) -> Vec<Assignment> {
        let usable: HashMap<&ProxyId, bool> =
            target.proxies.iter().map(|proxy| (&proxy.id, proxy.enabled && !self.is_faulty(proxy))).collect();
        let now_at: HashMap<&KeyId, &Assignment> =
            self.before.assignments.iter().map(|entry| (&entry.key_id, entry)).collect();
        let kept: HashMap<&KeyId, &KeyId> = self.keys.iter().map(|(file, ours)| (ours, file)).collect();
        let wanted: HashMap<&KeyId, (Option<&ProxyId>, bool)> = self
            .backup
            .content
            .assignments
            .iter()
            .map(|entry| (&entry.key_id, (entry.proxy_id.as_ref(), entry.is_manual)))
            .collect();
        let of_key = |key: &KeyId| {
            let current = now_at.get(key).copied();
            match kept.get(key) {
                Some(file) => self.assignment(key, current, wanted.get(file).copied(), &usable),
                None => current.cloned(),
            }
        };
        target.keys.iter().filter_map(|key| of_key(&key.id)).collect()
    }

    /// One that gets another URL starts with a clean record.
    fn is_faulty(&self, target: &EnteredProxy) -> bool {
        let present = self.pools.proxies.get(&target.id);
        present.is_some_and(|proxy| proxy.health.faulty && proxy.entered.url == target.url)
    }

    /// `usable` has every proxy that will be there, and whether it can take keys.
    /// A choice by hand is restored as it was. A key that the balancer places stays where it put it; one that comes back
    /// to the balancer, or is new, goes to the place of the backup if that can take it, else it is placed anew.
    fn assignment(
        &self,
        key: &KeyId,
        current: Option<&Assignment>,
        wanted: Option<(Option<&ProxyId>, bool)>,
        usable: &HashMap<&ProxyId, bool>,
    ) -> Option<Assignment> {
        let remains = |entry: &Assignment| entry.proxy_id.as_ref().is_none_or(|id| usable.contains_key(id));
        let automatic = current.filter(|entry| !choice(entry).1 && remains(entry));
        let Some((proxy, is_manual)) = wanted else { return automatic.cloned() };
        let ours = proxy.map(|id| self.proxies.get(id));
        let proxy_id = match ours {
            // The proxy could not be restored without its credentials.
            Some(None) => return current.cloned(),
            Some(Some(id)) => Some(id.clone()),
            None => None,
        };
        // On a proxy that goes it would be placed anew, without its home.
        let stays = |entry: &&Assignment| choice(entry) == (proxy_id.as_ref(), is_manual) && remains(entry);
        if let Some(entry) = current.filter(stays) {
            return Some(entry.clone());
        }
        let can_take = proxy_id.as_ref().is_some_and(|id| usable.get(id) == Some(&true));
        if !is_manual && (automatic.is_some() || !can_take) {
            return automatic.cloned();
        }
        Some(Assignment { key_id: key.clone(), proxy_id, assigned_at: self.now, is_manual, home: None })
    }
}

/// A key that ends where it was has been there since then.
fn keep_times(next: &mut Pools, before: &Entered) {
    let old: HashMap<&KeyId, &Assignment> =
        before.assignments.iter().map(|entry| (&entry.key_id, entry)).collect();
    let settled =
        next.assignments.entered(&next.keys).into_iter().map(|entry| match old.get(&entry.key_id) {
            Some(known) if same(known, &entry) => (*known).clone(),
            _ => entry,
        });
    next.assignments.adopt(settled.collect());
}

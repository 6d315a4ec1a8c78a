//! What was removed lately, so that it can be brought back: entries as they were, their places, and who left through
//! which proxy. In memory alone, few and not for long; times are arguments. Saving what is brought back is the
//! aggregator's part.
//!
//! Invariant: bringing back changes nothing that was entered since: an entry that is there again, or a key given another
//! proxy by hand meanwhile, stays as it is.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Aggregator;
use super::edit::{Edited, Subject};
use crate::backup::diff::counted;
use crate::clock::Millis;
use crate::command::{Refusal, RefusalCode, Reply};
use crate::ids::{KeyId, ProxyId};
use crate::pools::Pools;
use crate::vault::{Assignment, Entered, EnteredKey, EnteredProxy};

const MOST: usize = 20;
/// In milliseconds.
const KEPT_FOR: Millis = 10 * 60_000;

const GONE: &str = "This removal can no longer be undone: it is more than ten minutes old, was undone already, or 20 others \
                    came after it.";

#[derive(Default)]
pub struct Removals {
    /// Oldest first.
    kept: VecDeque<Arc<Removal>>,
}

/// One removal, of one entry or many.
struct Removal {
    undo: String,
    at: Millis,
    keys: Vec<Placed<EnteredKey, KeyId>>,
    proxies: Vec<Placed<EnteredProxy, ProxyId>>,
    assignments: Vec<Left>,
}

/// An entry and where it stood.
struct Placed<Entry, Id> {
    entry: Entry,
    place: usize,
    /// The one before it.
    after: Option<Id>,
}

/// Where a key left through before the removal, and right after it.
struct Left {
    before: Assignment,
    after: Option<Assignment>,
}

impl Removals {
    /// Keeps what `after` has not any more.
    pub fn keep(&mut self, undo: String, before: &Entered, after: &Entered, now: Millis) {
        self.forget_old(now);
        self.kept.push_back(Arc::new(Removal::between(undo, before, after, now)));
        if self.kept.len() > MOST {
            self.kept.pop_front();
        }
    }

    fn find(&mut self, undo: &str, now: Millis) -> Option<Arc<Removal>> {
        self.forget_old(now);
        self.kept.iter().find(|removal| removal.undo == undo).cloned()
    }

    fn forget(&mut self, undo: &str) {
        self.kept.retain(|removal| removal.undo != undo);
    }

    fn forget_old(&mut self, now: Millis) {
        self.kept.retain(|removal| now.saturating_sub(removal.at) < KEPT_FOR);
    }
}

impl Removal {
    fn between(undo: String, before: &Entered, after: &Entered, now: Millis) -> Self {
        let (keys_left, proxies_left) = (after.keys_by_id(), after.proxies_by_id());
        let placed = after.assignments_by_key();
        let stays = |id: &Option<ProxyId>| id.as_ref().is_none_or(|id| proxies_left.contains_key(id));
        let untouched = |entry: &Assignment| {
            keys_left.contains_key(&entry.key_id) && stays(&entry.proxy_id) && stays(&entry.home)
        };
        let left = |entry: &Assignment| Left {
            before: entry.clone(),
            after: placed.get(&entry.key_id).map(|entry| (*entry).clone()),
        };
        Self {
            undo,
            at: now,
            keys: gone(&before.keys, |key| &key.id, |id| keys_left.contains_key(id)),
            proxies: gone(&before.proxies, |proxy| &proxy.id, |id| proxies_left.contains_key(id)),
            assignments: before.assignments.iter().filter(|entry| !untouched(entry)).map(left).collect(),
        }
    }

    fn bring_back(&self, pools: &mut Pools) -> Result<Edited, Refusal> {
        for Placed { entry, place, after } in &self.proxies {
            if pools.proxies.get(&entry.id).is_some() {
                return Err(there_again(&format!("the proxy {}", entry.name)));
            }
            pools.proxies.add(entry.clone()).map_err(|error| cannot(error.into()))?;
            pools.proxies.place(&entry.id, *place, after.as_ref());
        }
        for Placed { entry, place, after } in &self.keys {
            if pools.keys.get(&entry.id).is_some() {
                return Err(there_again(&format!("the key \"{}\"", entry.name)));
            }
            pools.keys.add(entry.clone()).map_err(|error| cannot(error.into()))?;
            pools.keys.place(&entry.id, *place, after.as_ref());
        }
        for left in &self.assignments {
            left.bring_back(pools);
        }
        Ok(self.told())
    }

    fn told(&self) -> Edited {
        let (subject, message) = match (self.keys.as_slice(), self.proxies.as_slice()) {
            ([key], []) => {
                (Subject::Key(key.entry.id.clone()), format!("Key \"{}\" is back.", key.entry.name))
            }
            ([], [proxy]) => {
                (Subject::Proxy(proxy.entry.id.clone()), format!("Proxy {} is back.", proxy.entry.name))
            }
            (keys, []) => (Subject::Nothing, format!("{} are back.", counted(keys.len(), "key"))),
            (_, proxies) => (Subject::Nothing, format!("{} are back.", counted(proxies.len(), "proxy"))),
        };
        Edited { subject, message }
    }
}

impl Left {
    fn bring_back(&self, pools: &mut Pools) {
        let key = &self.before.key_id;
        let now_there = pools.assignments.get(key);
        let form = |entry: &Assignment| (entry.proxy_id.clone(), entry.is_manual, entry.home.clone());
        let by_hand = now_there.is_some_and(|entry| entry.is_manual || entry.home.is_some());
        let chosen_since = by_hand && now_there.map(form) != self.after.as_ref().map(form);
        let proxy = self.before.proxy_id.as_ref();
        let fits = pools.keys.get(key).is_some() && proxy.is_none_or(|id| pools.proxies.get(id).is_some());
        if fits && !chosen_since {
            pools.assignments.put_back(self.before.clone());
        }
    }
}

/// The entries that are not `kept`, with their places.
fn gone<Entry: Clone, Id: Clone>(
    entries: &[Entry],
    id: impl Fn(&Entry) -> &Id,
    kept: impl Fn(&Id) -> bool,
) -> Vec<Placed<Entry, Id>> {
    let before =
        |place: usize| place.checked_sub(1).and_then(|place| entries.get(place)).map(|one| id(one).clone());
    let gone = entries.iter().enumerate().filter(|(_, entry)| !kept(id(entry)));
    gone.map(|(place, entry)| Placed { entry: entry.clone(), place, after: before(place) }).collect()
}

fn there_again(what: &str) -> Refusal {
    let words = format!("The removal cannot be undone: {what} is there again.");
    Refusal::new(RefusalCode::Duplicate, words)
}

/// The same key or proxy was entered again, or its name was given to another.
fn cannot(refusal: Refusal) -> Refusal {
    Refusal::new(refusal.code, format!("The removal cannot be undone. {}", refusal.message))
}

impl Aggregator {
    pub(super) async fn undo_removal(&self, undo: &str) -> Result<Reply, Refusal> {
        let now = self.state.now();
        let removal = self.removals.lock().find(undo, now);
        let removal = removal.ok_or_else(|| Refusal::new(RefusalCode::NotFound, GONE))?;
        let reply = self.edit(|pools, _| removal.bring_back(pools)).await?;
        self.removals.lock().forget(undo);
        Ok(reply)
    }
}

#[cfg(test)]
mod tests;

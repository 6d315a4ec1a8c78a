//! Which key made which resource. Files, caches, batches and operations live in one key's project, and any other
//! key is refused them; so a request that names one must go out with the key that made it. Names are learned from
//! answers and kept bounded in number and age; a store may take them out and give them back after a restart. It
//! chooses no key, reads no request and writes no file itself.
//!
//! Invariant: a name that is itself a credential (`auth_tokens/…`) is kept as its digest only.

pub mod ids;
pub mod names;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::ids::KeyId;
use crate::latest::Latest;
use crate::secret::digest;

const MOST: usize = 20_000;
/// Files are kept for two days by Google, batches and stores for longer; a name asked for again is kept on.
const KEPT_FOR: Millis = 30 * 24 * 3_600 * 1_000;
/// A name seen again within this time is not worth saving anew.
const SAVED_AGAIN_AFTER: Millis = 24 * 3_600 * 1_000;
const AUTH_TOKENS: &str = "auth_tokens/";

#[derive(Default)]
pub struct Affinity {
    owners: Mutex<Latest<String, Owned, MOST>>,
    revision: AtomicU64,
}

struct Owned {
    key: KeyId,
    until: Millis,
}

/// One name as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedName {
    pub name: String,
    pub key: KeyId,
    pub until: Millis,
}

/// Two resources of one request that no single key may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwoOwners {
    pub resources: [String; 2],
    pub keys: [KeyId; 2],
}

impl Affinity {
    /// Nothing is owned: nobody needs to look for names.
    pub fn is_empty(&self) -> bool {
        self.owners.lock().is_empty()
    }

    /// Grows whenever there is something new to save.
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    pub fn learn(&self, names: BTreeSet<String>, key: &KeyId, now: Millis) {
        let until = now.saturating_add(KEPT_FOR);
        let mut owners = self.owners.lock();
        let mut changed = false;
        for name in names {
            let before = owners.put(kept_form(&name).into_owned(), Owned { key: key.clone(), until });
            changed |= before.is_none_or(|before| {
                before.key != *key || until.saturating_sub(before.until) > SAVED_AGAIN_AFTER
            });
        }
        if changed {
            self.revision.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// These keys are gone, or have another text and so perhaps another project: nothing is theirs any more.
    pub fn forget(&self, keys: &[KeyId]) {
        if keys.is_empty() {
            return;
        }
        let mut owners = self.owners.lock();
        let before = owners.len();
        owners.retain(|owned| !keys.contains(&owned.key));
        if owners.len() < before {
            self.revision.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// The one key that may see all of `names`; `None` when none of them is known.
    pub fn owner(&self, names: &BTreeSet<String>, now: Millis) -> Result<Option<KeyId>, TwoOwners> {
        let owners = self.owners.lock();
        let mut first: Option<(Cow<'_, str>, &KeyId)> = None;
        for name in names {
            let name = kept_form(name);
            let Some(owned) = owners.get(name.as_ref()).filter(|owned| owned.until > now) else { continue };
            match first {
                None => first = Some((name, &owned.key)),
                Some((_, key)) if *key == owned.key => {}
                Some((other, key)) => {
                    return Err(TwoOwners {
                        resources: [other.into_owned(), name.into_owned()],
                        keys: [key.clone(), owned.key.clone()],
                    });
                }
            }
        }
        Ok(first.map(|(_, key)| key.clone()))
    }

    /// The key that made this one resource.
    pub fn owner_of(&self, name: &str, now: Millis) -> Option<KeyId> {
        let owners = self.owners.lock();
        owners.get(kept_form(name).as_ref()).filter(|owned| owned.until > now).map(|owned| owned.key.clone())
    }

    /// About how many bytes the names hold.
    pub fn held_bytes(&self) -> usize {
        let owners = self.owners.lock();
        let names: usize = owners.iter().map(|(name, _)| name.len()).sum();
        names + owners.held_bytes()
    }

    /// All that is known now, the oldest first, for a store.
    pub fn export(&self, now: Millis) -> Vec<OwnedName> {
        let owners = self.owners.lock();
        let living = owners.iter().filter(|(_, owned)| owned.until > now);
        let entry = |(name, owned): (&String, &Owned)| OwnedName {
            name: name.clone(),
            key: owned.key.clone(),
            until: owned.until,
        };
        living.map(entry).collect()
    }

    /// What a store kept, oldest first. What was learned since then stays as it is, and a date beyond what is ever
    /// given (a clock set back) is cut to it.
    pub fn restore(&self, kept: impl IntoIterator<Item = OwnedName>, now: Millis) {
        let latest = now.saturating_add(KEPT_FOR);
        let living = kept.into_iter().filter(|one| one.until > now);
        let entry = |OwnedName { name, key, until }| (name, Owned { key, until: until.min(latest) });
        self.owners.lock().put_before(living.map(entry));
    }
}

fn kept_form(name: &str) -> Cow<'_, str> {
    match name.strip_prefix(AUTH_TOKENS) {
        Some(token) => Cow::Owned(format!("{AUTH_TOKENS}{}", digest(token))),
        None => Cow::Borrowed(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_request_goes_to_the_key_that_made_what_it_names() {
        let affinity = Affinity::default();
        affinity.learn(names(&["files/a"]), &"k1".into(), 0);
        affinity.learn(names(&["files/b"]), &"k2".into(), 0);
        assert_eq!(affinity.owner(&names(&["files/b", "files/unknown"]), 1), Ok(Some("k2".into())));
        assert_eq!(affinity.owner(&names(&["files/unknown"]), 1), Ok(None));
        assert_eq!(affinity.owner(&names(&["files/a"]), KEPT_FOR), Ok(None), "forgotten in time");
        let both = affinity.owner(&names(&["files/a", "files/b"]), 1).unwrap_err();
        assert_eq!(both.resources, ["files/a", "files/b"]);
    }

    #[test]
    fn a_key_that_is_gone_owns_nothing() {
        let affinity = Affinity::default();
        affinity.learn(names(&["files/a"]), &"k1".into(), 0);
        affinity.learn(names(&["files/b"]), &"k2".into(), 0);
        affinity.forget(&["k1".into()]);
        assert_eq!(affinity.owner(&names(&["files/a"]), 1), Ok(None));
        assert_eq!(affinity.owner(&names(&["files/b"]), 1), Ok(Some("k2".into())));
    }

    #[test]
    fn the_oldest_names_go_first() {
        let affinity = Affinity::default();
        for number in 0..=MOST {
            affinity.learn(names(&[&format!("files/{number}")]), &"k1".into(), 0);
        }
        assert_eq!(affinity.owner(&names(&["files/0"]), 1), Ok(None));
        assert_eq!(affinity.owner(&names(&["files/1"]), 1), Ok(Some("k1".into())));
    }

    #[test]
    fn what_a_store_kept_serves_again_and_yields_to_what_was_learned_since() {
        let before = Affinity::default();
        before.learn(names(&["files/a", "files/b", "auth_tokens/secret"]), &"k1".into(), 0);
        let saved = serde_json::to_string(&before.export(1)).unwrap();
        assert!(!saved.contains("secret"), "a token is not stored as it is: {saved}");
        let after = Affinity::default();
        after.learn(names(&["files/b"]), &"k2".into(), 5);
        after.restore(serde_json::from_str::<Vec<OwnedName>>(&saved).unwrap(), 5);
        assert_eq!(after.owner_of("files/a", 6), Some("k1".into()));
        assert_eq!(after.owner_of("auth_tokens/secret", 6), Some("k1".into()));
        assert_eq!(after.owner_of("files/b", 6), Some("k2".into()), "newer than the store");
    }

    #[test]
    fn a_clock_that_jumped_neither_keeps_names_for_ever_nor_revives_old_ones() {
        let kept = |until| OwnedName { name: format!("files/{until}"), key: "k1".into(), until };
        let affinity = Affinity::default();
        affinity.restore([kept(10), kept(10 * KEPT_FOR)], 20);
        assert_eq!(affinity.export(20).len(), 1);
        assert_eq!(affinity.export(20 + KEPT_FOR).len(), 0);
    }

    #[test]
    fn only_what_is_new_asks_to_be_saved() {
        let affinity = Affinity::default();
        affinity.learn(names(&["files/a"]), &"k1".into(), 0);
        let saved = affinity.revision();
        affinity.learn(names(&["files/a"]), &"k1".into(), 1_000);
        affinity.forget(&["k2".into()]);
        assert_eq!(affinity.revision(), saved, "seen again a second later");
        affinity.learn(names(&["files/a"]), &"k2".into(), 1_000);
        assert!(affinity.revision() > saved, "another owner");
        let saved = affinity.revision();
        affinity.learn(names(&["files/a"]), &"k2".into(), 3 * SAVED_AGAIN_AFTER);
        assert!(affinity.revision() > saved, "kept on for days longer");
        let saved = affinity.revision();
        affinity.forget(&["k2".into()]);
        assert!(affinity.revision() > saved);
    }
}

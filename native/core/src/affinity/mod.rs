//! Which key made which resource. Files, caches, batches and operations live in one key's project, and any other
//! key is refused them; so a request that names one must go out with the key that made it. Names are learned from
//! answers and kept in memory, bounded in number and age. It chooses no key and reads no request itself.

pub mod names;

use std::collections::BTreeSet;

use indexmap::IndexMap;
use parking_lot::Mutex;

use crate::clock::Millis;
use crate::ids::KeyId;

const MOST: usize = 20_000;
/// Files are kept for two days by Google, batches and stores for longer; a name asked for again is kept on.
const KEPT_FOR: Millis = 30 * 24 * 3_600 * 1_000;

#[derive(Default)]
pub struct Affinity {
    owners: Mutex<IndexMap<String, Owned>>,
}

struct Owned {
    key: KeyId,
    until: Millis,
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

    pub fn learn(&self, names: BTreeSet<String>, key: &KeyId, now: Millis) {
        let mut owners = self.owners.lock();
        for name in names {
            // Last in line again, so that the oldest are the first to go.
            owners.shift_remove(&name);
            owners.insert(name, Owned { key: key.clone(), until: now.saturating_add(KEPT_FOR) });
        }
        let surplus = owners.len().saturating_sub(MOST);
        owners.drain(..surplus);
    }

    /// These keys are gone, or have another text and so perhaps another project: nothing is theirs any more.
    pub fn forget(&self, keys: &[KeyId]) {
        if !keys.is_empty() {
            self.owners.lock().retain(|_, owned| !keys.contains(&owned.key));
        }
    }

    /// The one key that may see all of `names`; `None` when none of them is known.
    pub fn owner(&self, names: &BTreeSet<String>, now: Millis) -> Result<Option<KeyId>, TwoOwners> {
        let owners = self.owners.lock();
        let mut first: Option<(&String, &KeyId)> = None;
        for name in names {
            let Some(owned) = owners.get(name).filter(|owned| owned.until > now) else { continue };
            match first {
                None => first = Some((name, &owned.key)),
                Some((_, key)) if *key == owned.key => {}
                Some((other, key)) => {
                    return Err(TwoOwners {
                        resources: [other.clone(), name.clone()],
                        keys: [key.clone(), owned.key.clone()],
                    });
                }
            }
        }
        Ok(first.map(|(_, key)| key.clone()))
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
}

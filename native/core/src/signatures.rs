//! Thought signatures by the id of the call they belong to, for clients that drop them, and the key each conversation was
//! held with. Learned from answers, bounded in number and bytes, kept by the StateStore over a restart. What a signature
//! means only Google knows; which requests ask for one is the dialect's business.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hashlink::LinkedHashMap;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::ids::KeyId;
use crate::latest::Latest;

/// Calls remembered; the oldest go first.
const MOST: usize = 4_096;
/// Conversations remembered.
const MOST_CONVERSATIONS: usize = 4_096;
/// Bytes of signatures remembered.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// A longer one is not remembered: those seen have a few kilobytes.
const LONGEST: usize = 64 * 1024;
/// A conversation that goes on after this begins anew.
const KEPT_FOR: Millis = 7 * 24 * 3_600 * 1_000;

#[derive(Default)]
pub struct SignatureCache {
    kept: Mutex<Kept>,
    /// By their opening, the latest last. A restart forgets them: it costs a cold cache at Google, no more.
    conversations: Mutex<Latest<u64, (KeyId, Millis), MOST_CONVERSATIONS>>,
    revision: AtomicU64,
}

#[derive(Default)]
struct Kept {
    by_call: LinkedHashMap<String, Entry>,
    bytes: usize,
}

struct Entry {
    signature: Arc<str>,
    key: KeyId,
    until: Millis,
}

/// One signature as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSignature {
    pub call: String,
    pub signature: String,
    pub key: KeyId,
    pub until: Millis,
}

impl SignatureCache {
    pub fn learn(&self, signatures: Vec<(String, String)>, key: &KeyId, now: Millis) {
        let fitting = signatures.into_iter().filter(|(call, text)| call.len() + text.len() <= LONGEST);
        let until = now.saturating_add(KEPT_FOR);
        let mut kept = self.kept.lock();
        let mut changed = false;
        for (call, text) in fitting {
            kept.put(call, Entry { signature: text.into(), key: key.clone(), until });
            changed = true;
        }
        if changed {
            self.revision.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub fn find(&self, call: &str, now: Millis) -> Option<Arc<str>> {
        let kept = self.kept.lock();
        kept.by_call.get(call).filter(|entry| entry.until > now).map(|entry| Arc::clone(&entry.signature))
    }

    /// A conversation with this opening was held with that key.
    pub fn held(&self, opening: u64, key: &KeyId, now: Millis) {
        self.conversations.lock().put(opening, (key.clone(), now.saturating_add(KEPT_FOR)));
    }

    /// The key that a conversation was held with so far.
    pub fn held_with(&self, opening: u64, now: Millis) -> Option<KeyId> {
        let conversations = self.conversations.lock();
        conversations.get(&opening).filter(|(_, until)| *until > now).map(|(key, _)| key.clone())
    }

    /// The key of the last of these calls that is known.
    pub fn owner<'c>(
        &self,
        calls: impl DoubleEndedIterator<Item = &'c String>,
        now: Millis,
    ) -> Option<KeyId> {
        let kept = self.kept.lock();
        let known = |call: &String| kept.by_call.get(call).filter(|entry| entry.until > now);
        calls.rev().find_map(known).map(|entry| entry.key.clone())
    }

    /// These keys are gone, or have another text: their signatures may be another project's.
    pub fn forget(&self, keys: &[KeyId]) {
        self.conversations.lock().retain(|(key, _)| !keys.contains(key));
        let mut kept = self.kept.lock();
        let before = kept.by_call.len();
        kept.by_call.retain(|_, entry| !keys.contains(&entry.key));
        kept.bytes = kept.by_call.iter().map(|(call, entry)| size(call, entry)).sum();
        if kept.by_call.len() < before {
            self.revision.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Grows whenever there is something new to save.
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    /// The oldest first, for a store.
    pub fn export(&self, now: Millis) -> Vec<KeptSignature> {
        let kept = self.kept.lock();
        let living = kept.by_call.iter().filter(|(_, entry)| entry.until > now);
        living
            .map(|(call, entry)| KeptSignature {
                call: call.clone(),
                signature: entry.signature.to_string(),
                key: entry.key.clone(),
                until: entry.until,
            })
            .collect()
    }

    /// What a store kept, oldest first; what was learned since stays, and a date beyond what is ever given is cut to it.
    pub fn restore(&self, stored: impl IntoIterator<Item = KeptSignature>, now: Millis) {
        let latest = now.saturating_add(KEPT_FOR);
        let mut kept = self.kept.lock();
        let learned = std::mem::take(&mut *kept);
        for one in stored.into_iter().filter(|one| one.until > now) {
            let until = one.until.min(latest);
            kept.put(one.call, Entry { signature: one.signature.into(), key: one.key, until });
        }
        learned.by_call.into_iter().for_each(|(call, entry)| kept.put(call, entry));
    }

    /// About how many bytes it holds.
    pub fn held_bytes(&self) -> usize {
        let kept = self.kept.lock();
        kept.bytes + kept.by_call.capacity() * size_of::<(String, Entry)>()
    }
}

impl Kept {
    /// Last in line, so that the oldest are the first to go.
    fn put(&mut self, call: String, entry: Entry) {
        if let Some((call, before)) = self.by_call.remove_entry(&call) {
            self.bytes -= size(&call, &before);
        }
        self.bytes += size(&call, &entry);
        self.by_call.insert(call, entry);
        while self.by_call.len() > MOST || self.bytes > MOST_BYTES {
            let Some((call, entry)) = self.by_call.pop_front() else { break };
            self.bytes -= size(&call, &entry);
        }
    }
}

fn size(call: &str, entry: &Entry) -> usize {
    call.len() + entry.signature.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(cache: &SignatureCache, calls: &[(&str, &str)], key: &str, now: Millis) {
        let all = calls.iter().map(|(call, text)| ((*call).to_owned(), (*text).to_owned()));
        cache.learn(all.collect(), &key.into(), now);
    }

    #[test]
    fn a_signature_is_found_by_its_call_until_it_is_old() {
        let cache = SignatureCache::default();
        learned(&cache, &[("c1", "one"), ("c2", "two")], "k1", 10);
        learned(&cache, &[("c3", "three")], "k2", 10);
        assert_eq!(cache.find("c2", 11).as_deref(), Some("two"));
        assert_eq!(cache.find("c4", 11), None);
        let calls = ["c1", "c3", "unknown"].map(str::to_owned);
        assert_eq!(cache.owner(calls.iter(), 11), Some("k2".into()), "the last that is known");
        assert_eq!(cache.find("c2", 10 + KEPT_FOR), None);
        cache.forget(&["k2".into()]);
        assert_eq!(cache.owner(calls.iter(), 11), Some("k1".into()));
    }

    #[test]
    fn a_conversation_is_known_by_its_opening() {
        let cache = SignatureCache::default();
        cache.held(7, &"k1".into(), 0);
        cache.held(7, &"k2".into(), 1);
        assert_eq!(cache.held_with(7, 2), Some("k2".into()), "where it was last");
        assert_eq!(cache.held_with(8, 2), None);
        (100..100 + MOST_CONVERSATIONS as u64).for_each(|opening| cache.held(opening, &"k".into(), 0));
        assert_eq!(cache.held_with(7, 2), None, "the oldest go");
        cache.forget(&["k".into()]);
        assert_eq!(cache.held_with(100, 2), None);
    }

    #[test]
    fn number_and_bytes_are_bounded_and_the_oldest_go() {
        let cache = SignatureCache::default();
        for number in 0..MOST + 10 {
            learned(&cache, &[(&format!("c{number}"), "s")], "k", 0);
        }
        assert_eq!((cache.find("c9", 1), cache.export(1).len()), (None, MOST));
        let long = "s".repeat(LONGEST - 10);
        (0..100).for_each(|number| learned(&cache, &[(&format!("l{number}"), &long)], "k", 0));
        assert!(cache.kept.lock().bytes <= MOST_BYTES && cache.find("l99", 1).is_some());
        assert_eq!(cache.find("c4000", 1), None);
        learned(&cache, &[("too", &"s".repeat(LONGEST))], "k", 0);
        assert_eq!(cache.find("too", 1), None);
    }

    #[test]
    fn a_restart_keeps_what_was_learned_and_what_is_newer_wins() {
        let cache = SignatureCache::default();
        learned(&cache, &[("c1", "old"), ("c2", "two")], "k1", 0);
        let stored = cache.export(1);
        let next = SignatureCache::default();
        learned(&next, &[("c1", "new")], "k2", 5);
        next.restore(stored, 6);
        assert_eq!(
            (next.find("c1", 7).as_deref(), next.find("c2", 7).as_deref()),
            (Some("new"), Some("two"))
        );
    }
}

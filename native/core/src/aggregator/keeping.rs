//! When learned state is loaded and saved: loaded when the endpoint opens, saved shortly after something was learned and
//! once more at the end. A disk that fails is said once and tried again; requests never wait for it: what is to be saved
//! is copied under each part's own short lock, and only where it has changed.
//!
//! Invariant: only a core that has served writes; one that never listened has learned nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::Aggregator;
use crate::clock::Millis;
use crate::events::{Event, EventType, Level};
use crate::store::{Kept, News, StateStore, VERSION};

/// Whatever is learned within this time is written together. With the time a write takes, a kill loses less than a second.
const TOGETHER: Duration = Duration::from_millis(500);
/// A disk that failed is tried again after this long, learned or not.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// What was copied last and the revisions it had. A part that has not changed since is handed on as it is, so that the
/// store sees without a look that it is the same.
#[derive(Default)]
pub(super) struct Copied {
    kept: Kept,
    revisions: Option<Revisions>,
}

/// They grow with everything that is worth a write.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Revisions {
    pools: u64,
    owned: u64,
    uploads: u64,
    signatures: u64,
    requests: u64,
}

impl Aggregator {
    /// Takes over what an earlier run learned, once, before the first request.
    pub(super) async fn load_kept(&self) {
        let Some(store) = self.store.clone() else { return };
        if self.loaded.swap(true, Ordering::Relaxed) {
            return;
        }
        let Ok(found) = tokio::task::spawn_blocking(move || store.load()).await else { return };
        if let Some(kept) = found.kept {
            self.take_over_kept(kept);
        }
        if let Some(words) = found.warning {
            self.warn(words);
        }
    }

    fn take_over_kept(&self, kept: Kept) {
        let now = self.state.now();
        let mut pools = self.state.pools.lock();
        let known: Vec<_> = kept
            .pools
            .keys
            .iter()
            .filter(|learned| {
                let key = pools.keys.get(&learned.id);
                key.is_some_and(|key| key.entered.secret.fingerprint() == learned.fingerprint)
            })
            .map(|learned| learned.id.clone())
            .collect();
        pools.restore(Arc::unwrap_or_clone(kept.pools), now);
        drop(pools);
        self.state.log.restore(Arc::unwrap_or_clone(kept.requests), now);
        let owned = Arc::unwrap_or_clone(kept.owned).into_iter();
        let uploads = Arc::unwrap_or_clone(kept.uploads).into_iter();
        let signatures = Arc::unwrap_or_clone(kept.signatures).into_iter();
        // What belongs to a key that is gone, or has another text by now, is nobody's.
        self.state.affinity.restore(owned.filter(|owned| known.contains(&owned.key)), now);
        self.state.signatures.restore(signatures.filter(|one| known.contains(&one.key)), now);
        self.uploads.restore(uploads.filter(|owned| known.contains(&owned.key)), now);
    }

    /// Saves shortly after something was learned; ends when dropped.
    pub(super) async fn keep_forever(self: Arc<Self>) {
        let Some(store) = self.store.clone() else { return };
        let (mut failing, mut makeshift) = (false, false);
        let (mut saved, mut tried) = (self.revisions(), Instant::now());
        loop {
            tokio::time::sleep(if failing { AFTER_FAILURE } else { TOGETHER }).await;
            let revisions = self.revisions();
            if revisions == saved && !failing && !(makeshift && tried.elapsed() >= AFTER_FAILURE) {
                continue;
            }
            tried = Instant::now();
            match self.save(&store, revisions).await {
                Ok(still_makeshift) => (saved, failing, makeshift) = (revisions, false, still_makeshift),
                Err(words) if !failing => {
                    self.warn(words);
                    failing = true;
                }
                Err(_) => {}
            }
        }
    }

    /// The last words of a run, counters and scores included.
    pub(super) async fn keep_at_the_end(&self) {
        if let (Some(store), true) = (&self.store, self.loaded.load(Ordering::Relaxed)) {
            self.copied.lock().revisions = None;
            if let Err(words) = self.save(store, self.revisions()).await {
                self.warn(words);
            }
        }
    }

    /// Answers whether it lies in a place that only stands in for the right one.
    async fn save(&self, store: &Arc<dyn StateStore>, revisions: Revisions) -> Result<bool, String> {
        let kept = self.copy(revisions, self.state.now());
        let (store, saving) = (Arc::clone(store), Arc::clone(&self.saving));
        let number = self.saves.fetch_add(1, Ordering::Relaxed) + 1;
        let save = move || {
            let mut newest = saving.lock();
            // One that was overtaken holds older state.
            if number < *newest {
                return Ok(Default::default());
            }
            *newest = number;
            store.save(&kept)
        };
        let saved = match tokio::task::spawn_blocking(save).await {
            Ok(result) => result.map_err(|error| error.0)?,
            Err(_) => return Err("The learned state could not be written.".to_owned()),
        };
        match saved.news {
            Some(News::Bad(words)) => self.warn(words),
            Some(News::Good(words)) => self.tell_of_the_store(Level::Info, words),
            None => {}
        }
        Ok(saved.makeshift)
    }

    /// `revisions` were read before: what changes meanwhile is copied now or next time.
    fn copy(&self, revisions: Revisions, now: Millis) -> Kept {
        let mut copied = self.copied.lock();
        let before = copied.revisions.replace(revisions);
        let changed = |part: fn(&Revisions) -> u64| before.as_ref().map(part) != Some(part(&revisions));
        let kept = &mut copied.kept;
        kept.version = VERSION;
        // Every request counts something for its key.
        if changed(|one| one.pools) || changed(|one| one.requests) {
            kept.pools = Arc::new(self.state.pools.lock().export(now));
        }
        if changed(|one| one.owned) {
            kept.owned = Arc::new(self.state.affinity.export(now));
        }
        if changed(|one| one.uploads) {
            kept.uploads = Arc::new(self.uploads.export(now));
        }
        if changed(|one| one.signatures) {
            kept.signatures = Arc::new(self.state.signatures.export(now));
        }
        if changed(|one| one.requests) {
            kept.requests = Arc::new(self.state.log.export());
        }
        kept.clone()
    }

    fn revisions(&self) -> Revisions {
        Revisions {
            pools: self.state.pools.lock().revision(),
            owned: self.state.affinity.revision(),
            uploads: self.uploads.revision(),
            signatures: self.state.signatures.revision(),
            requests: self.state.log.revision(),
        }
    }

    pub(super) fn warn(&self, words: String) {
        self.tell_of_the_store(Level::Warn, words);
    }

    fn tell_of_the_store(&self, level: Level, words: String) {
        self.state.events.publish(Event::new(EventType::StateWarning, level, self.state.now(), words));
    }
}

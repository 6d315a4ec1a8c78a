//! When learned state is loaded and saved: loaded when the endpoint opens, saved shortly after something was learned and
//! once more at the end. A disk that fails is said once and tried again; requests never wait for it.
//!
//! Invariant: only a core that has served writes; one that never listened has learned nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Aggregator;
use crate::events::{Event, EventType, Level};
use crate::store::{Kept, StateStore, VERSION};

/// Whatever is learned within this time is written together: the most that a kill can lose.
const TOGETHER: Duration = Duration::from_millis(500);
/// A disk that failed is tried again after this long, learned or not.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

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
        pools.restore(kept.pools, now);
        drop(pools);
        // What belongs to a key that is gone, or has another text by now, is nobody's.
        self.state.affinity.restore(kept.owned.into_iter().filter(|owned| known.contains(&owned.key)), now);
        self.state
            .signatures
            .restore(kept.signatures.into_iter().filter(|one| known.contains(&one.key)), now);
        self.uploads.restore(kept.uploads.into_iter().filter(|owned| known.contains(&owned.key)), now);
    }

    /// Saves shortly after something was learned; ends when dropped.
    pub(super) async fn keep_forever(self: Arc<Self>) {
        let Some(store) = self.store.clone() else { return };
        let mut failing = false;
        let mut saved = self.learned_revision();
        loop {
            tokio::time::sleep(if failing { AFTER_FAILURE } else { TOGETHER }).await;
            let revision = self.learned_revision();
            if revision == saved && !failing {
                continue;
            }
            match self.save(&store).await {
                Ok(()) => (saved, failing) = (revision, false),
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
        if let (Some(store), true) = (&self.store, self.loaded.load(Ordering::Relaxed))
            && let Err(words) = self.save(store).await
        {
            self.warn(words);
        }
    }

    async fn save(&self, store: &Arc<dyn StateStore>) -> Result<(), String> {
        let now = self.state.now();
        let pools = self.state.pools.lock().export(now);
        let (owned, uploads) = (self.state.affinity.export(now), self.uploads.export(now));
        let signatures = self.state.signatures.export(now);
        let kept = Kept { version: VERSION, pools, owned, uploads, signatures };
        let (store, saving) = (Arc::clone(store), Arc::clone(&self.saving));
        let number = self.saves.fetch_add(1, Ordering::Relaxed) + 1;
        let save = move || {
            let mut newest = saving.lock();
            // One that was overtaken holds older state.
            if number < *newest {
                return Ok(());
            }
            *newest = number;
            store.save(&kept)
        };
        match tokio::task::spawn_blocking(save).await {
            Ok(result) => result.map_err(|error| error.0),
            Err(_) => Err("The learned state could not be written.".to_owned()),
        }
    }

    /// Grows with everything that is worth a write.
    fn learned_revision(&self) -> [u64; 4] {
        let pools = self.state.pools.lock().revision();
        let signatures = self.state.signatures.revision();
        [pools, self.state.affinity.revision(), self.uploads.revision(), signatures]
    }

    pub(super) fn warn(&self, words: String) {
        self.state.events.publish(Event::new(EventType::StateWarning, Level::Warn, self.state.now(), words));
    }
}

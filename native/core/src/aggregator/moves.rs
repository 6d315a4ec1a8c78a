//! Saves assignments that changed by themselves: keys placed while opening, keys that left a failing proxy or came back
//! to one. Such a move takes effect at once, because requests depend on it, and is saved right after.
//!
//! Invariant: what the vault holds is known (`saved`), so that no change is computed against anything else.

use std::sync::Arc;
use std::time::Duration;

use super::Aggregator;

/// A vault that failed is tried again after this long.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

impl Aggregator {
    /// Saves whenever something moved; ends when dropped.
    pub(super) async fn save_moves_forever(self: Arc<Self>) {
        loop {
            self.state.moved.notified().await;
            let mut told = false;
            while let Err(words) = self.save_moves().await {
                if !told {
                    self.warn(words);
                }
                told = true;
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }

    /// Afterwards the vault holds what is in force; an error is a sentence for the user.
    pub(super) async fn save_moves(&self) -> Result<(), String> {
        let _one_at_a_time = self.editing.lock().await;
        let begun = self.vault.begin().await;
        begun.map_err(|error| {
            format!("What was read from the secret store could not be put in order: {}", error.0)
        })?;
        let before = self.saved.lock().clone();
        let after = self.state.pools.lock().entered();
        if before == after {
            return Ok(());
        }
        let saved = self.vault.save(&before, &after).await;
        saved.map_err(|error| format!("The proxy assignments could not be saved: {}", error.0))?;
        *self.saved.lock() = after;
        Ok(())
    }
}

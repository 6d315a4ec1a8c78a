//! The copies that the other windows hold of the vault, and of whether the endpoint is meant to listen, so that whichever
//! of them leads next has every change that was confirmed. It must not know how a copy travels.
//!
//! Invariant: a change is confirmed only after it is saved here and every attached window has it, or was given the time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::vault::{Entered, Vault, VaultError};

/// How long a change waits for the other windows.
const PATIENCE: Duration = Duration::from_millis(250);

/// What the next leader goes on with; a greater number is newer.
#[derive(Clone)]
pub struct Numbered {
    pub number: u64,
    pub entered: Arc<Entered>,
    /// The endpoint is meant to listen: nobody has stopped it.
    pub wanted: bool,
}

pub struct Copies {
    newest: watch::Sender<Numbered>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    last: u64,
    by_window: HashMap<u64, watch::Receiver<u64>>,
}

/// One window's place; leaving it is dropping it.
pub struct Place {
    copies: Arc<Copies>,
    id: u64,
    kept: watch::Sender<u64>,
}

impl Copies {
    pub fn new(entered: Entered, wanted: bool) -> Arc<Self> {
        let newest = Numbered { number: 0, entered: Arc::new(entered), wanted };
        Arc::new(Self { newest: watch::Sender::new(newest), kept: Mutex::default() })
    }

    /// Before the window is given anything: what is saved from now on waits for it.
    pub fn join(self: &Arc<Self>) -> Place {
        let sender = watch::Sender::new(0);
        let mut kept = self.kept.lock();
        kept.last += 1;
        let id = kept.last;
        kept.by_window.insert(id, sender.subscribe());
        Place { copies: Arc::clone(self), id, kept: sender }
    }

    pub fn watch(&self) -> watch::Receiver<Numbered> {
        self.newest.subscribe()
    }

    pub fn wanted(&self) -> bool {
        self.newest.borrow().wanted
    }

    /// Whether the endpoint is meant to listen; every attached window knows it afterwards.
    pub async fn want(&self, wanted: bool) {
        if self.wanted() != wanted {
            self.give(|newest| newest.wanted = wanted).await;
        }
    }

    async fn give(&self, change: impl FnOnce(&mut Numbered)) {
        let mut number = 0;
        self.newest.send_modify(|newest| {
            change(newest);
            newest.number += 1;
            number = newest.number;
        });
        let waiting: Vec<_> = self.kept.lock().by_window.values().cloned().collect();
        let all = async {
            for mut window in waiting {
                // One that has gone is not waited for.
                let _ = window.wait_for(|kept| *kept >= number).await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, all).await;
    }
}

impl Place {
    pub fn has(&self, number: u64) {
        self.kept.send_replace(number);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.copies.kept.lock().by_window.remove(&self.id);
    }
}

/// A vault whose changes reach the other windows before they are confirmed.
pub struct SharedVault {
    pub own: Arc<dyn Vault>,
    pub copies: Arc<Copies>,
}

#[async_trait]
impl Vault for SharedVault {
    async fn save(&self, before: &Entered, after: &Entered) -> Result<(), VaultError> {
        self.own.save(before, after).await?;
        self.copies.give(|newest| newest.entered = Arc::new(after.clone())).await;
        Ok(())
    }

    async fn begin(&self) -> Result<(), VaultError> {
        self.own.begin().await
    }
}

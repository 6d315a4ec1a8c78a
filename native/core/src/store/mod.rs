//! StateStore: what the system learned, kept over a restart: rests, circuits, scores, who owns which resource, signatures
//! of thoughts, the request log. What the user entered is the vault's, but for what was added while the program ran,
//! which a vault may keep here as one text whose form this room does not know. Where it lies is the host's choice; when
//! it is written the aggregator's (`keeping`).
//!
//! Invariant: nothing that was learned holds a secret; keys are recognised by a fingerprint, uploads by a digest. Only
//! what was added does, and its files are their owner's alone.

mod aside;
pub mod falling_back;
#[cfg(test)]
mod fixtures;
pub mod json_file;
pub mod sqlite;

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::affinity::OwnedName;
use crate::pools::learned::LearnedPools;
use crate::requests::RequestView;
use crate::server::uploads::OwnedUpload;
use crate::signatures::KeptSignature;
use sqlite::Row;

/// The form of what is kept. A later program reads older ones; an earlier one sets a newer one aside.
pub const VERSION: u32 = 1;

/// All that is kept. A part that is the same `Arc` as in the last save has not changed: no store looks into it again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    pub version: u32,
    /// Grows from save to save, over restarts too, so that of two places the newer one is known. The store's own.
    #[serde(default)]
    pub generation: u64,
    /// Written while another place could not be read: what that one holds is missing here. The store's own.
    #[serde(default)]
    pub apart: bool,
    pub pools: Arc<LearnedPools>,
    pub owned: Arc<Vec<OwnedName>>,
    pub uploads: Arc<Vec<OwnedUpload>>,
    #[serde(default)]
    pub signatures: Arc<Vec<KeptSignature>>,
    /// The oldest first.
    #[serde(default)]
    pub requests: Arc<Vec<Arc<RequestView>>>,
}

impl Kept {
    /// How many entries it has.
    pub fn count(&self) -> usize {
        let pools = self.pools.keys.len() + self.pools.rests.len();
        pools + self.owned.len() + self.uploads.len() + self.signatures.len() + self.requests.len()
    }

    /// This, and what `older` has beside it. Whose rows they are is looked at when they are taken over.
    pub fn with(self, older: &Self) -> Self {
        let pools = LearnedPools {
            at: self.pools.at,
            keys: united(&older.pools.keys, &self.pools.keys),
            rests: united(&older.pools.rests, &self.pools.rests),
        };
        Self {
            pools: Arc::new(pools),
            owned: Arc::new(united(&older.owned, &self.owned)),
            uploads: Arc::new(united(&older.uploads, &self.uploads)),
            signatures: Arc::new(united(&older.signatures, &self.signatures)),
            requests: Arc::new(united(&older.requests, &self.requests)),
            ..self
        }
    }
}

/// The older entries come first, but for those that are known anew.
fn united<T: Row + Clone>(older: &[T], newer: &[T]) -> Vec<T> {
    let known: HashSet<_> = newer.iter().map(Row::id).collect();
    let others = older.iter().filter(|row| !known.contains(&row.id()));
    others.chain(newer).cloned().collect()
}

/// What was found at the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    pub kept: Option<Kept>,
    /// Sentences for the user, when something could not be read.
    pub warning: Option<String>,
}

/// How a save went that reached a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    pub news: Option<News>,
    /// It lies in a place that only stands in for the right one, which wants to be tried again soon.
    pub makeshift: bool,
}

/// One or more sentences for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    Bad(String),
    Good(String),
}

/// Why something could not be kept, as a sentence with the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(pub String);

/// All calls may block on a disk; the caller keeps them off the request path.
pub trait StateStore: Send + Sync {
    /// What was kept last. Damage is no error: it is set aside and said.
    fn load(&self) -> Found;

    /// Replaces what was kept; afterwards it survives the end of the process.
    fn save(&self, kept: &Kept) -> Result<Saved, StoreError>;

    /// What was added while the program ran, as it was saved last. It holds secrets.
    fn load_added(&self) -> Result<Option<String>, StoreError>;

    /// Replaces what was added; on return it survives `kill -9` and a loss of power.
    fn save_added(&self, text: &str) -> Result<(), StoreError>;
}

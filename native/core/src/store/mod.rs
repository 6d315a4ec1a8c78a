//! StateStore: what the system learned, kept over a restart: rests, circuits, scores, who owns which resource, signatures
//! of thoughts. What the
//! user entered is the vault's. Where it lies is the host's choice; when it is written the aggregator's (`keeping`).
//!
//! Invariant: nothing that is kept here holds a secret; keys are recognised by a fingerprint, uploads by a digest.

pub mod json_file;

use serde::{Deserialize, Serialize};

use crate::affinity::OwnedName;
use crate::pools::learned::LearnedPools;
use crate::server::uploads::OwnedUpload;
use crate::signatures::KeptSignature;

/// The form of what is kept. A later program reads older ones; an earlier one sets a newer one aside.
pub const VERSION: u32 = 1;

/// All that is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    pub version: u32,
    pub pools: LearnedPools,
    pub owned: Vec<OwnedName>,
    pub uploads: Vec<OwnedUpload>,
    #[serde(default)]
    pub signatures: Vec<KeptSignature>,
}

/// What was found at the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    pub kept: Option<Kept>,
    /// One sentence for the user, when something could not be read.
    pub warning: Option<String>,
}

/// Why something could not be kept, as a sentence with the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(pub String);

/// Both calls may block on a disk; the caller keeps them off the request path.
pub trait StateStore: Send + Sync {
    /// What was kept last. Damage is no error: it is set aside and said.
    fn load(&self) -> Found;

    /// Replaces what was kept; afterwards it survives the end of the process.
    fn save(&self, kept: &Kept) -> Result<(), StoreError>;

    /// What was added while the program ran, as it was saved last. It holds secrets.
    fn load_added(&self) -> Result<Option<String>, StoreError>;

    /// Replaces what was added; on return it survives `kill -9` and a loss of power.
    fn save_added(&self, text: &str) -> Result<(), StoreError>;
}

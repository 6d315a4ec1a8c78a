//! Identities of keys, proxies and requests: cheap to clone, never secret, stable for an entry's whole life.
//! How they are stored or shown belongs elsewhere.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::clock::Millis;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
        #[serde(transparent)]
        #[ts(type = "string")]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(Arc::from(text))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// One API key. Not the key's text.
    KeyId
);
id!(
    /// One proxy server of the pool.
    ProxyId
);

/// Entries by id, in the order they were entered. The hash is a fast one, which somebody who chooses ids could make slow: they
/// come from the user's own vault and file, never from a request.
pub type InOrder<Id, T> = IndexMap<Id, T, FxBuildHasher>;

/// The same in no order.
pub type ById<Id, T> = HashMap<Id, T, FxBuildHasher>;

/// Moves the entry `id` behind `after`, or to the front when it stood there; where `after` is gone, to `place` or the end.
pub fn restore_place<Id: Hash + Eq, T>(
    entries: &mut InOrder<Id, T>,
    id: &Id,
    place: usize,
    after: Option<&Id>,
) {
    let Some(from) = entries.get_index_of(id) else { return };
    let last = entries.len() - 1;
    let to = match after.map(|after| entries.get_index_of(after)) {
        None => 0,
        Some(Some(before)) => before + usize::from(before < from),
        Some(None) => place,
    };
    entries.move_index(from, to.min(last));
}

const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// `prefix_<ms>_<7 characters>`, the form earlier versions gave to proxies.
pub fn mint(prefix: &str, now: Millis, rng: &mut fastrand::Rng) -> String {
    let tail: String = (0..7).map(|_| char::from(ALPHABET[rng.usize(..ALPHABET.len())])).collect();
    format!("{prefix}_{now}_{tail}")
}

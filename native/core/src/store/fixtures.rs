//! A folder of its own and something worth keeping, for the tests of the stores. Tests only.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Kept, VERSION};
use crate::affinity::OwnedName;

pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("aggregator-store-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names of the files that were set aside.
    pub fn aside(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap().flatten();
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names
            .filter(|name| name.contains("set-aside") && !name.ends_with("-wal") && !name.ends_with("-shm"))
            .collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn names(names: &[(&str, u64)]) -> Vec<OwnedName> {
    let entry =
        |(name, until): &(&str, u64)| OwnedName { name: (*name).into(), key: "k1".into(), until: *until };
    names.iter().map(entry).collect()
}

/// So many names and requests.
pub fn kept(count: u32) -> Kept {
    let files: Vec<String> = (0..count).map(|number| format!("files/{number}")).collect();
    let owned = names(&files.iter().map(|name| (name.as_str(), 9)).collect::<Vec<_>>());
    let requests = (0..count).map(|number| Arc::new(crate::requests::fixtures::request(number))).collect();
    Kept { version: VERSION, owned: Arc::new(owned), requests: Arc::new(requests), ..Kept::default() }
}

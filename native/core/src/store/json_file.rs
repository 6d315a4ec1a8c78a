//! The learned state as one JSON file, replaced whole: written beside, synced, renamed. Readable by its owner only. What
//! it means is not known here.
//!
//! Invariant: a file that cannot be read is set aside under a new name, never overwritten, and the user is told.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Found, Kept, Saved, StateStore, StoreError, VERSION, aside};
use crate::clock::{Clock, SystemClock};
use crate::pools::learned::LearnedPools;
use crate::salvage;

/// Far above what is ever written; a larger file is not one of ours.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

pub struct JsonFile {
    path: PathBuf,
}

/// What was added, in a file of its own: it has to reach the disk at once, and the rest need not.
#[derive(Serialize, Deserialize)]
pub struct Added {
    pub generation: u64,
    pub text: String,
}

impl JsonFile {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its content is kept elsewhere now.
    pub fn remove(&self) -> io::Result<()> {
        gone(fs::remove_file(&self.path))
    }

    pub fn read_added(&self) -> Result<Option<Added>, StoreError> {
        let path = self.added_path();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(not_read(&path, &error.to_string())),
        };
        let added = serde_json::from_slice(&text).map_err(|error| not_read(&path, kind(&error)))?;
        Ok(Some(added))
    }

    pub fn write_added(&self, added: &Added) -> Result<(), StoreError> {
        let path = self.added_path();
        let written = serde_json::to_vec(added).map_err(io::Error::from);
        written.and_then(|bytes| aside::replace(&path, &bytes)).map_err(|error| {
            StoreError(format!(
                "What was added cannot be written to {}: {error}. Check the folder and the space on its disk.",
                path.display()
            ))
        })
    }

    pub fn remove_added(&self) -> io::Result<()> {
        gone(fs::remove_file(self.added_path()))
    }

    fn added_path(&self) -> PathBuf {
        self.path.with_extension("added.json")
    }

    fn read(&self) -> Result<Option<Kept>, Unreadable> {
        let length = match fs::metadata(&self.path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Unreadable::whole(error.to_string())),
        };
        if length > MOST_BYTES {
            return Err(Unreadable::whole("it is far too large".to_owned()));
        }
        let text = fs::read(&self.path).map_err(|error| Unreadable::whole(error.to_string()))?;
        let kept: Kept = serde_json::from_slice(&text).map_err(|error| Unreadable {
            why: format!("line {}, column {}: {}", error.line(), error.column(), kind(&error)),
            rest: salvaged(&String::from_utf8_lossy(&text)),
        })?;
        if kept.version > VERSION {
            let why = format!("it was written by a newer version of this program (form {})", kept.version);
            return Err(Unreadable::whole(why));
        }
        Ok(Some(kept))
    }
}

impl StateStore for JsonFile {
    fn load(&self) -> Found {
        let Unreadable { why, rest } = match self.read() {
            Ok(kept) => return Found { kept, warning: None },
            Err(unreadable) => unreadable,
        };
        let what_now = match aside::set_aside(&self.path, &[]) {
            Ok(aside) => format!("It was set aside as {}", aside.display()),
            Err(error) => format!("It could not be set aside either ({error})"),
        };
        let rest = rest.map(|kept| *kept).filter(|kept| kept.count() > 0);
        let learned_anew = match &rest {
            Some(kept) => format!("{} of its entries stay known, the rest is learned anew", kept.count()),
            None => "quotas and owners of files are learned anew".to_owned(),
        };
        let words = format!(
            "The learned state in {} cannot be read: {why}. {what_now}; {learned_anew}.",
            self.path.display()
        );
        Found { kept: rest, warning: Some(words) }
    }

    fn save(&self, kept: &Kept) -> Result<Saved, StoreError> {
        let written = serde_json::to_vec(kept).map_err(io::Error::from);
        let written = written.and_then(|bytes| aside::replace(&self.path, &bytes));
        written.map(|()| Saved::default()).map_err(|error| {
            StoreError(format!(
                "The learned state cannot be written to {}: {error}. Check the folder and the space on its disk.",
                self.path.display()
            ))
        })
    }

    fn load_added(&self) -> Result<Option<String>, StoreError> {
        Ok(self.read_added()?.map(|added| added.text))
    }

    fn save_added(&self, text: &str) -> Result<(), StoreError> {
        self.write_added(&Added { generation: SystemClock.now(), text: text.to_owned() })
    }
}

/// A file that was not there is as good as removed.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn not_read(path: &Path, why: &str) -> StoreError {
    StoreError(format!(
        "What was added cannot be read from {}: {why}. Correct the file, or move it away to begin without.",
        path.display()
    ))
}

/// Why a file cannot be read, and what is whole in it nevertheless.
struct Unreadable {
    why: String,
    rest: Option<Box<Kept>>,
}

impl Unreadable {
    fn whole(why: String) -> Self {
        Self { why, rest: None }
    }
}

/// Each kind of entry has fields that no other has, so none is taken for another.
fn salvaged(text: &str) -> Option<Box<Kept>> {
    let pools = LearnedPools {
        keys: salvage::objects(text),
        rests: salvage::objects(text),
        ..LearnedPools::default()
    };
    Some(Box::new(Kept {
        version: VERSION,
        pools: Arc::new(pools),
        owned: Arc::new(salvage::objects(text)),
        uploads: Arc::new(salvage::objects(text)),
        signatures: Arc::new(salvage::objects(text)),
        requests: Arc::new(salvage::objects(text)),
        ..Kept::default()
    }))
}

/// Without serde's own words, which may quote the file.
fn kind(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Data => "a value has not the expected form",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is no JSON",
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::Folder;
    use super::*;

    fn kept() -> Kept {
        Kept { version: VERSION, ..Kept::default() }
    }

    #[test]
    fn what_is_saved_is_found_again_by_its_owner_only() {
        let folder = Folder::new("saved");
        let store = JsonFile::new(folder.0.join("deeper/state.json"));
        assert_eq!(store.load(), Found::default(), "nothing yet, which is no fault");
        store.save(&kept()).unwrap();
        assert_eq!(store.load().kept, Some(kept()));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&store.path).unwrap());
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_or_newer_file_is_set_aside_and_said() {
        let folder = Folder::new("damaged");
        for (number, text) in ["{\"version\":1", "[]", "{\"version\":99}", "garbage"].into_iter().enumerate()
        {
            let store = JsonFile::new(folder.0.join(format!("state-{number}.json")));
            fs::write(&store.path, text).unwrap();
            let found = store.load();
            assert!(found.kept.is_none() && found.warning.is_some(), "{text}");
            assert!(!store.path.exists(), "{text}");
            let aside = fs::read_dir(&folder.0).unwrap().flatten().find(|entry| {
                entry.file_name().to_string_lossy().starts_with(&format!("state-{number}.set-aside"))
            });
            assert_eq!(fs::read_to_string(aside.unwrap().path()).unwrap(), text);
        }
    }

    #[test]
    fn whole_entries_of_a_damaged_file_stay_known() {
        let folder = Folder::new("salvaged");
        let store = JsonFile::new(folder.0.join("state.json"));
        let text = r#"{"version":1,"pools":{"at":5,"keys":[{"id":"k1","fingerprint":"ab"},{"id":"k2","finge"#;
        fs::write(&store.path, text).unwrap();
        let found = store.load();
        let kept = found.kept.unwrap();
        assert_eq!(
            (kept.pools.keys.len(), kept.pools.rests.len(), kept.owned.len(), kept.uploads.len()),
            (1, 0, 0, 0)
        );
        assert!(found.warning.unwrap().contains("1 of its entries"));
        assert!(!store.path.exists());
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let folder = Folder::new("unwritable");
        let file = folder.0.join("file");
        fs::write(&file, "").unwrap();
        assert!(JsonFile::new(file.join("state.json")).save_added("x").is_err());
        let error = JsonFile::new(file.join("state.json")).save(&kept()).unwrap_err();
        assert!(error.0.contains("state.json"), "{}", error.0);
    }

    #[test]
    fn what_was_added_has_a_private_file_of_its_own() {
        let folder = Folder::new("added");
        let store = JsonFile::new(folder.0.join("state.json"));
        assert_eq!(store.load_added(), Ok(None));
        store.save_added("first").unwrap();
        store.save_added("second").unwrap();
        assert_eq!(store.load_added(), Ok(Some("second".to_owned())));
        assert_eq!(store.load(), Found::default());
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(store.added_path()).unwrap());
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(store.added_path(), "{\"generation\":1,\"text\":\"sec").unwrap();
        let words = store.load_added().unwrap_err().0;
        assert!(words.contains("state.added.json") && !words.contains("sec\""), "{words}");
    }
}

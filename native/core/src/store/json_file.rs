//! The learned state as one JSON file, replaced whole: written beside, synced, renamed. Readable by its owner only. What
//! it means is not known here.
//!
//! Invariant: a file that cannot be read is set aside under a new name, never overwritten, and the user is told.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Found, Kept, StateStore, StoreError, VERSION};
use crate::clock::{Clock, SystemClock};
use crate::pools::learned::LearnedPools;
use crate::salvage;

/// Far above what is ever written; a larger file is not one of ours.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

pub struct JsonFile {
    path: PathBuf,
}

impl JsonFile {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
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

    fn set_aside(&self) -> io::Result<PathBuf> {
        let aside = self.path.with_extension(format!("set-aside-{}.json", SystemClock.now()));
        fs::rename(&self.path, &aside)?;
        Ok(aside)
    }

    fn write(&self, kept: &Kept) -> io::Result<()> {
        replace(&self.path, &serde_json::to_vec(kept)?)
    }

    fn added_path(&self) -> PathBuf {
        self.path.with_extension("added.json")
    }
}

impl StateStore for JsonFile {
    fn load(&self) -> Found {
        let Unreadable { why, rest } = match self.read() {
            Ok(kept) => return Found { kept, warning: None },
            Err(unreadable) => unreadable,
        };
        let what_now = match self.set_aside() {
            Ok(aside) => format!("It was set aside as {}", aside.display()),
            Err(error) => format!("It could not be set aside either ({error})"),
        };
        let rest = rest.map(|kept| *kept).filter(|kept| count(kept) > 0);
        let learned_anew = match &rest {
            Some(kept) => format!("{} of its entries stay known, the rest is learned anew", count(kept)),
            None => "quotas and owners of files are learned anew".to_owned(),
        };
        let words = format!(
            "The learned state in {} cannot be read: {why}. {what_now}; {learned_anew}.",
            self.path.display()
        );
        Found { kept: rest, warning: Some(words) }
    }

    fn save(&self, kept: &Kept) -> Result<(), StoreError> {
        self.write(kept).map_err(|error| {
            StoreError(format!(
                "The learned state cannot be written to {}: {error}. Check the folder and the space on its disk.",
                self.path.display()
            ))
        })
    }

    fn load_added(&self) -> Result<Option<String>, StoreError> {
        let path = self.added_path();
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(StoreError(format!("What was added cannot be read from {}: {error}.", path.display())))
            }
        }
    }

    fn save_added(&self, text: &str) -> Result<(), StoreError> {
        let path = self.added_path();
        replace(&path, text.as_bytes()).map_err(|error| {
            StoreError(format!(
                "What was added cannot be written to {}: {error}. Check the folder and the space on its disk.",
                path.display()
            ))
        })
    }
}

/// Written beside, synced, renamed.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let fresh = path.with_extension("new");
    let mut file = private_file(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)
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
    let (owned, uploads) = (salvage::objects(text), salvage::objects(text));
    let signatures = salvage::objects(text);
    Some(Box::new(Kept { version: VERSION, pools, owned, uploads, signatures }))
}

fn count(kept: &Kept) -> usize {
    kept.pools.keys.len()
        + kept.pools.rests.len()
        + kept.owned.len()
        + kept.uploads.len()
        + kept.signatures.len()
}

/// Without serde's own words, which may quote the file.
fn kind(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Data => "a value has not the expected form",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is no JSON",
    }
}

fn private_file(path: &Path) -> io::Result<File> {
    let _ = fs::remove_file(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("aggregator-store-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

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
        let error = JsonFile::new(file.join("state.json")).save(&kept()).unwrap_err();
        assert!(error.0.contains("state.json"), "{}", error.0);
    }
}

//! The claim on the places where this program keeps its state. Two programs that write into one database would undo each
//! other's learning and changes, so the second is refused at its start, before it has read or written anything. It must
//! not know what is kept.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use aggregator_core::lock::{Lock, Taken, take};

use crate::reading::StateFiles;

/// Held while the program runs; the system takes it back however it ends.
pub struct Claim {
    _locks: Vec<Lock>,
}

/// For both places: the file that stands in for the database is written by one program, too.
pub fn claim(files: &StateFiles) -> Result<Claim, String> {
    let mut locks = Vec::new();
    for path in [&files.sqlite, &files.json] {
        match take(&beside(path)) {
            Taken::Mine(lock) => locks.push(lock),
            Taken::Held => return Err(in_use(path)),
            // A place that cannot be written is told by the store; a disk without locks is used as before.
            Taken::Unavailable(why) => tracing::debug!("{} cannot be locked: {why}", path.display()),
        }
    }
    Ok(Claim { _locks: locks })
}

/// `state.sqlite` → `state.sqlite-lock`.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push("-lock");
    PathBuf::from(name)
}

fn in_use(path: &Path) -> String {
    format!(
        "Another gemini-aggregator keeps its state in {}. Stop that one, or give this one places of its own: \
         persistence.sqlitePath and persistence.fallbackJsonPath.",
        path.display()
    )
}

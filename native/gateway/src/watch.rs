//! Notices that the configuration's file was changed: by a look at its size, time and identity each second, which works on
//! every file system and with editors that put a new file in the old one's place. It reads nothing of it.
//!
//! Invariant: a file is reloaded once it has stood still for one look, and once for each change, good or bad.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aggregator_core::aggregator::Aggregator;

use crate::source::FileAndEnvironment;

const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// A file that changes while it is looked at is still being written.
const STANDS_STILL: Duration = Duration::from_millis(200);

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    size: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

/// `None` when it is not there.
pub fn look(path: &Path) -> Option<Look> {
    let found = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&found);
    #[cfg(not(unix))]
    let inode = 0;
    Some(Look { size: found.len(), modified: found.modified().ok(), inode })
}

/// Reloads whenever the file is another than the one read last. One that is gone is waited for.
pub async fn watch(path: std::path::PathBuf, source: Arc<FileAndEnvironment>, aggregator: Arc<Aggregator>) {
    loop {
        tokio::time::sleep(BETWEEN_LOOKS).await;
        let mut found = look(&path);
        while found.is_some() && found != source.seen() {
            tokio::time::sleep(STANDS_STILL).await;
            let again = look(&path);
            if again == found {
                // What came of it is told as an event.
                let _ = aggregator.reload().await;
                break;
            }
            found = again;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_change_a_file_looks_different() {
        let folder = std::env::temp_dir().join(format!("gka-watch-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("keys.yaml");
        assert_eq!(look(&file), None);
        std::fs::write(&file, "one").unwrap();
        let first = look(&file);
        assert!(first.is_some() && first == look(&file));
        std::fs::write(&file, "four").unwrap();
        let longer = look(&file);
        assert_ne!(longer, first);
        std::fs::write(folder.join("fresh"), "four").unwrap();
        std::fs::rename(folder.join("fresh"), &file).unwrap();
        assert_ne!(look(&file), longer, "another file of the same size in its place");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

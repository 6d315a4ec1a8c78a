//! A lock that one of many holds: a file lock, which the system takes back when its process ends, however it ends. One
//! window of a profile leads by it, one program keeps its state in a place. It must not know what is locked.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// Held until dropped.
pub struct Lock {
    _file: File,
}

pub enum Taken {
    Mine(Lock),
    /// Another holds it.
    Held,
    /// This folder gives no locks (a network disk, say): why, as part of a sentence.
    Unavailable(String),
}

pub fn take(path: &Path) -> Taken {
    if let Some(folder) = path.parent()
        && let Err(error) = std::fs::create_dir_all(folder)
    {
        return Taken::Unavailable(error.to_string());
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) => return Taken::Unavailable(error.to_string()),
    };
    match file.try_lock() {
        Ok(()) => Taken::Mine(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Taken::Held,
        Err(TryLockError::Error(error)) => Taken::Unavailable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_until_it_lets_go() {
        let path = std::env::temp_dir().join(format!("gka-lock-{}", std::process::id())).join("leader.lock");
        let Taken::Mine(first) = take(&path) else { panic!("nobody holds it") };
        assert!(matches!(take(&path), Taken::Held));
        drop(first);
        assert!(matches!(take(&path), Taken::Mine(_)));
        let inside_a_file = path.join("leader.lock");
        assert!(matches!(take(&inside_a_file), Taken::Unavailable(_)));
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
}

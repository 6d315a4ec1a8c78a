//! The file by which the leading window says where it can be reached and what a follower must know: readable by its
//! owner only, replaced whole, made anew for each leadership. What is not whole counts as absent.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::proof;

/// Changes with anything that is said between windows.
const PROTOCOL: u32 = 1;
const MOST_BYTES: u64 = 4_096;

#[derive(Clone, Serialize, Deserialize)]
pub struct Announcement {
    protocol: u32,
    version: String,
    pub port: u16,
    pub secret: String,
    pid: u32,
}

/// `None` of these tells anything of the secret.
#[derive(Debug, PartialEq, Eq)]
pub enum Unusable {
    Absent,
    /// Another version of this product wrote it.
    OtherVersion(String),
}

impl Announcement {
    /// `None` when the system gives no random bytes.
    pub fn new(port: u16) -> Option<Self> {
        let version = crate::VERSION.to_owned();
        Some(Self { protocol: PROTOCOL, version, port, secret: proof::random()?, pid: std::process::id() })
    }

    pub fn write(&self, path: &Path) -> io::Result<()> {
        let fresh = path.with_extension("new");
        let _ = std::fs::remove_file(&fresh);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&fresh)?.write_all(&serde_json::to_vec(self)?)?;
        std::fs::rename(&fresh, path)
    }
}

/// What the leader wrote, if this version can follow it. Invariant: windows of two versions do not talk, because what
/// they say (commands, snapshots, the vault's texts) has no promise beyond one version.
pub fn read(path: &Path) -> Result<Announcement, Unusable> {
    let mut text = Vec::new();
    let file = File::open(path).map_err(|_| Unusable::Absent)?;
    file.take(MOST_BYTES).read_to_end(&mut text).map_err(|_| Unusable::Absent)?;
    #[derive(Deserialize)]
    struct Versions {
        protocol: u32,
        version: String,
    }
    let Versions { protocol, version } = serde_json::from_slice(&text).map_err(|_| Unusable::Absent)?;
    if protocol != PROTOCOL || version != crate::VERSION {
        let shown = version.chars().filter(|c| c.is_ascii_alphanumeric() || ".-+".contains(*c)).take(32);
        return Err(Unusable::OtherVersion(shown.collect()));
    }
    let found: Announcement = serde_json::from_slice(&text).map_err(|_| Unusable::Absent)?;
    if proof::is_random(&found.secret) { Ok(found) } else { Err(Unusable::Absent) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_by_its_owner_alone_and_damage_counts_as_absent() {
        let folder = std::env::temp_dir().join(format!("gka-announcement-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("leader.json");
        assert_eq!(read(&path).err(), Some(Unusable::Absent));
        let written = Announcement::new(4_000).unwrap();
        written.write(&path).unwrap();
        let found = read(&path).ok().unwrap();
        assert_eq!((found.port, &found.secret), (4_000, &written.secret));
        assert_ne!(Announcement::new(4_000).unwrap().secret, written.secret);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let whole = std::fs::read_to_string(&path).unwrap();
        for damaged in [&whole[..whole.len() / 2], "", "[]", &whole.replace(&written.secret, "short")] {
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(read(&path).err(), Some(Unusable::Absent), "{damaged}");
        }
        std::fs::write(&path, whole.replace(crate::VERSION, "9.9.9\u{1b}")).unwrap();
        assert!(matches!(read(&path), Err(Unusable::Absent)), "a control character is no JSON");
        std::fs::write(&path, whole.replace(crate::VERSION, "9.9.9 <b>")).unwrap();
        assert_eq!(read(&path).err(), Some(Unusable::OtherVersion("9.9.9b".to_owned())));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

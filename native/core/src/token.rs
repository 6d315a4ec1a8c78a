//! The local token: what a tool sends instead of a Google key. Made once, kept in a file that only its owner can
//! read, at a path the host chose. Who checks it is the guard's part.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};

use crate::secret::Secret;

const PREFIX: &str = "gka-";
const BYTES: usize = 32;

/// The token in `path`; made anew when there is none or what is there is too short to protect anything.
pub fn load_or_create(path: &Path) -> io::Result<Secret> {
    match read(path) {
        Ok(text) if text.len() >= BYTES => Ok(Secret::new(text)),
        Ok(_) => create(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path),
        Err(error) => Err(error),
    }
}

/// A new token in place of the old one; the file is replaced whole, never half-written.
pub fn create(path: &Path) -> io::Result<Secret> {
    let token = mint()?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let fresh = path.with_extension("new");
    let _ = std::fs::remove_file(&fresh);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh)?;
    file.write_all(token.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    Ok(Secret::new(token))
}

/// The token in `path` when there is one: for a window that did not make it.
pub fn load(path: &Path) -> Option<Secret> {
    read(path).ok().filter(|text| text.len() >= BYTES).map(Secret::new)
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(4_096).read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

fn mint() -> io::Result<String> {
    let mut bytes = [0_u8; BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random bytes"))?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{PREFIX}{hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lasts_until_it_is_rotated_and_only_its_owner_reads_it() {
        let folder = std::env::temp_dir().join(format!("gka-token-{}", std::process::id()));
        let path = folder.join("token");
        let first = load_or_create(&path).unwrap();
        assert_eq!(load_or_create(&path).unwrap(), first);
        assert_ne!(create(&path).unwrap(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

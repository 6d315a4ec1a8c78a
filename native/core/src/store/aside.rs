//! Files of the store: made for their owner alone, replaced whole, set aside under a name that says when. What is in
//! them is not known here.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::clock::{Clock, SystemClock};

/// `state.json` becomes `state.set-aside-<milliseconds>.json`, and the companions named by what follows the file's own
/// name (`-wal`) go with it.
pub fn set_aside(path: &Path, companions: &[&str]) -> io::Result<PathBuf> {
    let extension = path.extension().map(|text| text.to_string_lossy()).unwrap_or_default();
    let aside = path.with_extension(format!("set-aside-{}.{extension}", SystemClock.now()));
    fs::rename(path, &aside)?;
    for companion in companions {
        match fs::rename(with_suffix(path, companion), with_suffix(&aside, companion)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(suffix);
    PathBuf::from(name)
}

/// Written beside, synced, renamed: whoever reads `path` finds the old text whole or the new one.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    make_folder(path)?;
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let mut file = private_file(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    sync_folder(path)
}

pub fn make_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// A new, empty file for its owner alone.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A rename survives a loss of power only once the folder was written.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

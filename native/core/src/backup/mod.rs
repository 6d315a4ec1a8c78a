//! Backups: everything the user entered as one JSON text, and the way back. This file owns the text's outer form:
//! version, date, checksum, limits, and that secrets are in it only encrypted. What a restore would do to the present
//! state is `plan`'s part; nothing here reads or writes a file, and randomness and time are arguments.
//!
//! Invariant: a text without a passphrase holds no key and no credentials of a proxy.

pub mod content;
pub mod diff;
pub mod error;
pub mod plan;
pub mod seal;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::secret::{Secret, digest};
use crate::vault::Entered;
use content::Content;
use error::BackupError;
use seal::{Cost, SALT_BYTES, Sealed};

pub const FORMAT: &str = "gemini-aggregator-backup";
pub const VERSION: u64 = 1;
/// Ten thousand keys fit in, encrypted as well.
pub const LONGEST_TEXT: usize = 8 << 20;
pub const SHORTEST_PASSPHRASE: usize = 8;
/// The format has four levels.
const DEEPEST: usize = 8;

/// A backup that was read: whole, or without secrets.
#[derive(Clone, Debug)]
pub struct Backup {
    /// When, in the form of RFC 3339.
    pub created: String,
    pub content: Content,
    pub has_secrets: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    version: u64,
    created: String,
    checksum: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<Content>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<Sealed>,
}

/// Enough of any version to tell which it is.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
}

/// What encrypting needs beside the passphrase.
#[derive(Clone, Copy, Debug)]
pub struct Sealing {
    pub salt: [u8; SALT_BYTES],
    pub cost: Cost,
}

/// With a passphrase everything, encrypted; without one no secrets.
pub fn write(
    entered: &Entered,
    now: Millis,
    passphrase: Option<(&Secret, Sealing)>,
) -> Result<String, BackupError> {
    let created = i64::try_from(now / 1_000).ok().and_then(|now| Timestamp::from_second(now).ok());
    let created = created.unwrap_or_default().to_string();
    let content = Content::of(entered, passphrase.is_some());
    let mut file = File {
        format: FORMAT.to_owned(),
        version: VERSION,
        created,
        checksum: String::new(),
        content: None,
        sealed: None,
    };
    match passphrase {
        Some((passphrase, Sealing { salt, cost })) => {
            if passphrase.expose().chars().count() < SHORTEST_PASSPHRASE {
                return Err(BackupError::PassphraseTooShort);
            }
            let text = secrecy::zeroize::Zeroizing::new(json(&content)?);
            file.sealed = Some(seal::seal(&text, &file.bound(), passphrase, salt, cost)?);
        }
        None => file.content = Some(content),
    }
    file.checksum = file.sum()?;
    let text = serde_json::to_string_pretty(&file).map_err(|_| BackupError::Damaged(None))?;
    if text.len() > LONGEST_TEXT { Err(BackupError::TooLarge) } else { Ok(text + "\n") }
}

/// Checks everything that can be known without the present state.
pub fn read(text: &str, passphrase: Option<&Secret>) -> Result<Backup, BackupError> {
    if text.len() > LONGEST_TEXT + 1 {
        return Err(BackupError::TooLarge);
    }
    let file = parse(text)?;
    if file.checksum != file.sum()? {
        return Err(BackupError::WrongChecksum);
    }
    if file.created.parse::<Timestamp>().is_err() {
        return Err(BackupError::Damaged(None));
    }
    let (content, has_secrets) = match (&file.content, &file.sealed) {
        (Some(content), None) => (content.clone(), false),
        (None, Some(sealed)) => {
            let passphrase = passphrase.ok_or(BackupError::PassphraseNeeded)?;
            let opened = seal::open(sealed, &file.bound(), passphrase)?;
            check_depth(&opened)?;
            let content = serde_json::from_str(&opened);
            (content.map_err(|error| BackupError::of_json(&error, false))?, true)
        }
        _ => return Err(BackupError::Damaged(None)),
    };
    content.check(has_secrets)?;
    Ok(Backup { created: file.created, content, has_secrets })
}

fn parse(text: &str) -> Result<File, BackupError> {
    check_depth(text)?;
    let head: Head = serde_json::from_str(text).map_err(|error| match error.is_data() {
        true => BackupError::NotABackup,
        false => BackupError::of_json(&error, true),
    })?;
    if head.format != FORMAT || head.version == 0 {
        return Err(BackupError::NotABackup);
    }
    if head.version > VERSION {
        return Err(BackupError::NewerVersion(head.version));
    }
    serde_json::from_str(text).map_err(|error| BackupError::of_json(&error, true))
}

impl File {
    /// Over all but itself, in the order and form of this version, so that reformatting the file does not matter.
    fn sum(&self) -> Result<String, BackupError> {
        #[derive(Serialize)]
        struct Covered<'a>(&'a str, u64, &'a str, &'a Option<Content>, &'a Option<Sealed>);
        let covered = Covered(&self.format, self.version, &self.created, &self.content, &self.sealed);
        Ok(format!("sha256:{}", digest(&json(&covered)?)))
    }

    /// What the encrypted part must stand beside.
    fn bound(&self) -> String {
        format!("{FORMAT} {} {}", self.version, self.created)
    }
}

fn json<T: Serialize>(value: &T) -> Result<String, BackupError> {
    serde_json::to_string(value).map_err(|_| BackupError::Damaged(None))
}

/// Before any parsing: brackets outside of strings.
fn check_depth(text: &str) -> Result<(), BackupError> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(BackupError::TooDeep);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

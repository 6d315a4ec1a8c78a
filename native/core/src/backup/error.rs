//! Why a backup cannot be written or read, said in whole sentences with the remedy. It must not know how files are
//! parsed, and never repeats a part of one: a damaged backup may hold a secret anywhere.

use std::fmt;

use super::{LONGEST_TEXT, SHORTEST_PASSPHRASE, VERSION};
use crate::command::{Refusal, RefusalCode};

/// Invariant: no variant holds text of a backup, names of entries that were read whole aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupError {
    TooLarge,
    TooDeep,
    NotABackup,
    NewerVersion(u64),
    /// A field that this version does not know, at line and column; `None` inside the encrypted part.
    UnknownField(Option<(usize, usize)>),
    Damaged(Option<(usize, usize)>),
    WrongChecksum,
    PassphraseNeeded,
    PassphraseTooShort,
    WrongPassphrase,
    /// The file asks for more work than an attempt to open it may cost.
    TooCostly,
    NoMemory,
    /// One entry cannot be used; a sentence that names it.
    Entry(String),
    /// The system gives no random numbers.
    NoRandomness,
}

impl BackupError {
    /// The parser's own words quote what they read, so that only the place is taken from them.
    pub fn of_json(error: &serde_json::Error, in_file: bool) -> Self {
        let place = in_file.then(|| (error.line(), error.column()));
        match error.to_string().starts_with("unknown field") {
            true => Self::UnknownField(place),
            false => Self::Damaged(place),
        }
    }
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => {
                write!(f, "A backup is at most {} MiB large; this one is larger.", LONGEST_TEXT >> 20)
            }
            Self::TooDeep => f.write_str("This is no backup: its lists are nested too deep."),
            Self::NotABackup => {
                f.write_str("This is no backup of the Gemini API Key Aggregator; choose another file.")
            }
            Self::NewerVersion(version) => write!(
                f,
                "The backup has the version {version} and this program reads up to {VERSION}; update it first."
            ),
            Self::UnknownField(place) => {
                write!(f, "The backup has a field that is not known{}; it was not made by this program or was changed since.", At(place))
            }
            Self::Damaged(place) => {
                write!(f, "The backup is damaged{}; use another copy of it.", At(place))
            }
            Self::WrongChecksum => f.write_str(
                "The backup is not as it was written: its checksum does not fit. Use another copy of it.",
            ),
            Self::PassphraseNeeded => {
                f.write_str("The backup is encrypted; give the passphrase it was made with.")
            }
            Self::PassphraseTooShort => {
                write!(f, "The passphrase is too short; use at least {SHORTEST_PASSPHRASE} characters.")
            }
            Self::WrongPassphrase => f.write_str("This passphrase does not open the backup."),
            Self::TooCostly => f.write_str(
                "Opening the backup would cost more memory or time than any backup of this program does; it was not tried.",
            ),
            Self::NoMemory => f.write_str("There is not enough memory to open the backup; close something and try again."),
            Self::Entry(words) => f.write_str(words),
            Self::NoRandomness => {
                f.write_str("The system gives no random numbers, so that nothing can be encrypted; try again.")
            }
        }
    }
}

struct At<'a>(&'a Option<(usize, usize)>);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((line, column)) => write!(f, " at line {line}, column {column}"),
            None => Ok(()),
        }
    }
}

impl From<BackupError> for Refusal {
    fn from(error: BackupError) -> Self {
        let words = error.to_string();
        match error {
            BackupError::PassphraseNeeded
            | BackupError::PassphraseTooShort
            | BackupError::WrongPassphrase => Self::invalid("passphrase", words),
            BackupError::NoRandomness | BackupError::NoMemory => Self::new(RefusalCode::Failed, words),
            _ => Self::invalid("text", words),
        }
    }
}

/// A name out of a backup, in quotation marks; it may be anything before it is checked.
pub fn quoted(name: &str) -> String {
    const LONGEST: usize = 100;
    let shown: String = name.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    format!("\"{shown}\"")
}

//! Why a database could not be used, told apart by what follows: one that failed may work again, one that is unusable
//! never will and has to make room. The words are SQLite's codes in plain English and quote nothing.

use rusqlite::ErrorCode;

#[derive(Debug)]
pub enum Fault {
    /// The disk, the folder or another program is in the way.
    Failed(String),
    Unusable(Unusable),
}

#[derive(Debug)]
pub struct Unusable {
    /// A clause after "it cannot be used: ".
    pub why: String,
    /// It is ours and of a known form: whole rows in it may be used.
    pub ours: bool,
}

impl Unusable {
    pub fn damaged(why: &str) -> Self {
        Self { why: format!("it is damaged ({why})"), ours: true }
    }

    pub fn foreign(why: String) -> Self {
        Self { why, ours: false }
    }
}

impl Fault {
    /// A clause that says why.
    pub fn words(self) -> String {
        match self {
            Self::Failed(why) => why,
            Self::Unusable(unusable) => unusable.why,
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, _) = &error else {
            return Self::Unusable(Unusable::damaged("a value has not the expected form"));
        };
        match failure.code {
            ErrorCode::DatabaseCorrupt => Self::Unusable(Unusable::damaged("a page is broken")),
            ErrorCode::NotADatabase => Self::Unusable(Unusable::damaged("it is no SQLite database")),
            // A table or column that its form must have is not there.
            ErrorCode::Unknown => Self::Unusable(Unusable::damaged("a part of it is missing")),
            code => Self::Failed(words(code, failure.extended_code)),
        }
    }
}

fn words(code: ErrorCode, extended: i32) -> String {
    let known = match code {
        ErrorCode::DiskFull => "no space is left on its disk",
        ErrorCode::SystemIoFailure => "its disk reports an error",
        ErrorCode::CannotOpen => "it cannot be opened",
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => "it may not be written",
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => "another program holds it",
        _ => "SQLite refuses",
    };
    format!("{known} (SQLite's code {extended})")
}

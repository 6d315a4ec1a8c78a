//! Takes a pasted list of API keys apart, whatever its form: one to a line, CSV, `.env`, or the `keys:` of the headless
//! program's YAML or JSON. It says what each row holds and on which line; which keys are there already and whether a
//! text can be a key is known elsewhere.
//!
//! Invariant: no message made here quotes what may be a key.

mod document;
mod lines;
#[cfg(test)]
mod tests;

use std::fmt;

/// A pasted document is not a list of keys.
pub const MOST: usize = 1_000;
/// A shorter text in a list is a port or a word, not a key. The core knows no other mark of a key than its length.
const LEAST_KEY: usize = 10;

/// One row. `line` counts from 1.
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub struct Row {
    pub line: u32,
    pub entry: Entry,
}

#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub enum Entry {
    Key(Box<ListedText>),
    /// Not meant as a key; why, as a sentence.
    Skipped(String),
    /// Meant as one and not usable; why, as a sentence.
    Refused(String),
}

/// What a row says of a key.
#[derive(Default)]
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub struct ListedText {
    pub key: String,
    pub name: Option<String>,
    pub project: Option<String>,
    pub weight: Option<u32>,
    pub cooldown_seconds: Option<u32>,
    pub disabled: bool,
    /// A proxy's name.
    pub proxy: Option<String>,
}

/// Why there are no rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListError {
    /// YAML or JSON that cannot be read from this line on.
    Document { line: u64 },
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Document { line } = self;
        write!(
            f,
            "The list looks like YAML or JSON and cannot be read from line {line} on; nothing was added."
        )
    }
}

pub fn rows(text: &str) -> Result<Vec<Row>, ListError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rows = if document::is_one(text) { document::rows(text)? } else { lines::rows(text) };
    Ok(rows.into_iter().map(checked).collect())
}

/// A list is pasted without a look at each line: what cannot be a key must not become one.
fn checked(row: Row) -> Row {
    match &row.entry {
        Entry::Key(text) if text.key.len() < LEAST_KEY || text.key.contains("://") => {
            let words = "There is no API key here; write one to a line, or name,key,project.";
            Row { entry: Entry::Refused(words.to_owned()), ..row }
        }
        _ => row,
    }
}

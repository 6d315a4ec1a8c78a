//! From the YAML text to a configuration: whatever has not the shape of one is named, all at once, and left out, so that
//! the rest can be looked at, too. What values mean, and whether they are good ones, is not known here.
//!
//! Invariant: no message quotes a line of the file, because lines hold keys and passwords.

use std::borrow::Cow;

use crate::config::Config;
use crate::tree::{Place, Tree};
use crate::wording::{missing_field, sentence, unknown_field};

/// Whoever has more mistakes than that has another file in mind.
const MOST: usize = 100;

/// Something that could not be read.
#[derive(Debug)]
pub struct Misread {
    /// `None` for what is no field, such as a bracket too many.
    pub path: Option<String>,
    pub at: Option<Place>,
    pub words: String,
    /// A value is missing now, in the place of one that said something.
    pub lost: bool,
}

/// `config` is what could be read; `None` when nothing could.
#[derive(Debug)]
pub struct Shape {
    pub config: Option<Config>,
    pub misread: Vec<Misread>,
}

pub fn options() -> serde_saphyr::options::Options {
    // Snippets quote lines of the file, and lines hold keys.
    serde_saphyr::options! { with_snippet: false }
}

/// Reads, takes out what stopped the reader, and reads again.
pub fn shape(text: &str) -> Shape {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Shape { config: Some(Config::default()), misread: Vec::new() };
    }
    let mut tree = Tree::of(text);
    let mut written = Cow::Borrowed(text);
    let mut misread: Vec<Misread> = Vec::new();
    while misread.len() < MOST {
        let error = match serde_saphyr::from_str_with_options::<Config>(&written, options()) {
            Ok(config) => return Shape { config: Some(config), misread },
            Err(error) => error,
        };
        let error = error.without_snippet();
        let at = error.location().map(|at| (at.line(), at.column()));
        let message = error.to_string();
        let Some(found) = take_out(&mut tree, &Tree::of(&written), at, &message) else {
            misread.push(Misread { path: None, at, words: sentence(&message), lost: true });
            break;
        };
        // What it misses may just have been taken out, and was said then.
        let misses = missing_field(&message).zip(found.path.as_deref());
        let misses = misses.map(|(name, path)| format!("{path}.{name}"));
        if misses.is_none_or(|path| misread.iter().all(|known| known.path.as_ref() != Some(&path))) {
            misread.push(found);
        }
        written = Cow::Owned(tree.write());
    }
    Shape { config: None, misread }
}

/// `tree` loses what the reader stopped at in `again`, which is the same tree as it was read last.
fn take_out(tree: &mut Tree, again: &Tree, at: Option<Place>, message: &str) -> Option<Misread> {
    let at = at?;
    let unknown = unknown_field(message).is_some();
    let steps = match (unknown, missing_field(message)) {
        (true, _) => again.name_at(at),
        // The reader names a place within what misses a field: one of its other fields, or its beginning.
        (false, Some(_)) => again.parent_of_name_at(at).or_else(|| again.value_at(at)),
        (false, None) => again.value_at(at),
    };
    let taken = tree.take(&steps?)?;
    let at = if unknown { taken.named_at } else { taken.at };
    Some(Misread { path: Some(taken.path), at: Some(at), words: sentence(message), lost: !unknown })
}

//! Names of functions as Gemini takes them. A name that it would refuse is changed to a legal one of its own, the same
//! everywhere in a request, and the way back is kept for the answer.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Google's types say 128, its guide says 64; the shorter is right either way.
const LONGEST: usize = 64;

#[derive(Default)]
pub struct Names<'a> {
    /// The client's name → Gemini's.
    given: HashMap<Cow<'a, str>, Cow<'a, str>>,
    taken: HashSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    /// Legal names keep themselves, whatever the others are changed to.
    pub fn declare(&mut self, names: &[Cow<'a, str>]) {
        let (legal, changed): (Vec<_>, Vec<_>) = names.iter().partition(|name| is_legal(name));
        for name in legal.into_iter().chain(changed) {
            self.of(name.clone());
        }
    }

    /// What Gemini calls it.
    pub fn of(&mut self, name: Cow<'a, str>) -> Cow<'a, str> {
        if let Some(known) = self.given.get(&name) {
            return known.clone();
        }
        let legal = if is_legal(&name) { name.clone() } else { Cow::Owned(legalise(&name)) };
        let unique = self.unique(legal);
        self.taken.insert(unique.clone());
        self.given.insert(name, unique.clone());
        unique
    }

    fn unique(&self, legal: Cow<'a, str>) -> Cow<'a, str> {
        if !self.taken.contains(&legal) {
            return legal;
        }
        let numbered = |number: usize| {
            let end = format!("_{number}");
            let kept = legal.len().min(LONGEST - end.len());
            Cow::Owned(format!("{}{end}", &legal[..kept]))
        };
        // One of so many is free, since each of the taken names can be only one of them.
        (2..=self.taken.len() + 2)
            .map(numbered)
            .find(|name| !self.taken.contains(name))
            .unwrap_or(legal.clone())
    }

    /// What Gemini calls them → what the client does, for those that were changed.
    pub fn changed(self) -> HashMap<String, String> {
        let changed = self.given.into_iter().filter(|(client, gemini)| client != gemini);
        changed.map(|(client, gemini)| (gemini.into_owned(), client.into_owned())).collect()
    }
}

fn is_legal(name: &str) -> bool {
    name.len() <= LONGEST
        && name.bytes().next().is_some_and(is_first)
        && name.bytes().all(|byte| is_first(byte) || is_later(byte))
}

fn is_first(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn is_later(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'.' | b':' | b'-')
}

fn legalise(name: &str) -> String {
    let allowed = |letter: char| u8::try_from(letter).is_ok_and(|byte| is_first(byte) || is_later(byte));
    let mut legal: String =
        name.chars().map(|letter| if allowed(letter) { letter } else { '_' }).take(LONGEST).collect();
    if !legal.bytes().next().is_some_and(is_first) {
        legal.truncate(LONGEST - 1);
        legal.insert(0, '_');
    }
    legal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_names_stay_and_the_others_become_legal_and_unique() {
        let long = "x".repeat(70);
        let mut names = Names::default();
        let declared = ["1st", "_1st", "a b", "a/b", "get-weather.v2:x", long.as_str()];
        names.declare(&declared.map(Cow::Borrowed));
        let given = declared.map(|name| names.of(name.into()).into_owned());
        assert_eq!(given[..5], ["_1st_2", "_1st", "a_b", "a_b_2", "get-weather.v2:x"]);
        assert_eq!(given[5], "x".repeat(64));
        assert_eq!(names.of("wétter".into()), "w_tter");
        let changed = names.changed();
        assert_eq!((changed.len(), changed["_1st_2"].as_str(), changed["a_b_2"].as_str()), (5, "1st", "a/b"));
    }

    #[test]
    fn any_number_of_names_alike_stays_apart() {
        let mut names = Names::default();
        let given: HashSet<String> = (0..300)
            .map(|number| names.of(format!("{}{number}", "é".repeat(70)).into()).into_owned())
            .collect();
        assert_eq!(given.len(), 300);
        assert!(given.iter().all(|name| is_legal(name)));
    }
}

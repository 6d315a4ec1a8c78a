//! Counts by names that come from outside (models, quotas), which could be any number of texts: the first of them are
//! kept apart, all others are counted together. What is counted is the owner's business.
//!
//! Invariant: at most `MOST` names are kept, each a short plain word, whatever clients or the upstream send.

use std::collections::HashMap;

/// Names kept apart.
pub const MOST: usize = 64;
/// What the rest goes by.
pub const OTHER: &str = "other";
/// No model and no quota has a longer name.
const LONGEST: usize = 100;

#[derive(Clone, Debug, Default)]
pub struct Capped<T> {
    named: HashMap<Box<str>, T>,
    other: T,
}

impl<T: Default> Capped<T> {
    /// The counts of `name`. A name that is not known yet gets its own only when it `earned` one and there is room;
    /// nothing is allocated for a name that has them.
    pub fn of(&mut self, name: &str, earned: bool) -> &mut T {
        if earned && self.named.len() < MOST && is_plain(name) && !self.named.contains_key(name) {
            self.named.insert(name.into(), T::default());
        }
        self.named.get_mut(name).unwrap_or(&mut self.other)
    }

    /// Every name with its counts, the others last.
    pub fn all(&self) -> impl Iterator<Item = (&str, &T)> {
        self.named.iter().map(|(name, counts)| (&**name, counts)).chain([(OTHER, &self.other)])
    }
}

fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@".contains(&byte);
    (1..=LONGEST).contains(&name.len()) && name != OTHER && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_names_are_kept_and_nothing_is_lost() {
        let mut counts = Capped::<u64>::default();
        for round in 0..2 {
            (0..1_000).for_each(|number| *counts.of(&format!("model-{number}"), true) += 1);
            assert_eq!(counts.named.len(), MOST, "round {round}");
        }
        let counted: u64 = counts.all().map(|(_, count)| count).sum();
        assert_eq!((counted, counts.other), (2_000, 2 * (1_000 - MOST as u64)));
    }

    #[test]
    fn a_name_is_a_plain_word_that_earned_it() {
        let mut counts = Capped::<u64>::default();
        for name in ["", "a b", "a\nb", "a\"b", OTHER, "\u{202e}m", &"m".repeat(LONGEST + 1)] {
            *counts.of(name, true) += 1;
        }
        *counts.of("unearned", false) += 1;
        assert_eq!((counts.named.len(), counts.other), (0, 8));
        *counts.of("gemini-3.8-flash", true) += 1;
        *counts.of("gemini-3.8-flash", false) += 1;
        assert_eq!(counts.named.get("gemini-3.8-flash"), Some(&2), "what has a name keeps it");
    }
}

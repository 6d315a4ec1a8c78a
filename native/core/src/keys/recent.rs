//! How the last attempts of all keys went, so that a failing key can be told from a failing upstream: what fails for
//! one key while others are served is the key's, what fails for all is nobody's. Bounded; time is an argument.

use std::collections::VecDeque;

use crate::clock::Millis;
use crate::ids::KeyId;

/// Attempts remembered, of all keys together.
const MOST: usize = 256;
/// Others count as served when they succeeded at least this many times as often as they failed.
const CLEARLY: usize = 3;

#[derive(Clone, Debug, Default)]
pub struct Recent {
    attempts: VecDeque<(KeyId, Millis, bool)>,
}

impl Recent {
    pub fn note(&mut self, key: &KeyId, served: bool, now: Millis) {
        if self.attempts.len() == MOST {
            self.attempts.pop_front();
        }
        self.attempts.push_back((key.clone(), now, served));
    }

    pub fn clear(&mut self) {
        self.attempts.clear();
    }

    /// Whether the other keys were served since then, at least `least` times and clearly more often than not.
    pub fn others_served(&self, key: &KeyId, since: Millis, least: u32) -> bool {
        let others = self.attempts.iter().filter(|(other, at, _)| other != key && *at >= since);
        let (mut served, mut failed) = (0_usize, 0_usize);
        for (_, _, ok) in others {
            if *ok { served += 1 } else { failed += 1 }
        }
        served >= least as usize && served >= failed * CLEARLY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent(attempts: &[(&str, Millis, bool)]) -> Recent {
        let mut recent = Recent::default();
        attempts.iter().for_each(|(key, at, served)| recent.note(&(*key).into(), *served, *at));
        recent
    }

    #[test]
    fn only_others_count_and_only_since_then() {
        let own = recent(&[("a", 1, true), ("a", 2, true), ("b", 0, true), ("b", 1, true)]);
        assert!(own.others_served(&"a".into(), 0, 2));
        assert!(!own.others_served(&"a".into(), 1, 2), "one of them is older");
        assert!(!own.others_served(&"a".into(), 0, 3));
    }

    #[test]
    fn others_that_fail_as_well_are_no_proof() {
        let mixed = [("b", 1, true), ("b", 1, true), ("b", 1, true), ("c", 1, false)];
        assert!(recent(&mixed).others_served(&"a".into(), 0, 3), "three of four");
        let worse = [&mixed[..], &[("c", 1, false)]].concat();
        assert!(!recent(&worse).others_served(&"a".into(), 0, 3), "three of five");
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut recent = recent(&[("b", 0, true)]);
        assert!(recent.others_served(&"a".into(), 0, 1));
        (0..MOST).for_each(|_| recent.note(&"a".into(), true, 1));
        assert!(!recent.others_served(&"a".into(), 0, 1));
        assert_eq!(recent.attempts.len(), MOST);
    }
}

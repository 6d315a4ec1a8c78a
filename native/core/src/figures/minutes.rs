//! Two counts for each minute of the last hour, the second a part of the first: attempts and those that failed, or moves
//! alone. Minutes in which nothing happened take no room. Time is an argument.

use std::collections::VecDeque;

use crate::clock::Millis;

/// One minute, in milliseconds.
const MINUTE: Millis = 60_000;
const KEPT: Millis = 60;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Minutes {
    /// Oldest first.
    kept: VecDeque<Minute>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Minute {
    /// Minutes since 1970.
    at: Millis,
    all: u64,
    part: u64,
}

impl Minutes {
    pub fn add(&mut self, now: Millis, all: u64, part: u64) {
        // A clock that was set back counts for the last minute known.
        let at = (now / MINUTE).max(self.kept.back().map_or(0, |minute| minute.at));
        match self.kept.back_mut().filter(|minute| minute.at == at) {
            Some(minute) => {
                minute.all += all;
                minute.part += part;
            }
            None => self.kept.push_back(Minute { at, all, part }),
        }
        while self.kept.front().is_some_and(|minute| minute.at + KEPT <= at) {
            self.kept.pop_front();
        }
    }

    /// Both counts of the minutes that had begun at `from` or later.
    pub fn since(&self, from: Millis) -> (u64, u64) {
        let counted = self.kept.iter().filter(|minute| minute.at * MINUTE >= from.saturating_sub(MINUTE - 1));
        counted.fold((0, 0), |(all, part), minute| (all + minute.all, part + minute.part))
    }

    /// The last `count` minutes up to now, oldest first, those without anything included.
    pub fn last(&self, count: usize, now: Millis) -> Vec<(u64, u64)> {
        let newest = now / MINUTE;
        let first = (newest + 1).saturating_sub(count as Millis);
        let mut minutes = vec![(0, 0); count];
        for minute in self.kept.iter().filter(|minute| (first..=newest).contains(&minute.at)) {
            if let Some(place) = minutes.get_mut((minute.at - first) as usize) {
                *place = (minute.all, minute.part);
            }
        }
        minutes
    }

    /// The clock was set back: what happened is as long ago as before, to the minute.
    pub fn shift_back(&mut self, by: Millis) {
        self.kept.iter_mut().for_each(|minute| minute.at = minute.at.saturating_sub(by / MINUTE));
    }

    pub fn held_bytes(&self) -> usize {
        self.kept.capacity() * size_of::<Minute>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_kept_and_nothing_older() {
        let mut minutes = Minutes::default();
        (0..200).for_each(|minute| minutes.add(minute * MINUTE, 2, 1));
        assert_eq!(minutes.since(0), (120, 60));
        assert_eq!(minutes.kept.len(), 60);
        assert_eq!(minutes.since(199 * MINUTE), (2, 1));
    }

    #[test]
    fn minutes_without_anything_are_shown_and_take_no_room() {
        let mut minutes = Minutes::default();
        minutes.add(3 * MINUTE, 5, 1);
        minutes.add(5 * MINUTE + 1, 7, 0);
        assert_eq!(minutes.last(4, 6 * MINUTE), [(5, 1), (0, 0), (7, 0), (0, 0)]);
        assert_eq!(
            minutes.last(3, MINUTE),
            [(0, 0); 3],
            "a clock that was set back shows nothing of the future"
        );
        assert_eq!(minutes.kept.len(), 2);
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_the_order() {
        let mut minutes = Minutes::default();
        minutes.add(90 * MINUTE, 1, 0);
        minutes.add(2 * MINUTE, 1, 0);
        assert_eq!(minutes.since(90 * MINUTE), (2, 0));
        minutes.shift_back(88 * MINUTE);
        assert_eq!(minutes.since(2 * MINUTE), (2, 0));
    }
}

//! The health score of one key: a moving average of how its attempts went, in [0, 1]. It steers how often the key is
//! taken among those that may serve; whether it may is the circuit's decision, and what counts as its failure the
//! settling's.

use serde::{Deserialize, Serialize};

/// How much the latest attempt counts.
const LATEST: f64 = 0.2;
/// A key that may serve is never starved: without requests it could not recover.
const LEAST: f64 = 0.05;
/// Shares are whole numbers: a thousand for each unit of weight.
const UNIT: f64 = 1_000.0;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Score(f64);

impl Default for Score {
    fn default() -> Self {
        Self(1.0)
    }
}

impl Score {
    pub fn value(self) -> f64 {
        self.0
    }

    pub fn succeeded(&mut self) {
        self.0 += LATEST * (1.0 - self.0);
        // Close enough to be whole, so that healthy keys take exact turns.
        if self.0 > 0.999 {
            self.0 = 1.0;
        }
    }

    pub fn failed(&mut self) {
        self.0 -= LATEST * self.0;
    }

    /// What `weight` (1 to 100) is worth at this health.
    pub fn share(self, weight: u32) -> u32 {
        let health = if self.0.is_finite() { self.0.clamp(LEAST, 1.0) } else { 1.0 };
        // At most 100,000: no cast loses anything.
        (f64::from(weight.clamp(1, 100)) * UNIT * health).round() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_falls_with_failures_and_comes_back_within_its_bounds() {
        let mut score = Score::default();
        let mut last = score.value();
        for _ in 0..100 {
            score.failed();
            assert!((0.0..last).contains(&score.value()));
            last = score.value();
        }
        for _ in 0..100 {
            score.succeeded();
            assert!((last..=1.0).contains(&score.value()));
            last = score.value();
        }
        assert_eq!(score, Score::default(), "whole again");
    }

    #[test]
    fn one_failure_is_a_fifth() {
        let mut score = Score::default();
        score.failed();
        assert_eq!((score.value() * 100.0).round(), 80.0);
        score.succeeded();
        assert_eq!((score.value() * 100.0).round(), 84.0);
    }

    #[test]
    fn shares_follow_weight_and_health_and_never_vanish() {
        assert_eq!((Score(1.0).share(1), Score(1.0).share(7), Score(0.5).share(2)), (1_000, 7_000, 1_000));
        assert_eq!((Score(0.0).share(1), Score(0.0).share(100)), (50, 5_000));
        assert_eq!(Score(f64::NAN).share(1), 1_000, "a damaged file harms nobody");
    }
}

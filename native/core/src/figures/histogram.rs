//! How long answers took to begin, in buckets of fixed bounds, so that those of many entries can be added up and a
//! quantile told without keeping every time. The bounds suit a model's first byte: from a cache's milliseconds to a long
//! thought.

use std::time::Duration;

/// Upper bounds of the buckets, in seconds; one more bucket takes what is slower.
pub const BOUNDS: [f64; 12] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0];

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Histogram {
    counts: [u64; BOUNDS.len() + 1],
    sum: f64,
}

impl Histogram {
    pub fn observe(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        self.counts[BOUNDS.partition_point(|bound| *bound < seconds)] += 1;
        self.sum += seconds;
    }

    pub fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
        self.sum += other.sum;
    }

    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// In seconds.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// In milliseconds; `None` before the first.
    pub fn average_ms(&self) -> Option<u64> {
        let count = self.count();
        (count > 0).then(|| (self.sum / count as f64 * 1_000.0).round() as u64)
    }

    /// Each bucket's upper bound in seconds, the last without one, with what fell into it.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        BOUNDS.into_iter().chain([f64::INFINITY]).zip(self.counts)
    }

    /// The bound below which that part (0 to 1) of the answers began, in milliseconds: right to the bucket. `None` before
    /// the first; the slowest bucket answers with its lower bound.
    pub fn quantile_ms(&self, part: f64) -> Option<u64> {
        let wanted = (self.count() as f64 * part).ceil().max(1.0);
        let mut seen = 0;
        let place = self.counts.iter().position(|count| {
            seen += count;
            seen as f64 >= wanted
        })?;
        Some((BOUNDS[place.min(BOUNDS.len() - 1)] * 1_000.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(milliseconds: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        milliseconds.iter().for_each(|ms| histogram.observe(Duration::from_millis(*ms)));
        histogram
    }

    #[test]
    fn a_time_falls_below_its_bound_and_onto_it() {
        let buckets: Vec<u64> = of(&[25, 26, 400_000]).buckets().map(|(_, count)| count).collect();
        assert_eq!((buckets[0], buckets[1], buckets[BOUNDS.len()]), (1, 1, 1));
    }

    #[test]
    fn quantiles_are_right_to_the_bucket() {
        let histogram = of(&[10, 10, 10, 300, 300, 300, 300, 300, 300, 20_000]);
        assert_eq!(histogram.quantile_ms(0.5), Some(500));
        assert_eq!(histogram.quantile_ms(0.2), Some(25));
        assert_eq!(histogram.quantile_ms(0.99), Some(30_000));
        assert_eq!(of(&[]).quantile_ms(0.5), None);
        assert_eq!(of(&[900_000]).quantile_ms(0.5), Some(120_000));
    }

    #[test]
    fn two_are_added_up() {
        let mut both = of(&[10, 700]);
        both.add(&of(&[700]));
        assert_eq!((both.count(), both.quantile_ms(0.5)), (3, Some(1_000)));
        assert!((both.sum() - 1.41).abs() < 1e-9);
        assert_eq!((both.average_ms(), of(&[]).average_ms()), (Some(470), None));
    }
}

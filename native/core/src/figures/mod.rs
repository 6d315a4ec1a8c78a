//! What is counted of each key and each way out (a proxy, the rotating one, direct): how attempts ended, how long answers
//! took to begin, how it went lately, and what went through its tunnels. Plain counting: nothing here decides anything,
//! and nothing decides by it.
//!
//! Invariant: figures are bounded in memory whatever happens, and free of names and secrets.

pub mod balance;
pub mod capped;
pub mod histogram;
pub mod meter;
pub mod minutes;
pub mod tallies;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Millis;
use crate::dispatch::judge::Blame;
use histogram::Histogram;
use meter::Meter;
use minutes::Minutes;

/// An error rate is that of this time, in milliseconds.
const RATE_OVER: Millis = 5 * 60_000;

/// How attempts ended, by whom the verdict blames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Answered, with nobody to blame.
    pub served: u64,
    pub key: u64,
    pub quota: u64,
    /// The key has not the model.
    pub model: u64,
    pub proxy: u64,
    /// The upstream's failures, those that may be the key's own among them.
    pub upstream: u64,
    pub caller: u64,
}

impl Outcomes {
    pub fn count(&mut self, blame: Blame) {
        *match blame {
            Blame::Nobody => &mut self.served,
            Blame::Key => &mut self.key,
            Blame::Quota => &mut self.quota,
            Blame::Model => &mut self.model,
            Blame::Proxy | Blame::ProxyOrUpstream => &mut self.proxy,
            Blame::KeyOrUpstream | Blame::Upstream => &mut self.upstream,
            Blame::Caller => &mut self.caller,
        } += 1;
    }

    /// Each with the word it goes by in metrics.
    pub fn named(&self) -> [(&'static str, u64); 7] {
        [
            ("served", self.served),
            ("key", self.key),
            ("quota", self.quota),
            ("model", self.model),
            ("proxy", self.proxy),
            ("upstream", self.upstream),
            ("caller", self.caller),
        ]
    }

    pub fn add(&mut self, other: &Self) {
        self.served += other.served;
        self.key += other.key;
        self.quota += other.quota;
        self.model += other.model;
        self.proxy += other.proxy;
        self.upstream += other.upstream;
        self.caller += other.caller;
    }

    pub fn ended(&self) -> u64 {
        self.named().iter().map(|(_, count)| count).sum()
    }
}

/// Whose figures they are: what fails for one is no failure of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Key,
    Way,
}

impl Of {
    fn fails(self, blame: Blame) -> bool {
        match self {
            Self::Key => matches!(blame, Blame::Key | Blame::Quota | Blame::Model | Blame::KeyOrUpstream),
            Self::Way => matches!(blame, Blame::Proxy | Blame::ProxyOrUpstream),
        }
    }
}

/// The figures of one key or one way out, since it was loaded.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub outcomes: Outcomes,
    /// From the beginning of an attempt to the beginning of its answer.
    pub latency: Histogram,
    /// Attempts that ended, minute by minute, and those of them that failed by this entry's fault.
    pub minutes: Minutes,
    /// Shared with the connections that count on it, and by every copy of this entry.
    pub meter: Arc<Meter>,
}

impl Figures {
    /// An attempt ended.
    ///
    /// Invariant: an error rate counts what the entry itself is blamed for, as its health does.
    pub fn ended(&mut self, of: Of, blame: Blame, answered_after: Option<Duration>, now: Millis) {
        self.outcomes.count(blame);
        if let Some(after) = answered_after {
            self.latency.observe(after);
        }
        self.minutes.add(now, 1, u64::from(of.fails(blame)));
    }

    /// The part of the attempts of the last five minutes that failed by its fault, 0 to 1; `None` when there was none.
    pub fn error_rate(&self, now: Millis) -> Option<f64> {
        let (all, failed) = self.minutes.since(now.saturating_sub(RATE_OVER));
        (all > 0).then(|| failed as f64 / all as f64)
    }

    /// Bytes that this entry's figures hold, the entry's own size not counted.
    pub fn held_bytes(&self) -> usize {
        self.minutes.held_bytes() + size_of::<Meter>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_counted_by_whom_it_blames() {
        let mut figures = Figures::default();
        let blames = [Blame::Nobody, Blame::Quota, Blame::ProxyOrUpstream, Blame::Caller];
        blames.into_iter().for_each(|blame| figures.ended(Of::Key, blame, None, 60_000));
        let told: Vec<_> = figures.outcomes.named().into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(told, [("served", 1), ("quota", 1), ("proxy", 1), ("caller", 1)]);
        assert_eq!(figures.error_rate(60_000), Some(0.25), "of the key's faults only the quota is one");
        let mut way = Figures::default();
        blames.into_iter().for_each(|blame| way.ended(Of::Way, blame, None, 60_000));
        assert_eq!(way.error_rate(60_000), Some(0.25), "a key's quota is no fault of its proxy");
    }

    #[test]
    fn an_error_rate_is_of_the_last_minutes() {
        let mut figures = Figures::default();
        assert_eq!(figures.error_rate(0), None);
        figures.ended(Of::Key, Blame::Key, None, 60_000);
        figures.ended(Of::Key, Blame::Nobody, None, 20 * 60_000);
        assert_eq!(figures.error_rate(20 * 60_000), Some(0.0), "the failure is long ago");
        assert_eq!(figures.error_rate(60 * 60_000), None);
    }
}

//! The circuit of one key: closed while it serves, open while it rests after failures of its own, half-open while one
//! request tries it again. Pure state; who failed, whether others were served meanwhile, time and chance are arguments.
//!
//! Invariant: half-open lets exactly one request through until that one has settled.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::clock::Millis;
use crate::settings::MonitoringSettings;

/// An open circuit never waits longer, however often the key failed, in milliseconds.
const LONGEST: Millis = 3_600_000;
/// A key that Google refused is asked again after this long at first. Such refusals seldom heal by themselves.
const REFUSED_FIRST: Millis = 600_000;
const REFUSED_LONGEST: Millis = 24 * 3_600_000;

/// What a person sees of a circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    #[default]
    Closed,
    Open,
    HalfOpen,
}

/// How a key came to be let alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It failed while others were served.
    Failures,
    /// Google refused the key itself.
    Refusal,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Breaker {
    state: State,
    /// Failures since the last success, none older than the window.
    failures: u32,
    first_failure_at: Millis,
    /// How often it opened since the last success: the exponent of the next wait.
    opened: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    #[default]
    Closed,
    Open {
        until: Millis,
    },
    /// One request is on its way to find out.
    Probing,
}

impl Breaker {
    pub fn circuit(&self, now: Millis) -> Circuit {
        match self.state {
            State::Closed => Circuit::Closed,
            State::Open { until } if until > now => Circuit::Open,
            State::Open { .. } | State::Probing => Circuit::HalfOpen,
        }
    }

    /// Whether a request may go to this key now.
    pub fn admits(&self, now: Millis) -> bool {
        match self.state {
            State::Closed => true,
            State::Open { until } => until <= now,
            State::Probing => false,
        }
    }

    /// When an open circuit lets the next request through; `None` when it does now, or waits for its probe.
    pub fn opens_until(&self, now: Millis) -> Option<Millis> {
        match self.state {
            State::Open { until } if until > now => Some(until),
            _ => None,
        }
    }

    /// A request goes to this key. Answers whether it is the probe of a half-open circuit.
    pub fn begin(&mut self, now: Millis) -> bool {
        let probe = self.circuit(now) == Circuit::HalfOpen;
        if probe {
            self.state = State::Probing;
        }
        probe
    }

    /// The key served. Answers whether that closed its circuit.
    pub fn succeeded(&mut self) -> bool {
        let closed = self.state != State::Closed;
        *self = Self::default();
        closed
    }

    /// The probe ended without telling anything of the key (the client left, its proxy failed): the next may try.
    pub fn inconclusive(&mut self, now: Millis) {
        if self.state == State::Probing {
            self.state = State::Open { until: now };
        }
    }

    /// Counts a failure of a closed circuit; answers since when failures are counted and whether they are enough to
    /// open it, should others have been served since then.
    pub fn count_failure(&mut self, settings: &MonitoringSettings, now: Millis) -> Counted {
        let window = settings.window_seconds.saturating_mul(1_000);
        if self.failures == 0 || now.saturating_sub(self.first_failure_at) > window {
            self.failures = 0;
            self.first_failure_at = now;
        }
        self.failures = self.failures.saturating_add(1);
        Counted { since: self.first_failure_at, enough: self.failures >= settings.failure_threshold }
    }

    pub fn is_probing(&self) -> bool {
        self.state == State::Probing
    }

    /// Opens the circuit and answers until when: the recovery time, doubled with each opening in a row, ±20 %.
    pub fn open(
        &mut self,
        cause: Cause,
        settings: &MonitoringSettings,
        now: Millis,
        rng: &mut fastrand::Rng,
    ) -> Millis {
        let (first, longest) = match cause {
            Cause::Failures => (settings.recovery_time_seconds.saturating_mul(1_000), LONGEST),
            Cause::Refusal => (REFUSED_FIRST, REFUSED_LONGEST),
        };
        let wait = first.saturating_mul(1 << self.opened.min(20)).min(longest);
        let until = now.saturating_add(jittered(wait, rng));
        self.state = State::Open { until };
        self.opened = self.opened.saturating_add(1);
        self.failures = 0;
        until
    }

    /// The clock was set back: what was to come is as far away as before.
    pub fn shift_back(&mut self, by: Millis) {
        self.first_failure_at = self.first_failure_at.saturating_sub(by);
        if let State::Open { until } = &mut self.state {
            *until = until.saturating_sub(by);
        }
    }

    /// After a restart nobody is on the way any more.
    pub fn without_probe(mut self, now: Millis) -> Self {
        self.inconclusive(now);
        self
    }
}

/// What a failure came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub since: Millis,
    pub enough: bool,
}

/// Between 80 and 120 % of `wait`, so that keys that failed together do not come back together.
pub fn jittered(wait: Millis, rng: &mut fastrand::Rng) -> Millis {
    let part = 800 + rng.u64(..=400);
    wait.saturating_mul(part) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> MonitoringSettings {
        MonitoringSettings { failure_threshold: 3, recovery_time_seconds: 30, window_seconds: 300 }
    }

    fn rng() -> fastrand::Rng {
        fastrand::Rng::with_seed(3)
    }

    #[test]
    fn failures_count_up_to_the_threshold_within_the_window() {
        let mut breaker = Breaker::default();
        let enough: Vec<_> =
            [0, 1, 2].map(|now| breaker.count_failure(&settings(), now)).map(|one| one.enough).into();
        assert_eq!(enough, [false, false, true]);
        assert_eq!(breaker.count_failure(&settings(), 300_000), Counted { since: 0, enough: true });
        let later = breaker.count_failure(&settings(), 300_001);
        assert_eq!(later, Counted { since: 300_001, enough: false }, "the window has passed");
    }

    #[test]
    fn a_success_in_between_starts_the_count_anew() {
        let mut breaker = Breaker::default();
        breaker.count_failure(&settings(), 0);
        breaker.count_failure(&settings(), 1);
        assert!(!breaker.succeeded(), "it was closed all the time");
        assert_eq!(breaker.count_failure(&settings(), 2), Counted { since: 2, enough: false });
    }

    #[test]
    fn open_admits_nobody_then_exactly_one() {
        let mut breaker = Breaker::default();
        let until = breaker.open(Cause::Failures, &settings(), 1_000, &mut rng());
        assert!((25_000..=37_000).contains(&until), "{until}");
        assert_eq!((breaker.circuit(until - 1), breaker.admits(until - 1)), (Circuit::Open, false));
        assert_eq!(breaker.opens_until(until - 1), Some(until));
        assert!(!breaker.begin(until - 1), "no probe before its time");
        assert_eq!((breaker.circuit(until), breaker.admits(until)), (Circuit::HalfOpen, true));
        assert_eq!(breaker.opens_until(until), None);
        assert!(breaker.begin(until));
        assert_eq!((breaker.circuit(until), breaker.admits(until)), (Circuit::HalfOpen, false));
        assert!(breaker.is_probing());
        assert!(!breaker.admits(until + 1_000_000), "only its settling frees it");
    }

    #[test]
    fn the_probe_decides_or_leaves_it_open() {
        let mut breaker = Breaker::default();
        let until = breaker.open(Cause::Failures, &settings(), 0, &mut rng());
        breaker.begin(until);
        breaker.inconclusive(until + 5);
        assert!(breaker.admits(until + 5) && !breaker.is_probing());
        breaker.begin(until + 5);
        assert!(breaker.succeeded());
        assert_eq!(breaker, Breaker::default());
        breaker.inconclusive(9);
        assert_eq!(breaker.circuit(9), Circuit::Closed, "nothing to conclude of a closed one");
    }

    #[test]
    fn each_opening_in_a_row_waits_twice_as_long_up_to_the_cap() {
        let (mut breaker, mut rng) = (Breaker::default(), rng());
        let mut waits = |cause| -> Vec<Millis> {
            breaker = Breaker::default();
            (0..30).map(|_| breaker.open(cause, &settings(), 0, &mut rng)).collect()
        };
        let around = |wait: Millis, middle: Millis| (middle * 8 / 10..=middle * 12 / 10).contains(&wait);
        let failures = waits(Cause::Failures);
        for (wait, middle) in failures.iter().zip([30_000, 60_000, 120_000, 240_000]) {
            assert!(around(*wait, middle), "{failures:?}");
        }
        assert!(failures[20..].iter().all(|wait| around(*wait, 3_600_000)), "{failures:?}");
        let refusals = waits(Cause::Refusal);
        assert!(around(refusals[0], 600_000) && around(refusals[1], 1_200_000), "{refusals:?}");
        assert!(refusals[20..].iter().all(|wait| around(*wait, 86_400_000)), "{refusals:?}");
    }

    #[test]
    fn waits_are_spread() {
        let mut rng = rng();
        let waits: Vec<Millis> = (0..200).map(|_| jittered(1_000, &mut rng)).collect();
        assert!(waits.iter().all(|wait| (800..=1_200).contains(wait)));
        assert!(waits.iter().any(|wait| *wait < 850) && waits.iter().any(|wait| *wait > 1_150));
    }

    #[test]
    fn a_clock_set_back_keeps_the_wait() {
        let mut breaker = Breaker::default();
        breaker.count_failure(&settings(), 900_000);
        let until = breaker.open(Cause::Failures, &settings(), 1_000_000, &mut rng());
        breaker.shift_back(600_000);
        assert_eq!(breaker.opens_until(400_000), Some(until - 600_000));
        breaker.succeeded();
        breaker.count_failure(&settings(), 900_000);
        breaker.shift_back(600_000);
        let counted = breaker.count_failure(&settings(), 400_000);
        assert_eq!(counted.since, 300_000);
    }

    #[test]
    fn a_restart_forgets_the_probe_but_not_the_circuit() {
        let mut breaker = Breaker::default();
        let until = breaker.open(Cause::Failures, &settings(), 0, &mut rng());
        assert_eq!(breaker.clone().without_probe(1), breaker);
        breaker.begin(until);
        assert!(breaker.without_probe(until).admits(until));
    }
}

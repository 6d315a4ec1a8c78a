//! Virtual time: the clock that the core reads, set by the simulation. It knows nothing of what happens when.

use std::sync::atomic::{AtomicU64, Ordering};

use aggregator_core::clock::{Clock, Millis};

/// 2026-03-07T20:00Z, a day before the clocks change in Los Angeles.
pub const BEGIN: Millis = 1_772_913_600_000;

pub struct VirtualClock(AtomicU64);

impl VirtualClock {
    pub fn new() -> Self {
        Self(AtomicU64::new(BEGIN))
    }

    pub fn set(&self, now: Millis) {
        self.0.store(now, Ordering::Relaxed);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Millis {
        self.0.load(Ordering::Relaxed)
    }
}

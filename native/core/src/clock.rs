//! Wall-clock time as the pools see it: milliseconds since 1970. Decisions take `now` as an argument, so only
//! the edges of the core read a clock; this file owns that one reading and knows nothing of what it is used for.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00Z.
pub type Millis = u64;

/// Where "now" comes from; tests and simulations bring their own.
pub trait Clock: Send + Sync {
    fn now(&self) -> Millis;
}

/// The system's clock. A clock set before 1970 reads as 0.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map(|since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
            .unwrap_or(0)
    }
}

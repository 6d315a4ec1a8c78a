//! Google's side of quotas: so many requests a minute and a day for each project and model, counted in windows of its
//! own clock. It must not know what the core makes of a refusal.

use std::collections::HashMap;
use std::time::Duration;

use aggregator_core::clock::Millis;
use aggregator_core::dispatch::judge::Outcome;
use aggregator_core::keys::pacific::next_midnight;

use crate::bodies::{self, DAY_QUOTA, MINUTE_QUOTA};

const MINUTE: Millis = 60_000;

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub minute: u32,
    pub day: u32,
}

#[derive(Default)]
struct Used {
    minute_ends: Millis,
    in_minute: u32,
    day_ends: Millis,
    in_day: u32,
}

/// What is used up, and until when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedUp {
    pub quota: &'static str,
    pub until: Millis,
    /// As RetryInfo says it.
    pub delay: Duration,
}

#[derive(Default)]
pub struct Google {
    used: HashMap<(String, String), Used>,
}

impl Google {
    /// Counts one request, or says what is used up. The day is looked at first, as its refusal lasts longer.
    pub fn ask(&mut self, project: &str, model: &str, limits: Limits, now: Millis) -> Result<(), UsedUp> {
        let used = self.used.entry((project.to_owned(), model.to_owned())).or_default();
        if now >= used.minute_ends {
            *used = Used { minute_ends: (now / MINUTE + 1) * MINUTE, in_minute: 0, ..*used };
        }
        if now >= used.day_ends {
            *used = Used { day_ends: next_midnight(now), in_day: 0, ..*used };
        }
        if used.in_day >= limits.day {
            // The short delay that Google names beside a daily quota too.
            let delay = Duration::from_secs(37);
            return Err(UsedUp { quota: DAY_QUOTA, until: used.day_ends, delay });
        }
        if used.in_minute >= limits.minute {
            let delay = Duration::from_millis(used.minute_ends - now);
            return Err(UsedUp { quota: MINUTE_QUOTA, until: used.minute_ends, delay });
        }
        used.in_minute += 1;
        used.in_day += 1;
        Ok(())
    }
}

impl UsedUp {
    pub fn outcome(&self, named_project: Option<&str>) -> Outcome {
        bodies::quota(self.quota, self.delay, named_project)
    }
}

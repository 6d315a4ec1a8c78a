//! When Google's daily quotas begin anew: midnight in Los Angeles, daylight saving included (ai.google.dev, "Rate
//! limits"). Pure; the zone's rules are part of the program, so that it needs no time-zone files of the system.

use jiff::Timestamp;
use jiff::tz::{self, TimeZone};

use crate::clock::Millis;

static LOS_ANGELES: TimeZone = tz::get!("America/Los_Angeles");
const DAY: Millis = 24 * 3_600 * 1_000;

/// The first midnight in Los Angeles after `now`. A clock beyond the calendar gets a day instead.
pub fn next_midnight(now: Millis) -> Millis {
    calendar_midnight(now).unwrap_or(now.saturating_add(DAY))
}

fn calendar_midnight(now: Millis) -> Option<Millis> {
    let now = Timestamp::from_millisecond(i64::try_from(now).ok()?).ok()?;
    let tomorrow = now.to_zoned(LOS_ANGELES.clone()).date().tomorrow().ok()?;
    let midnight = tomorrow.to_zoned(LOS_ANGELES.clone()).ok()?.timestamp().as_millisecond();
    Millis::try_from(midnight).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Millis {
        let timestamp: Timestamp = text.parse().unwrap();
        Millis::try_from(timestamp.as_millisecond()).unwrap()
    }

    #[test]
    fn the_next_midnight_in_winter_summer_and_on_the_days_the_clock_changes() {
        for (now, midnight) in [
            // PST is UTC−8, PDT UTC−7.
            ("2026-01-15T12:00:00Z", "2026-01-16T08:00:00Z"),
            ("2026-07-15T12:00:00Z", "2026-07-16T07:00:00Z"),
            // 2026-03-08 has 23 hours there, 2026-11-01 has 25.
            ("2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z"),
            ("2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z"),
            // A millisecond before midnight, and midnight itself.
            ("2026-01-15T07:59:59.999Z", "2026-01-15T08:00:00Z"),
            ("2026-01-15T08:00:00Z", "2026-01-16T08:00:00Z"),
        ] {
            assert_eq!(next_midnight(at(now)), at(midnight), "{now}");
        }
    }

    #[test]
    fn a_clock_beyond_the_calendar_rests_a_day() {
        let far = Millis::MAX - 100_000_000;
        assert_eq!(next_midnight(far), far + 86_400_000);
        assert_eq!(next_midnight(Millis::MAX), Millis::MAX);
    }
}

//! How far this machine's clock is from Gemini's, by the `Date` of its answers. Pure. A wrong clock makes every certificate
//! look expired, and nothing else says so.

use http::HeaderMap;
use http::header::DATE;
use jiff::fmt::rfc2822;

use crate::clock::Millis;

/// `Date` has no more than seconds: it stands for the middle of one.
const MIDDLE: i64 = 500;

/// Positive when this machine is ahead. `None` without a date that can be read.
pub fn skew(headers: &HeaderMap, now: Millis) -> Option<i64> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let theirs = rfc2822::parse(date).ok()?.timestamp().as_millisecond();
    i64::try_from(now).ok()?.checked_sub(theirs.checked_add(MIDDLE)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skew_of(date: &'static str, now: Millis) -> Option<i64> {
        skew(&[(DATE, date.parse().unwrap())].into_iter().collect(), now)
    }

    #[test]
    fn a_clock_ahead_is_positive_and_one_behind_negative() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let theirs: Millis = 784_111_777_500;
        assert_eq!(skew_of(date, theirs), Some(0));
        assert_eq!(skew_of(date, theirs + 3_600_000), Some(3_600_000));
        assert_eq!(skew_of(date, theirs - 45_000), Some(-45_000));
    }

    #[test]
    fn what_is_no_date_says_nothing() {
        assert_eq!(skew_of("yesterday", 1), None);
        assert_eq!(skew(&HeaderMap::new(), 1), None);
    }
}

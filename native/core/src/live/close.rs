//! A close frame of the upstream's and what it says about the session: a good end, or an error that the judge then
//! takes as it takes the same error of an ordinary call. Pure. Google's reasons in close frames are known from public
//! issue threads only, so the words are few and stand in one place.

use crate::dispatch::judge::{KEY_WORDS, Outcome};
use crate::dispatch::upstream_error::UpstreamError;

const NORMAL: u16 = 1000;
const GOING_AWAY: u16 = 1001;
const INTERNAL_ERROR: u16 = 1011;
const SERVICE_RESTART: u16 = 1012;
const TRY_AGAIN_LATER: u16 = 1013;
const BAD_GATEWAY: u16 = 1014;

/// Reasons that are a quota's end under whatever code they come; inferred, not seen on the wire.
const QUOTA_WORDS: [&str; 3] =
    ["exceeded your current quota", "quota exceeded", "resource has been exhausted"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// `None`: the frame had no body.
    pub code: Option<u16>,
    /// Clean of the key.
    pub reason: String,
}

impl Close {
    /// From the payload of a close frame.
    pub fn parse(payload: &[u8]) -> Self {
        match payload {
            [high, low, reason @ ..] => Self {
                code: Some(u16::from_be_bytes([*high, *low])),
                reason: String::from_utf8_lossy(reason).into_owned(),
            },
            _ => Self { code: None, reason: String::new() },
        }
    }

    /// `None` for a good end, else what the same failure would be as the answer to an ordinary call.
    pub fn error(&self) -> Option<UpstreamError> {
        let code = self.code.filter(|code| !matches!(*code, NORMAL | GOING_AWAY))?;
        let mut error = UpstreamError::in_words(&self.reason);
        error.code = Some(match code {
            _ if error.says(&QUOTA_WORDS) => 429,
            _ if error.says(&KEY_WORDS) => 403,
            INTERNAL_ERROR => 500,
            SERVICE_RESTART | TRY_AGAIN_LATER | BAD_GATEWAY => 503,
            // A model that is not there included: which one it was is not known here.
            _ => 400,
        });
        Some(error)
    }

    pub fn outcome(&self) -> Outcome {
        self.error().map_or_else(good_end, |error| Outcome::StreamError(Box::new(error)))
    }

    /// For the log: empty for a good end.
    pub fn words(&self) -> String {
        match (self.error(), self.code) {
            (Some(_), Some(code)) if self.reason.is_empty() => format!("the session was closed with {code}"),
            (Some(_), Some(code)) => format!("the session was closed with {code}: {}", self.reason),
            _ => String::new(),
        }
    }
}

/// The session came to an end that is nobody's failure.
pub fn good_end() -> Outcome {
    Outcome::Answered { status: 101, error: None, retry_after: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::judge::{Blame, judge};

    fn blame(code: u16, reason: &str) -> Blame {
        let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
        judge(&Close::parse(&payload).outcome()).blame
    }

    #[test]
    fn an_end_is_judged_as_the_same_error_of_a_call_would_be() {
        for (code, reason, expected) in [
            (1000, "", Blame::Nobody),
            (1001, "", Blame::Nobody),
            (1007, "API key not valid. Please pass a valid API key.", Blame::Key),
            (1008, "Your API key was reported as leaked.", Blame::Key),
            (
                1011,
                "You exceeded your current quota, please check your plan and billing details.",
                Blame::Quota,
            ),
            (1008, "User location is not supported for the API use.", Blame::Proxy),
            (1007, "Request contains an invalid argument.", Blame::Caller),
            (1008, "models/x is not found for API version v1beta", Blame::Caller),
            (1011, "Internal error encountered.", Blame::KeyOrUpstream),
            (1013, "", Blame::Upstream),
        ] {
            assert_eq!(blame(code, reason), expected, "{code} {reason}");
        }
        assert_eq!(judge(&Close::parse(b"").outcome()).blame, Blame::Nobody);
    }

    #[test]
    fn the_log_hears_of_bad_ends_only() {
        let words = |code: u16, reason: &str| Close { code: Some(code), reason: reason.to_owned() }.words();
        assert_eq!(words(1000, "bye"), "");
        assert_eq!(words(1008, "no"), "the session was closed with 1008: no");
        assert_eq!(words(1011, ""), "the session was closed with 1011");
    }
}

//! What an attempt came to (`Outcome`), and the one pure function that says who is to blame, whether another key
//! may try, and how long the blamed one rests (`Verdict`). It sees no bodies, keys, clocks or sockets.
//!
//! Invariant: only the blamed entry changes health. A proxy's fault never charges a key; a caller's bad request
//! charges nobody.

use std::time::Duration;

use super::replay::BodyFault;
use super::upstream_error::UpstreamError;
use crate::proxies::fault::ProxyFault;

/// One attempt's result, free of bodies.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The upstream answered. `error` is its error body, where it had one that could be read.
    Answered { status: u16, error: Option<UpstreamError>, retry_after: Option<Duration> },
    /// A 200 whose stream ended in an error.
    StreamError(UpstreamError),
    /// The route to the upstream failed inside the proxy or on the way to it.
    Proxy(ProxyFault),
    /// The upstream could not be reached though the route stood, or directly.
    Unreachable(String),
    /// The connection ended before a whole answer.
    Interrupted(String),
    /// No byte came for as long as the settings allow.
    TimedOut,
    /// The client left or its body broke off.
    CallerGone,
    /// The client's body grew past the limit.
    BodyTooLarge,
}

/// A client's body that broke off or grew too large ends the attempt in other words too (HTTP/2 speaks of a reset);
/// its own fault is the one that counts.
impl From<BodyFault> for Outcome {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::TooLarge => Self::BodyTooLarge,
            BodyFault::CallerGone | BodyFault::Superseded => Self::CallerGone,
        }
    }
}

impl Outcome {
    /// Whether a byte of the upstream's came back: proof that the proxy did its part.
    pub fn reached_upstream(&self) -> bool {
        matches!(self, Self::Answered { .. } | Self::StreamError(_))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The key itself is refused: it is disabled.
    Key,
    /// The key's quota is used up: it rests.
    Quota,
    Proxy,
    Upstream,
    Caller,
    Nobody,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub blame: Blame,
    /// Another key may try the same request.
    pub retry: bool,
    /// How long the blamed key rests; `None` leaves it to the key's own setting.
    pub cooldown: Option<Duration>,
    /// For the log and the panel: one clause, no secrets. Empty when all went well.
    pub reason: String,
}

impl Verdict {
    fn new(blame: Blame, retry: bool, reason: impl Into<String>) -> Self {
        Self { blame, retry, cooldown: None, reason: reason.into() }
    }
}

const KEY_REASONS: [&str; 5] = [
    "API_KEY_INVALID",
    "SERVICE_DISABLED",
    "API_KEY_SERVICE_BLOCKED",
    "CONSUMER_SUSPENDED",
    "CONSUMER_INVALID",
];
const KEY_WORDS: [&str; 6] = [
    "api key not valid",
    "api key not found",
    "api key expired",
    "reported as leaked",
    "has been suspended",
    "your project has been denied access",
];
const LOCATION_WORDS: [&str; 1] = ["user location is not supported"];

pub fn judge(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Answered { status, error, retry_after } => {
            judge_answer(*status, error.as_ref(), *retry_after)
        }
        Outcome::StreamError(error) => {
            // The first byte is out, so the retry flag is moot; the blame is not.
            let verdict = judge_answer(error.code.unwrap_or(500), Some(error), None);
            Verdict { retry: false, ..verdict }
        }
        Outcome::Proxy(fault) => Verdict::new(Blame::Proxy, true, fault.words()),
        Outcome::Unreachable(words) => Verdict::new(Blame::Upstream, true, words.clone()),
        Outcome::Interrupted(words) => Verdict::new(Blame::Upstream, true, words.clone()),
        Outcome::TimedOut => {
            Verdict::new(Blame::Upstream, true, "the upstream stayed silent until the time-out")
        }
        Outcome::CallerGone => Verdict::new(Blame::Caller, false, "the client closed the request"),
        Outcome::BodyTooLarge => Verdict::new(Blame::Caller, false, "the request body is too large"),
    }
}

fn judge_answer(status: u16, error: Option<&UpstreamError>, retry_after: Option<Duration>) -> Verdict {
    // Google's name for the error, or the bare status. Never empty: an empty reason means that all went well.
    let name = || match error {
        Some(error) if !error.status.is_empty() => error.status.clone(),
        _ => format!("HTTP {status}"),
    };
    if let Some(error) = error {
        if error.has_reason(&KEY_REASONS) || error.says(&KEY_WORDS) {
            let words = Some(error.message.clone()).filter(|text| !text.is_empty());
            return Verdict::new(Blame::Key, true, words.unwrap_or_else(name));
        }
        if error.says(&LOCATION_WORDS) {
            let words = "Google does not serve the location of this egress address; use a proxy elsewhere";
            return Verdict::new(Blame::Proxy, true, words);
        }
    }
    match status {
        success if success < 400 => Verdict::new(Blame::Nobody, false, ""),
        401 => Verdict::new(Blame::Key, true, "Google does not accept this key (401)"),
        429 => Verdict {
            cooldown: error.and_then(|error| error.retry_delay).or(retry_after),
            ..Verdict::new(Blame::Quota, true, "Quota used up")
        },
        500.. => Verdict::new(Blame::Upstream, true, name()),
        _ => Verdict::new(Blame::Caller, false, name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Verdict {
        judge(&Outcome::Answered { status, error: UpstreamError::parse(body.as_bytes()), retry_after: None })
    }

    #[test]
    fn the_table_of_answers() {
        let rows: [(u16, &str, Blame, bool); 13] = [
            (200, "", Blame::Nobody, false),
            (
                400,
                r#"{"error":{"message":"API key not valid. Please pass a valid API key.","details":[{"reason":"API_KEY_INVALID"}]}}"#,
                Blame::Key,
                true,
            ),
            (400, r#"{"error":{"message":"API key expired. Please renew."}}"#, Blame::Key, true),
            (401, r#"{"error":{"status":"UNAUTHENTICATED"}}"#, Blame::Key, true),
            (403, r#"{"error":{"message":"Your API key was reported as leaked."}}"#, Blame::Key, true),
            (
                403,
                r#"{"error":{"message":"x","details":[{"reason":"CONSUMER_SUSPENDED"}]}}"#,
                Blame::Key,
                true,
            ),
            (
                403,
                r#"{"error":{"message":"You do not have permission to access the File x or it may not exist."}}"#,
                Blame::Caller,
                false,
            ),
            (
                400,
                r#"{"error":{"status":"FAILED_PRECONDITION","message":"User location is not supported for the API use."}}"#,
                Blame::Proxy,
                true,
            ),
            (
                404,
                r#"{"error":{"status":"NOT_FOUND","message":"models/x is not found"}}"#,
                Blame::Caller,
                false,
            ),
            (429, r#"{"error":{"status":"RESOURCE_EXHAUSTED"}}"#, Blame::Quota, true),
            (500, r#"{"error":{"status":"INTERNAL"}}"#, Blame::Upstream, true),
            (503, "<html>busy</html>", Blame::Upstream, true),
            (400, r#"{"error":{"status":"INVALID_ARGUMENT","message":"bad field"}}"#, Blame::Caller, false),
        ];
        for (status, body, blame, retry) in rows {
            let verdict = answered(status, body);
            assert_eq!((verdict.blame, verdict.retry), (blame, retry), "{status} {body}");
        }
    }

    #[test]
    fn a_quota_rests_as_long_as_the_upstream_says() {
        let body = r#"{"error":{"details":[{"retryDelay":"47s"}]}}"#;
        assert_eq!(answered(429, body).cooldown, Some(Duration::from_secs(47)));
        let header =
            Outcome::Answered { status: 429, error: None, retry_after: Some(Duration::from_secs(9)) };
        assert_eq!(judge(&header).cooldown, Some(Duration::from_secs(9)));
        assert_eq!(answered(429, "").cooldown, None);
    }

    #[test]
    fn an_error_inside_a_stream_blames_the_same_but_is_not_retried() {
        let error = UpstreamError { code: Some(429), ..UpstreamError::default() };
        let verdict = judge(&Outcome::StreamError(error));
        assert_eq!((verdict.blame, verdict.retry), (Blame::Quota, false));
    }

    #[test]
    fn a_proxy_fault_never_blames_the_key() {
        let verdict = judge(&Outcome::Proxy(ProxyFault::Refused));
        assert_eq!((verdict.blame, verdict.retry), (Blame::Proxy, true));
    }
}

//! What an attempt came to (`Outcome`), and the one pure function that says who is to blame, whether another key
//! may try, and how long the blamed one rests (`Verdict`). It sees no bodies, keys, clocks or sockets.
//!
//! Invariant: only the blamed entry changes health. A proxy's fault never charges a key; a caller's bad request
//! charges nobody.

use std::time::Duration;

use super::replay::BodyFault;
use super::upstream_error::{UpstreamError, Violation};
use crate::proxies::fault::ProxyFault;

/// One attempt's result, free of bodies.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The upstream answered. `error` is its error body, where it had one that could be read.
    Answered { status: u16, error: Option<Box<UpstreamError>>, retry_after: Option<Duration> },
    /// A 200 whose stream ended in an error.
    StreamError(Box<UpstreamError>),
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
    /// The proxy answered, but what failed may lie behind it: charged only while others reach the upstream.
    ProxyOrUpstream,
    Upstream,
    Caller,
    Nobody,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub blame: Blame,
    /// Another key may try the same request.
    pub retry: bool,
    /// What rests when a quota is to blame, one for each quota that is used up.
    pub rests: Vec<Rest>,
    /// The project that Google named, where it did.
    pub project: Option<String>,
    /// For the log and the panel: one clause, no secrets. Empty when all went well.
    pub reason: String,
}

/// The rest of one quota, for the model asked and the project of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Google's name of the quota; empty when it named none.
    pub quota: String,
    pub length: RestLength,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestLength {
    /// As long as Google said.
    Named(Duration),
    /// Google did not say: the key's own setting.
    Unnamed,
    /// A daily quota: until midnight in Los Angeles. Google also names a short delay then, which would be wrong.
    UntilDailyReset,
    /// There is no quota for this model in this project. Asked again once a day, for plans change.
    NoQuota,
}

impl Verdict {
    fn new(blame: Blame, retry: bool, reason: impl Into<String>) -> Self {
        Self { blame, retry, rests: Vec::new(), project: None, reason: reason.into() }
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
            judge_answer(*status, error.as_deref(), *retry_after)
        }
        Outcome::StreamError(error) => {
            // The first byte is out, so the retry flag is moot; the blame is not.
            let verdict = judge_answer(error.code.unwrap_or(500), Some(error), None);
            Verdict { retry: false, ..verdict }
        }
        Outcome::Proxy(fault) if fault.may_be_upstream() => {
            Verdict::new(Blame::ProxyOrUpstream, true, fault.words())
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
            rests: rests(error, retry_after),
            project: error.and_then(|error| error.consumer.clone()),
            ..Verdict::new(Blame::Quota, true, "Quota used up")
        },
        500.. => Verdict::new(Blame::Upstream, true, name()),
        _ => Verdict::new(Blame::Caller, false, name()),
    }
}

/// At least one rest. Without violations the message is all there is to go by.
fn rests(error: Option<&UpstreamError>, retry_after: Option<Duration>) -> Vec<Rest> {
    let delay = error.and_then(|error| error.retry_delay).or(retry_after);
    let short = delay.map_or(RestLength::Unnamed, RestLength::Named);
    let violations = error.map(|error| error.violations.as_slice()).unwrap_or_default();
    if violations.is_empty() {
        let says = |words: &str| error.is_some_and(|error| error.says(&[words]));
        let length = match (says("limit: 0,") || says("limit: 0\n"), says("per day")) {
            (true, _) => RestLength::NoQuota,
            (false, true) => RestLength::UntilDailyReset,
            (false, false) => short,
        };
        return vec![Rest { quota: String::new(), length }];
    }
    let rest = |violation: &Violation| {
        let length = match violation.value {
            Some(0) => RestLength::NoQuota,
            _ if violation.quota.contains("PerDay") => RestLength::UntilDailyReset,
            _ => short,
        };
        Rest { quota: violation.quota.clone(), length }
    };
    violations.iter().map(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Verdict {
        judge(&Outcome::Answered {
            status,
            error: UpstreamError::parse(body.as_bytes()).map(Box::new),
            retry_after: None,
        })
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

    fn lengths(body: &str) -> Vec<RestLength> {
        answered(429, body).rests.into_iter().map(|rest| rest.length).collect()
    }

    #[test]
    fn a_quota_rests_as_long_as_the_upstream_says() {
        let named = |seconds| RestLength::Named(Duration::from_secs(seconds));
        assert_eq!(lengths(r#"{"error":{"details":[{"retryDelay":"47s"}]}}"#), [named(47)]);
        let header =
            Outcome::Answered { status: 429, error: None, retry_after: Some(Duration::from_secs(9)) };
        assert_eq!(judge(&header).rests[0].length, named(9));
        assert_eq!(lengths(""), [RestLength::Unnamed]);
    }

    #[test]
    fn a_daily_quota_wins_over_the_short_delay_named_beside_it() {
        let body = r#"{"error":{"details":[
            {"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier","quotaValue":"50"},
                           {"quotaId":"GenerateRequestsPerMinutePerProjectPerModel-FreeTier","quotaValue":"5"}]},
            {"retryDelay":"37s"}]}}"#;
        let expected = [RestLength::UntilDailyReset, RestLength::Named(Duration::from_secs(37))];
        assert_eq!(lengths(body), expected);
        let words = r#"{"error":{"message":"You exceeded 50 requests per day. Please retry in 37s."}}"#;
        assert_eq!(lengths(words), [RestLength::UntilDailyReset]);
    }

    #[test]
    fn a_limit_of_zero_means_that_there_is_no_quota() {
        let body = r#"{"error":{"details":[{"violations":[{"quotaId":"PerMinute","quotaValue":"0"}]}]}}"#;
        assert_eq!(lengths(body), [RestLength::NoQuota]);
        let words = r#"{"error":{"message":"Quota exceeded, limit: 0, model: gemini-pro"}}"#;
        assert_eq!(lengths(words), [RestLength::NoQuota]);
        let other = r#"{"error":{"message":"Quota exceeded, limit: 05, model: gemini-pro"}}"#;
        assert_eq!(lengths(other), [RestLength::Unnamed]);
    }

    #[test]
    fn an_error_inside_a_stream_blames_the_same_but_is_not_retried() {
        let error = UpstreamError { code: Some(429), ..UpstreamError::default() };
        let verdict = judge(&Outcome::StreamError(Box::new(error)));
        assert_eq!((verdict.blame, verdict.retry), (Blame::Quota, false));
    }

    #[test]
    fn a_proxy_fault_never_blames_the_key() {
        let verdict = judge(&Outcome::Proxy(ProxyFault::Refused));
        assert_eq!((verdict.blame, verdict.retry), (Blame::Proxy, true));
        let doubtful = judge(&Outcome::Proxy(ProxyFault::ConnectStatus { status: 502 }));
        assert_eq!((doubtful.blame, doubtful.retry), (Blame::ProxyOrUpstream, true));
    }
}

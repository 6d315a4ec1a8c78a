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
    /// This key has not this model; other models and other keys are not concerned.
    Model,
    Proxy,
    /// The proxy answered, but what failed may lie behind it: charged only while others reach the upstream.
    ProxyOrUpstream,
    /// What failed may be the key's or everybody's: the key is charged only while others are served.
    KeyOrUpstream,
    /// An outage or a model under load: nobody's fault.
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
    /// How long the upstream asks to wait before anybody tries again, where it does.
    pub pause: Option<Duration>,
    /// The model that the key has not, where Google named it.
    pub model: Option<String>,
    /// The project that Google named, where it did.
    pub project: Option<String>,
    /// The proxy refused our credentials: another try changes nothing until the user edits its URL.
    pub credentials_refused: bool,
    /// A thought signature is refused: it may be another project's.
    pub signature_refused: bool,
    /// For the log and the panel: one clause, no secrets. Empty when all went well.
    pub reason: String,
}

/// The rest of one quota, for the model asked and the project of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Google's name of the quota; empty when it named none.
    pub quota: String,
    /// The model that Google named beside the one asked for: an alias leads to another.
    pub model: Option<String>,
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
        Self {
            blame,
            retry,
            rests: Vec::new(),
            pause: None,
            model: None,
            project: None,
            credentials_refused: false,
            signature_refused: false,
            reason: reason.into(),
        }
    }
}

const KEY_REASONS: [&str; 6] = [
    "API_KEY_INVALID",
    "ACCESS_TOKEN_TYPE_UNSUPPORTED",
    "SERVICE_DISABLED",
    "API_KEY_SERVICE_BLOCKED",
    "CONSUMER_SUSPENDED",
    "CONSUMER_INVALID",
];
/// How Google's texts about a bad key begin. A 400 may also quote what the caller sent, so these words count nowhere else.
const KEY_BEGINNINGS: [&str; 3] = ["api key not valid", "api key not found", "api key expired"];
/// A 403 quotes no more than a resource's name, which is looked for first.
pub const KEY_WORDS: [&str; 3] =
    ["reported as leaked", "has been suspended", "your project has been denied access"];
const LOCATION_BEGINNINGS: [&str; 1] = ["user location is not supported"];
/// A file or a cache of another project, or one that does not exist.
const RESOURCE_WORDS: [&str; 3] =
    ["permission to access the file", "cachedcontent not found", "or it may not exist"];
/// "Function call is missing a thought_signature in functionCall parts", "Thought signature is not valid".
const SIGNATURE_WORDS: [&str; 2] = ["thought_signature", "thought signature"];
/// A model that is gone, or not for this version or this account; a file that is gone is said in other words.
const MODEL_WORDS: [&str; 4] =
    ["models/", "is not found for api version", "no longer available", "not supported for generatecontent"];

/// The one decision on whose fault an outcome is. Source: docs/gemini-errors.md.
pub fn judge(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Answered { status, error, retry_after } => {
            judge_answer(*status, error.as_deref(), *retry_after)
        }
        Outcome::StreamError(error) => {
            // The first byte is out, so the retry flag is moot; the blame is not.
            let verdict = judge_answer(error.http_status(), Some(error), None);
            Verdict { retry: false, ..verdict }
        }
        Outcome::Proxy(fault) if fault.may_be_upstream() => {
            Verdict::new(Blame::ProxyOrUpstream, true, fault.words())
        }
        Outcome::Proxy(fault) => Verdict {
            credentials_refused: fault.is_auth(),
            ..Verdict::new(Blame::Proxy, true, fault.words())
        },
        Outcome::Unreachable(words) => Verdict::new(Blame::Upstream, true, words.clone()),
        Outcome::Interrupted(words) => Verdict::new(Blame::Upstream, true, words.clone()),
        Outcome::TimedOut => {
            Verdict::new(Blame::KeyOrUpstream, true, "the upstream stayed silent until the time-out")
        }
        Outcome::CallerGone => Verdict::new(Blame::Caller, false, "the client closed the request"),
        Outcome::BodyTooLarge => Verdict::new(Blame::Caller, false, "the request body is too large"),
    }
}

fn judge_answer(status: u16, error: Option<&UpstreamError>, retry_after: Option<Duration>) -> Verdict {
    let verdict = error
        .and_then(|error| by_words(status, error))
        .unwrap_or_else(|| by_status(status, error, retry_after));
    let signature_refused = status == 400 && error.is_some_and(|error| error.says(&SIGNATURE_WORDS));
    Verdict { project: error.and_then(|error| error.consumer.clone()), signature_refused, ..verdict }
}

/// What only the error's reasons and words tell.
fn by_words(status: u16, error: &UpstreamError) -> Option<Verdict> {
    let refused = match status {
        400 => error.has_reason(&KEY_REASONS) || error.begins(&KEY_BEGINNINGS),
        403 if error.says(&RESOURCE_WORDS) => false,
        401 | 403 => {
            error.has_reason(&KEY_REASONS) || error.begins(&KEY_BEGINNINGS) || error.says(&KEY_WORDS)
        }
        _ => false,
    };
    if refused {
        let words = Some(error.message.clone()).filter(|text| !text.is_empty());
        return Some(Verdict::new(Blame::Key, true, words.unwrap_or_else(|| name(status, Some(error)))));
    }
    if matches!(status, 400 | 403) && error.begins(&LOCATION_BEGINNINGS) {
        let words = "Google does not serve the location of this egress address; use a proxy elsewhere";
        return Some(Verdict::new(Blame::Proxy, true, words));
    }
    None
}

fn by_status(status: u16, error: Option<&UpstreamError>, retry_after: Option<Duration>) -> Verdict {
    let says = |words: &[&str]| error.is_some_and(|error| error.says(words));
    let named = |blame, retry| Verdict::new(blame, retry, name(status, error));
    match status {
        success if success < 400 => Verdict::new(Blame::Nobody, false, ""),
        401 => Verdict::new(Blame::Key, true, "Google does not accept this key (401)"),
        403 if says(&RESOURCE_WORDS) => named(Blame::Caller, false),
        404 if says(&MODEL_WORDS) => {
            Verdict { model: error.and_then(UpstreamError::named_model), ..named(Blame::Model, true) }
        }
        429 => {
            Verdict { rests: rests(error, retry_after), ..Verdict::new(Blame::Quota, true, "Quota used up") }
        }
        // The caller's own: malformed, conflicting, too long, cancelled, not implemented.
        400 | 404 | 405 | 406 | 409..=417 | 422 | 428 | 431 | 499 | 501 => named(Blame::Caller, false),
        503 => Verdict { pause: retry_after, ..named(Blame::Upstream, true) },
        _ => Verdict { pause: retry_after, ..named(Blame::KeyOrUpstream, true) },
    }
}

/// Google's name for the error, or the bare status. Never empty: an empty reason means that all went well.
fn name(status: u16, error: Option<&UpstreamError>) -> String {
    match error {
        Some(error) if !error.status.is_empty() => error.status.clone(),
        _ => format!("HTTP {status}"),
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
        return vec![Rest { quota: String::new(), model: None, length }];
    }
    let rest = |violation: &Violation| {
        let length = match violation.value {
            Some(0) => RestLength::NoQuota,
            _ if violation.quota.contains("PerDay") => RestLength::UntilDailyReset,
            _ => short,
        };
        Rest { quota: violation.quota.clone(), model: violation.model.clone(), length }
    };
    violations.iter().map(rest).collect()
}

#[cfg(test)]
mod tests;

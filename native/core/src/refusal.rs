//! The words and statuses of requests that end without an upstream answer: no key could serve, or none got
//! through. They say what, where and what to do next; names and masked URLs only, never a secret.

use http::StatusCode;

use crate::affinity::TwoOwners;
use crate::clock::Millis;
use crate::dialect::ApiError;
use crate::dispatch::judge::Outcome;
use crate::ids::KeyId;
use crate::keys::Out;
use crate::pools::{KeyOut, NoKey, Pick, Why};
use crate::requests::CLIENT_CLOSED;

/// Keys named one by one in an error; the rest are counted.
const NAMED: usize = 10;

pub fn no_key(no_key: &NoKey, now: Millis) -> ApiError {
    let unavailable = |message: String| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message);
    match no_key {
        NoKey::NoneAtAll => unavailable(
            "Gemini API Key Aggregator has no API key yet. Add one with the command \"Gemini Aggregator: Add API Key\", \
             or under keys: in the configuration file."
                .to_owned(),
        ),
        NoKey::UnknownPin(pin) => ApiError::new(
            StatusCode::BAD_REQUEST,
            format!("The header x-aggregator-key asks for the key \"{pin}\", which does not exist. Use a key's id or name."),
        ),
        NoKey::AllTried => unavailable("Every available key has tried this request.".to_owned()),
        NoKey::AllOut(out) => all_out(out, now),
    }
}

/// 429 with the earliest return when every reason is a quota or at least one key will be back, 503 otherwise.
fn all_out(out: &[KeyOut], now: Millis) -> ApiError {
    let earliest = out
        .iter()
        .filter_map(|key| match &key.why {
            Why::Out(Out::Cooling(resting)) => Some(resting.until),
            _ => None,
        })
        .min();
    let reasons: Vec<String> =
        out.iter().take(NAMED).map(|key| format!("{}: {}", key.name, why_words(&key.why, now))).collect();
    let more = out.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let message = format!("No API key can serve this request now. {}{more}.", reasons.join("; "));
    match earliest {
        Some(until) => ApiError {
            retry_after_seconds: Some(until.saturating_sub(now).div_ceil(1_000).max(1)),
            ..ApiError::new(StatusCode::TOO_MANY_REQUESTS, message)
        },
        None => ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message),
    }
}

fn why_words(why: &Why, now: Millis) -> String {
    match why {
        Why::Out(Out::DisabledByUser) => "disabled by you".to_owned(),
        Why::Out(Out::Disabled(reason)) => format!("disabled, Google refused it ({reason})"),
        Why::Out(Out::Cooling(resting)) => {
            let seconds = resting.until.saturating_sub(now).div_ceil(1_000);
            format!("resting for {seconds} s ({})", resting.reason)
        }
        Why::Out(Out::Failing(until, reason)) => {
            let seconds = until.saturating_sub(now).div_ceil(1_000);
            format!("let alone for {seconds} s, it failed while others were served ({reason})")
        }
        Why::Out(Out::OnTrial) => "on trial after failures, with another request".to_owned(),
        Why::ProxyDisabled(proxy) => format!("its proxy {proxy} is disabled"),
        Why::NoProxyEnabled => "no proxy is enabled to carry it".to_owned(),
        Why::NoRotating(reason) => {
            format!(
                "the rotating proxy does not serve ({}), and it has no proxy of its own",
                reason.trim_end_matches('.')
            )
        }
    }
}

/// No upstream answer came; `pick` made the last attempt.
pub fn no_answer(outcome: &Outcome, pick: &Pick) -> ApiError {
    let key = &pick.key_name;
    match outcome {
        Outcome::Proxy(fault) if pick.proxy.as_ref().is_some_and(|proxy| proxy.rotating) => {
            let url = pick.proxy.as_ref().map(|proxy| proxy.url.masked()).unwrap_or_default();
            let words = format!("The rotating proxy ({url}) failed. {}", fault.words());
            ApiError::new(StatusCode::BAD_GATEWAY, words)
        }
        Outcome::Proxy(fault) => {
            let (name, url) = match &pick.proxy {
                Some(proxy) => (proxy.name.as_str(), proxy.url.masked()),
                None => ("direct", String::new()),
            };
            let place = if name == url { name.to_owned() } else { format!("{name} ({url})") };
            ApiError::new(
                StatusCode::BAD_GATEWAY,
                format!("Proxy {place} of the key \"{key}\" failed. {}", fault.words()),
            )
        }
        Outcome::Unreachable(words) | Outcome::Interrupted(words) => ApiError::new(
            StatusCode::BAD_GATEWAY,
            format!("The request with the key \"{key}\" failed: {words}"),
        ),
        Outcome::TimedOut => ApiError::new(
            StatusCode::GATEWAY_TIMEOUT,
            "The upstream sent nothing for as long as the request time-out allows. Try again, or raise the time-out.",
        ),
        Outcome::BodyTooLarge => body_too_large(),
        Outcome::CallerGone => {
            let closed = StatusCode::from_u16(CLIENT_CLOSED).unwrap_or(StatusCode::BAD_REQUEST);
            ApiError::new(closed, "The client closed the request before all of it had come.")
        }
        Outcome::Answered { .. } | Outcome::StreamError(_) => {
            ApiError::new(StatusCode::BAD_GATEWAY, "The request ended before it was answered.")
        }
    }
}

/// One request names resources of two projects.
pub fn two_owners(both: &TwoOwners, name: impl Fn(&KeyId) -> String) -> ApiError {
    let ([first, second], [key, other]) = (&both.resources, both.keys.each_ref().map(name));
    ApiError::new(
        StatusCode::BAD_REQUEST,
        format!(
            "The request uses {first}, made with the key {key}, and {second}, made with the key {other}. Google shows each \
             only to the project it belongs to: upload both with the same key (header x-aggregator-key)."
        ),
    )
}

pub fn not_a_websocket() -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "This path opens a Live session: it takes a WebSocket handshake over HTTP/1.1 (GET with Connection: Upgrade and \
         Upgrade: websocket, without a body), and nothing else.",
    )
}

pub fn body_too_large() -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "The request body is too large for this endpoint. Send large files through /upload, or raise maxBodyMb.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::quota::Resting;

    fn cooling(name: &str, until: Millis) -> KeyOut {
        let resting = Resting {
            model: None,
            quota: String::new(),
            until,
            daily: false,
            reason: "Quota used up".to_owned(),
        };
        KeyOut { name: name.to_owned(), why: Why::Out(Out::Cooling(resting)) }
    }

    #[test]
    fn quotas_answer_429_with_the_earliest_return() {
        let error = no_key(&NoKey::AllOut(vec![cooling("work", 30_000), cooling("home", 12_500)]), 10_000);
        assert_eq!((error.status.as_u16(), error.retry_after_seconds), (429, Some(3)));
        assert!(error.message.contains("work: resting for 20 s"), "{}", error.message);
    }

    #[test]
    fn without_a_return_in_sight_it_is_503() {
        let disabled = KeyOut { name: "work".to_owned(), why: Why::Out(Out::DisabledByUser) };
        let error = no_key(&NoKey::AllOut(vec![disabled]), 0);
        assert_eq!((error.status.as_u16(), error.retry_after_seconds), (503, None));
    }
}

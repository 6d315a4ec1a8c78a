//! Errors in the OpenAI shape, `{"error":{"message","type","param","code"}}`. Clients of OpenAI decide by status, type and
//! code, so what Google says in its own terms is named in theirs where OpenAI has a name for it. Who is to blame and what
//! is tried again is not known here.

use serde::Serialize;

use crate::dialect::{google_status, openai_type};
use crate::dispatch::upstream_error::{UpstreamError, Violation};

const KEY_INVALID: [&str; 3] = ["api key not valid", "api key not found", "api key expired"];
/// "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)." and its like.
const TOO_MANY_TOKENS: [&str; 3] =
    ["exceeds the maximum number of tokens", "exceeds the maximum token", "exceeds the maximum input token"];
const NOT_HERE: [&str; 1] = ["user location is not supported"];
/// Imagen's words, known from public issue threads.
const POLICY: [&str; 3] = ["responsible ai practices", "prohibited use policy", "violates google's policies"];

/// The whole body. `google` is what the upstream answered, if it was the upstream; its message counts before `message`.
pub fn error_body(status: u16, google: Option<&UpstreamError>, message: &str) -> String {
    let message =
        google.map(|error| error.message.as_str()).filter(|said| !said.is_empty()).unwrap_or(message);
    let code = code(status, google);
    error_with(message, kind(status, &code), &code)
}

/// A request that cannot be said in Gemini's terms; `param` is the place in it.
pub fn request_error(param: Option<&str>, message: &str) -> String {
    let error = Fields { message, kind: openai_type(400), param, code: "invalid_request" };
    serde_json::to_string(&Body { error }).unwrap_or_default()
}

/// For what has no status of its own.
pub(super) fn error_with(message: &str, kind: &str, code: &str) -> String {
    let error = Fields { message, kind, param: None, code };
    serde_json::to_string(&Body { error }).unwrap_or_default()
}

#[derive(Serialize)]
struct Body<'a> {
    error: Fields<'a>,
}

#[derive(Serialize)]
struct Fields<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    param: Option<&'a str>,
    code: &'a str,
}

/// OpenAI's own type where it depends on more than the status.
fn kind(status: u16, code: &str) -> &'static str {
    match code {
        "invalid_api_key" => openai_type(401),
        "insufficient_quota" => "insufficient_quota",
        _ => openai_type(status),
    }
}

/// OpenAI's code for what it has one for, else Google's status in small letters.
fn code(status: u16, google: Option<&UpstreamError>) -> String {
    let known = google.and_then(|error| known_code(status, error)).or(match status {
        401 => Some("invalid_api_key"),
        429 => Some("rate_limit_exceeded"),
        _ => None,
    });
    let named = google.map(|error| error.status.as_str()).filter(|status| !status.is_empty());
    known.map_or_else(|| named.unwrap_or(google_status(status)).to_ascii_lowercase(), str::to_owned)
}

fn known_code(status: u16, error: &UpstreamError) -> Option<&'static str> {
    match status {
        400 if error.has_reason(&["API_KEY_INVALID"]) || error.begins(&KEY_INVALID) => {
            Some("invalid_api_key")
        }
        400 | 413 if error.says(&TOO_MANY_TOKENS) => Some("context_length_exceeded"),
        400 | 403 if error.begins(&NOT_HERE) => Some("unsupported_country_region_territory"),
        400 if error.says(&POLICY) => Some("content_policy_violation"),
        404 if error.named_model().is_some() => Some("model_not_found"),
        429 if is_used_up(error) => Some("insufficient_quota"),
        _ => None,
    }
}

/// A quota that a short wait does not bring back: a day's, or one that there is none of.
fn is_used_up(error: &UpstreamError) -> bool {
    let gone = |violation: &Violation| violation.quota.contains("PerDay") || violation.value == Some(0);
    error.violations.iter().any(gone) || error.says(&["per day", "limit: 0,", "limit: 0\n"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(status: u16, body: &str) -> (String, String) {
        let google = UpstreamError::parse(body.as_bytes());
        let error: serde_json::Value =
            serde_json::from_str(&error_body(status, google.as_ref(), "own")).unwrap();
        let text = |name: &str| error["error"][name].as_str().unwrap().to_owned();
        assert!(error["error"]["param"].is_null() && !text("message").is_empty());
        (text("type"), text("code"))
    }

    #[test]
    fn what_google_says_has_openais_name() {
        for (status, google, kind, code) in [
            (
                400,
                r#"{"error":{"message":"API key not valid. Please pass a valid API key.","details":[{"reason":"API_KEY_INVALID"}]}}"#,
                "authentication_error",
                "invalid_api_key",
            ),
            (
                400,
                r#"{"error":{"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."}}"#,
                "invalid_request_error",
                "context_length_exceeded",
            ),
            (
                400,
                r#"{"error":{"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}"#,
                "invalid_request_error",
                "unsupported_country_region_territory",
            ),
            (
                400,
                r#"{"error":{"message":"The prompt violates Google's Responsible AI practices."}}"#,
                "invalid_request_error",
                "content_policy_violation",
            ),
            (
                400,
                r#"{"error":{"message":"Invalid value","status":"INVALID_ARGUMENT"}}"#,
                "invalid_request_error",
                "invalid_argument",
            ),
            (401, r#"{"error":{"status":"UNAUTHENTICATED"}}"#, "authentication_error", "invalid_api_key"),
            (403, r#"{"error":{"status":"PERMISSION_DENIED"}}"#, "permission_error", "permission_denied"),
            (
                404,
                r#"[{"error":{"message":"models/gemini-0 is not found for API version v1beta","status":"NOT_FOUND"}}]"#,
                "not_found_error",
                "model_not_found",
            ),
            (
                404,
                r#"{"error":{"message":"Requested entity was not found.","status":"NOT_FOUND"}}"#,
                "not_found_error",
                "not_found",
            ),
            (
                429,
                r#"{"error":{"message":"Quota exceeded.","status":"RESOURCE_EXHAUSTED"}}"#,
                "rate_limit_error",
                "rate_limit_exceeded",
            ),
            (
                429,
                r#"{"error":{"details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier","quotaValue":"50"}]}]}}"#,
                "insufficient_quota",
                "insufficient_quota",
            ),
            (
                429,
                r#"{"error":{"details":[{"violations":[{"quotaId":"PerMinute","quotaValue":"0"}]}]}}"#,
                "insufficient_quota",
                "insufficient_quota",
            ),
            (
                429,
                r#"{"error":{"message":"Quota exceeded, limit: 0, model: x"}}"#,
                "insufficient_quota",
                "insufficient_quota",
            ),
            (500, r#"{"error":{"status":"INTERNAL"}}"#, "server_error", "internal"),
            (503, "<html>", "server_error", "unavailable"),
            (404, "", "not_found_error", "not_found"),
        ] {
            assert_eq!(named(status, google), (kind.to_owned(), code.to_owned()), "{status} {google}");
        }
    }

    #[test]
    fn googles_message_counts_before_ours() {
        let google = UpstreamError::in_words("theirs");
        assert!(error_body(500, Some(&google), "ours").contains("theirs"));
        assert!(error_body(500, Some(&UpstreamError::default()), "ours").contains("ours"));
    }
}

//! What Google answers, as the core reads it: real-shaped error bodies through the core's own parser. Who gets which
//! answer is decided elsewhere.

use std::time::Duration;

use aggregator_core::dispatch::judge::Outcome;
use aggregator_core::dispatch::upstream_error::UpstreamError;

pub const MINUTE_QUOTA: &str = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";
pub const DAY_QUOTA: &str = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";

pub fn ok() -> Outcome {
    Outcome::Answered { status: 200, error: None, retry_after: None }
}

/// `delay` is what RetryInfo says; a daily violation has a short one beside it.
pub fn quota(quota: &str, delay: Duration, project: Option<&str>) -> Outcome {
    refused(429, &quota_body(quota, delay, project))
}

/// The same at the end of a stream that began well.
pub fn late_quota(quota: &str, delay: Duration) -> Outcome {
    late(&quota_body(quota, delay, None))
}

pub fn late_busy() -> Outcome {
    late(r#"{"error":{"code":503,"status":"UNAVAILABLE","message":"The model is overloaded."}}"#)
}

pub fn key_invalid() -> Outcome {
    let body = r#"{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"API key not valid. Please pass a valid API key.",
        "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#;
    refused(400, body)
}

pub fn model_gone(model: &str) -> Outcome {
    let body = format!(
        r#"{{"error":{{"code":404,"status":"NOT_FOUND","message":"models/{model} is not found for API version v1beta"}}}}"#
    );
    refused(404, &body)
}

pub fn busy() -> Outcome {
    refused(503, r#"{"error":{"code":503,"status":"UNAVAILABLE","message":"The model is overloaded."}}"#)
}

pub fn internal() -> Outcome {
    refused(500, r#"{"error":{"code":500,"status":"INTERNAL","message":"An internal error has occurred."}}"#)
}

pub fn location() -> Outcome {
    let body = r#"{"error":{"code":400,"status":"FAILED_PRECONDITION","message":"User location is not supported for the API use."}}"#;
    refused(400, body)
}

/// The caller's own mistakes.
pub fn callers(which: bool) -> Outcome {
    match which {
        true => {
            refused(400, r#"{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"bad field 'x'"}}"#)
        }
        false => {
            let body = r#"{"error":{"code":403,"status":"PERMISSION_DENIED","message":"You do not have permission to access the File x or it may not exist."}}"#;
            refused(403, body)
        }
    }
}

fn quota_body(quota: &str, delay: Duration, project: Option<&str>) -> String {
    let consumer = project.map(|name| {
        format!(r#",{{"reason":"RATE_LIMIT_EXCEEDED","metadata":{{"consumer":"projects/{name}"}}}}"#)
    });
    format!(
        r#"{{"error":{{"code":429,"status":"RESOURCE_EXHAUSTED","message":"You exceeded your current quota.","details":[
            {{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{{"quotaId":"{quota}","quotaValue":"10"}}]}},
            {{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{}.{:03}s"}}{}]}}}}"#,
        delay.as_secs(),
        delay.subsec_millis(),
        consumer.unwrap_or_default()
    )
}

fn refused(status: u16, body: &str) -> Outcome {
    Outcome::Answered { status, error: Some(Box::new(parsed(body))), retry_after: None }
}

fn late(body: &str) -> Outcome {
    Outcome::StreamError(Box::new(parsed(body)))
}

fn parsed(body: &str) -> UpstreamError {
    UpstreamError::parse(body.as_bytes()).expect("a body in Google's shape")
}

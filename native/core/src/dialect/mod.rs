//! The languages clients speak. This is the one place that turns an error made here into each dialect's own
//! shape, so that a client's ordinary error handling understands it.

pub mod gemini;
pub mod json;
pub mod openai;
pub mod translation;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Gemini,
    OpenAi,
    Anthropic,
    /// The admin API's own.
    Admin,
}

/// An error made here, before any dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub status: StatusCode,
    /// A whole sentence for the user: what, where, what to do.
    pub message: String,
    pub retry_after_seconds: Option<u64>,
}

impl ApiError {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after_seconds: None }
    }

    pub fn encode(&self, dialect: Dialect) -> Response<Bytes> {
        let code = self.status.as_u16();
        let body = match dialect {
            Dialect::Gemini => self.as_google(),
            Dialect::OpenAi => return self.response(openai::error::error_body(code, None, &self.message)),
            Dialect::Admin => serde_json::json!({
                "error": { "code": google_status(code).to_ascii_lowercase(), "message": self.message }
            }),
            Dialect::Anthropic => serde_json::json!({
                "type": "error", "error": { "type": anthropic_type(code), "message": self.message }
            }),
        };
        self.response(body.to_string())
    }

    fn response(&self, body: String) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.status;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl ApiError {
    /// With the wait where Google's own clients look for it, too.
    fn as_google(&self) -> serde_json::Value {
        let mut error = serde_json::json!({
            "code": self.status.as_u16(), "message": self.message, "status": google_status(self.status.as_u16())
        });
        if let Some(seconds) = self.retry_after_seconds {
            error["details"] = serde_json::json!([{
                "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{seconds}s")
            }]);
        }
        serde_json::json!({ "error": error })
    }
}

/// google.rpc.Code for an HTTP status, after the table in google/rpc/code.proto.
fn google_status(status: u16) -> &'static str {
    match status {
        400 | 413 | 421 | 431 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 | 405 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        501 => "UNIMPLEMENTED",
        502 | 503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "INTERNAL",
    }
}

fn openai_type(code: u16) -> &'static str {
    match code {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        400..500 => "invalid_request_error",
        _ => "server_error",
    }
}

fn anthropic_type(code: u16) -> &'static str {
    match code {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        400..500 => "invalid_request_error",
        _ => "api_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_gets_its_own_shape() {
        let error = ApiError {
            retry_after_seconds: Some(7),
            ..ApiError::new(StatusCode::TOO_MANY_REQUESTS, "Wait.")
        };
        let body =
            |dialect| -> serde_json::Value { serde_json::from_slice(error.encode(dialect).body()).unwrap() };
        assert_eq!(body(Dialect::Gemini)["error"]["status"], "RESOURCE_EXHAUSTED");
        assert_eq!(body(Dialect::OpenAi)["error"]["type"], "rate_limit_error");
        assert_eq!(body(Dialect::Anthropic)["error"]["type"], "rate_limit_error");
        assert_eq!(error.encode(Dialect::Gemini).headers().get(RETRY_AFTER).unwrap(), "7");
    }
}

//! What the admin API answers: an object with its version, nothing, or an error with a code, words and the field that is
//! wrong. How refusals become statuses is decided here, once. It knows no route.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde::Serialize;

use crate::command::{Refusal, RefusalCode};
use crate::dialect::ApiError;
use crate::dispatch::reply::ReplyBody;

pub type Answer = Response<ReplyBody>;

/// An error, before it is JSON.
#[derive(Debug)]
pub struct Fault {
    pub status: StatusCode,
    code: &'static str,
    message: String,
    /// Of the field of the body, the parameter or the header that is wrong.
    path: Option<String>,
    /// What a 405 allows.
    allow: Option<String>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
}

impl Fault {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, code: code_of(status), message: message.into(), path: None, allow: None }
    }

    pub fn invalid(path: &str, message: impl Into<String>) -> Self {
        Self { path: Some(path.to_owned()), ..Self::new(StatusCode::BAD_REQUEST, message) }
    }

    pub fn not_allowed(allow: String) -> Self {
        let words = format!("This path does not take that method; it takes {allow}.");
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, words) }
    }

    pub fn reply(self) -> Answer {
        let error = ErrorObject { code: self.code, message: &self.message, path: self.path.as_deref() };
        let mut answer = object(self.status, &ErrorBody { error }, None);
        if let Some(Ok(allow)) = self.allow.map(HeaderValue::try_from) {
            answer.headers_mut().insert(header::ALLOW, allow);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        answer
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let (status, code) = match refusal.code {
            RefusalCode::Invalid => (StatusCode::BAD_REQUEST, "invalid"),
            RefusalCode::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            RefusalCode::Duplicate => (StatusCode::CONFLICT, "duplicate"),
            RefusalCode::Changed => (StatusCode::PRECONDITION_FAILED, "changed"),
            RefusalCode::NotSaved => (StatusCode::SERVICE_UNAVAILABLE, "not_saved"),
            RefusalCode::Failed => (StatusCode::CONFLICT, "failed"),
        };
        Self { status, code, message: refusal.message, path: refusal.field, allow: None }
    }
}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        Self::new(error.status, error.message)
    }
}

fn code_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "unauthenticated",
        403 => "permission_denied",
        404 => "not_found",
        405 => "method_not_allowed",
        413 => "too_large",
        415 => "unsupported_media_type",
        421 => "wrong_host",
        500.. => "internal",
        _ => "invalid",
    }
}

/// JSON, with the version of what it shows.
pub fn object<T: Serialize>(status: StatusCode, value: &T, version: Option<&str>) -> Answer {
    let text = serde_json::to_vec(value).unwrap_or_default();
    let mut answer = Response::new(ReplyBody::whole(Bytes::from(text)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    // A version tells what was entered; the figures beside it change all the time.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(version) = version {
        with(&mut answer, header::ETAG, format!("\"{version}\""));
    }
    answer
}

pub fn with(answer: &mut Answer, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// Done, and nothing to show for it.
pub fn nothing() -> Answer {
    let mut answer = Response::new(ReplyBody::whole(Bytes::new()));
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

/// What a change that has no object of its own says.
#[derive(Serialize)]
pub struct Said {
    pub message: String,
}

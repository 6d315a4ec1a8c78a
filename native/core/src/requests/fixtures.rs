//! Requests for unit tests: whole, plain, and told apart by their number. Tests only.

use super::{AttemptView, DialectView, RequestView};

/// Answered at once by "key 1" through proxy `p1`.
pub fn request(number: u32) -> RequestView {
    RequestView {
        id: format!("run-{number}").into(),
        at: 0,
        method: "POST".into(),
        path: "/v1beta/models/gemini-3.8-flash:generateContent".into(),
        dialect: DialectView::Gemini,
        model: Some("gemini-3.8-flash".into()),
        client: Some("curl/8.14.1".into()),
        status: 200,
        duration_ms: 30,
        first_byte_ms: Some(20),
        tokens: None,
        error: None,
        attempts: vec![attempt("k1", Some("p1"))],
    }
}

pub fn attempt(key: &str, proxy: Option<&str>) -> AttemptView {
    AttemptView {
        key_id: key.into(),
        key_name: format!("Key of {key}").into(),
        proxy_id: proxy.map(Into::into),
        proxy_name: proxy.map(Into::into),
        direct_fallback: false,
        status: Some(200),
        error: None,
        duration_ms: 10,
    }
}

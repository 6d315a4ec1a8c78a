//! How a session begins: whether a request asks for a WebSocket at all, and whether it carries an ephemeral token, the
//! credential that Google makes for clients that must not hold a key. It reads the head of a request and decides
//! nothing; who may use which token is the guard's and the affinity's to say. Pure.

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Version};

use crate::dispatch::judge::Outcome;
use crate::dispatch::upstream_error::UpstreamError;

const TOKEN_COLLECTION: &str = "auth_tokens/";
const TOKEN_PARAMETER: &str = "access_token";

/// With which credential a session is opened at the upstream, in place of the client's.
#[derive(Clone, Debug)]
pub enum Opening {
    /// The key, in its header.
    WithKey,
    /// An ephemeral token, already part of the target's query.
    WithTokenInQuery,
    /// An ephemeral token, as this value of Authorization.
    WithTokenInHeader(HeaderValue),
}

impl Opening {
    /// The upstream sees a token of the client's and no key: what it refuses is the token.
    pub fn is_without_key(&self) -> bool {
        !matches!(self, Self::WithKey)
    }
}

/// An ephemeral token and where the client put it.
#[derive(Clone, Debug)]
pub struct EphemeralToken {
    /// `auth_tokens/…`
    pub name: String,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    /// The part of the query, as the client wrote it.
    Query(String),
    Header(HeaderValue),
}

impl EphemeralToken {
    /// The first one that `parts` carries. Python's client sends it as an API key as well; once is enough.
    pub fn of(parts: &Parts) -> Option<Self> {
        in_query(parts.uri.query().unwrap_or_default()).or_else(|| in_header(&parts.headers))
    }

    /// What goes upstream: the part of the query, if it is one, and the way of opening.
    pub fn opening(self) -> (Option<String>, Opening) {
        match self.place {
            Place::Query(part) => (Some(part), Opening::WithTokenInQuery),
            Place::Header(value) => (None, Opening::WithTokenInHeader(value)),
        }
    }
}

fn in_query(query: &str) -> Option<EphemeralToken> {
    query.split('&').find_map(|part| {
        let (name, value) = url::form_urlencoded::parse(part.as_bytes()).next()?;
        let is_token = name == TOKEN_PARAMETER && value.starts_with(TOKEN_COLLECTION);
        is_token.then(|| EphemeralToken { name: value.into_owned(), place: Place::Query(part.to_owned()) })
    })
}

fn in_header(headers: &HeaderMap) -> Option<EphemeralToken> {
    headers.get_all(header::AUTHORIZATION).iter().find_map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("token") || !token.starts_with(TOKEN_COLLECTION) {
            return None;
        }
        let mut value = value.clone();
        value.set_sensitive(true);
        Some(EphemeralToken { name: token.to_owned(), place: Place::Header(value) })
    })
}

/// The same outcome where the client's own token was the one credential: its refusal says nothing about the key.
pub fn of_token(outcome: Outcome) -> Outcome {
    let refused = |status: u16| {
        let status = format!("the ephemeral token was refused ({status})");
        Box::new(UpstreamError { code: Some(400), status, ..UpstreamError::default() })
    };
    match outcome {
        Outcome::Answered { status: status @ (400 | 401 | 403), .. } => {
            Outcome::Answered { status: 400, error: Some(refused(status)), retry_after: None }
        }
        Outcome::StreamError(error) if matches!(error.code, Some(400 | 403)) => {
            Outcome::StreamError(refused(400))
        }
        other => other,
    }
}

/// Whether this is a WebSocket's opening handshake (RFC 6455 §4.1), and without a body, which could pass for frames.
pub fn asks_for_websocket(parts: &Parts) -> bool {
    let names = |name: header::HeaderName, wanted: &str| {
        let values = parts.headers.get_all(name);
        let mut tokens =
            values.iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
        tokens.any(|token| token.trim().eq_ignore_ascii_case(wanted))
    };
    let has_body = parts.headers.contains_key(header::TRANSFER_ENCODING)
        || parts.headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    parts.method == Method::GET
        && parts.version == Version::HTTP_11
        && names(header::CONNECTION, "upgrade")
        && names(header::UPGRADE, "websocket")
        && !has_body
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::super::close::Close;
    use super::*;
    use crate::dispatch::judge::{Blame, judge};

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let request = headers
            .iter()
            .fold(Request::builder().uri(uri), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_token_is_found_in_both_places_and_kept_as_it_was_written() {
        let query = EphemeralToken::of(&parts("/ws/x?a=1&access_token=auth_tokens%2Fab-1", &[])).unwrap();
        assert_eq!(query.name, "auth_tokens/ab-1");
        let (part, opening) = query.opening();
        assert_eq!(part.as_deref(), Some("access_token=auth_tokens%2Fab-1"));
        assert!(opening.is_without_key());
        let header =
            EphemeralToken::of(&parts("/ws/x", &[("authorization", "Token auth_tokens/ab")])).unwrap();
        assert_eq!(header.name, "auth_tokens/ab");
        assert!(matches!(header.opening(), (None, Opening::WithTokenInHeader(_))));
        for (uri, value) in [
            ("/ws/x?access_token=ya29.x", "Bearer auth_tokens/ab"),
            ("/ws/x?key=auth_tokens/ab", "Token local-token"),
        ] {
            assert!(EphemeralToken::of(&parts(uri, &[("authorization", value)])).is_none(), "{uri}");
        }
    }

    #[test]
    fn a_refused_token_is_not_charged_to_the_key_but_a_quota_is() {
        let blame = |status, message: &str| {
            let error = Some(Box::new(UpstreamError::in_words(message)));
            judge(&of_token(Outcome::Answered { status, error, retry_after: None })).blame
        };
        assert_eq!(blame(401, ""), Blame::Caller);
        assert_eq!(blame(400, "API key not valid."), Blame::Caller);
        assert_eq!(blame(429, ""), Blame::Quota);
        assert_eq!(blame(503, ""), Blame::Upstream);
        let closed = |reason: &str| Close { code: Some(1008), reason: reason.to_owned() }.outcome();
        assert_eq!(judge(&of_token(closed("API key not valid."))).blame, Blame::Caller);
        assert_eq!(judge(&of_token(closed("You exceeded your current quota"))).blame, Blame::Quota);
    }

    #[test]
    fn only_a_handshake_without_a_body_asks_for_a_websocket() {
        let handshake = [("connection", "keep-alive, Upgrade"), ("upgrade", "WebSocket")];
        assert!(asks_for_websocket(&parts("/ws/x", &handshake)));
        assert!(!asks_for_websocket(&parts("/ws/x", &handshake[..1])));
        assert!(!asks_for_websocket(&parts("/ws/x", &handshake[1..])));
        for body in [("content-length", "5"), ("transfer-encoding", "chunked")] {
            assert!(!asks_for_websocket(&parts("/ws/x", &[handshake[0], handshake[1], body])));
        }
    }
}

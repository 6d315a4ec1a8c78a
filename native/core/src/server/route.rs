//! Which room answers a path, and in which dialect an error is said. Gemini and OpenAI share `/v1/models`: they
//! are told apart by the style of the credential. Pure.

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName};

use crate::dialect::openai::Endpoint;
use crate::dialect::{Dialect, gemini};
use crate::forward::headers::API_KEY;
use crate::live;
use crate::server::admin;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    Health,
    Admin,
    /// Passed through to the upstream.
    Gemini,
    /// Translated here.
    OpenAi(Endpoint),
    /// A WebSocket that becomes a tunnel.
    Live,
    /// Understood, but nobody answers it here; the words say what to use.
    NotServed(Dialect, &'static str),
}

const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");

const NO_OPENAI: &str = "This part of the OpenAI API is not served. Served are /v1/chat/completions, /v1/completions, \
                         /v1/embeddings, /v1/models and /v1/images/generations; for the rest use the Gemini API under the \
                         same address.";
const NO_ANTHROPIC: &str =
    "The Anthropic Messages dialect is not served. Use the Gemini API under the same address.";
const NO_SOCKET: &str = "There is no WebSocket at this path. The Live API's are \
     /ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent and its siblings.";
const UNKNOWN: &str =
    "There is nothing at this path. Gemini's paths begin with /v1, /v1beta or /v1alpha; check the base URL.";

/// `path` as `gemini::canonical_path` gives it.
pub fn route(path: &str, headers: &HeaderMap) -> Route {
    let anthropic = || headers.contains_key(ANTHROPIC_VERSION);
    if path == "/health" {
        return Route::Health;
    }
    if let Some(endpoint) = Endpoint::of(path, || is_bearer(headers)).filter(|_| !anthropic()) {
        return Route::OpenAi(endpoint);
    }
    if Endpoint::has_no_translation(path) {
        return Route::NotServed(Dialect::OpenAi, NO_OPENAI);
    }
    if path.starts_with("/v1/messages") || (path.starts_with("/v1/") && anthropic()) {
        return Route::NotServed(Dialect::Anthropic, NO_ANTHROPIC);
    }
    if path.starts_with("/ws/") {
        return if live::owns(path) { Route::Live } else { Route::NotServed(Dialect::Gemini, NO_SOCKET) };
    }
    if admin::owns(path) {
        return Route::Admin;
    }
    if gemini::owns(path) { Route::Gemini } else { Route::NotServed(Dialect::Gemini, UNKNOWN) }
}

/// The dialect in which errors on this path are said.
pub fn dialect_of(route: &Route, path: &str) -> Dialect {
    match route {
        Route::NotServed(dialect, _) => *dialect,
        Route::Admin => Dialect::Admin,
        Route::OpenAi(_) => Dialect::OpenAi,
        Route::Gemini if path.starts_with("/v1beta/openai/") => Dialect::OpenAi,
        Route::Gemini | Route::Live | Route::Health => Dialect::Gemini,
    }
}

fn is_bearer(headers: &HeaderMap) -> bool {
    !headers.contains_key(API_KEY) && headers.contains_key(AUTHORIZATION)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_shared_path_is_told_apart_by_the_credential() {
        let mut bearer = HeaderMap::new();
        bearer.insert("authorization", HeaderValue::from_static("Bearer t"));
        assert_eq!(route("/v1/models", &HeaderMap::new()), Route::Gemini);
        assert_eq!(route("/v1/models", &bearer), Route::OpenAi(Endpoint::Models));
        bearer.insert("x-goog-api-key", HeaderValue::from_static("t"));
        assert_eq!(route("/v1/models", &bearer), Route::Gemini);
    }

    #[test]
    fn only_the_live_apis_own_paths_become_tunnels() {
        let path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
        assert_eq!(route(path, &HeaderMap::new()), Route::Live);
        assert!(matches!(route("/ws/other", &HeaderMap::new()), Route::NotServed(Dialect::Gemini, _)));
    }

    #[test]
    fn what_is_not_served_says_so_in_its_own_dialect() {
        let of = |path: &str| dialect_of(&route(path, &HeaderMap::new()), path);
        assert_eq!(of("/v1/chat/completions"), Dialect::OpenAi);
        assert_eq!(of("/v1beta/openai/chat/completions"), Dialect::OpenAi);
        for base in ["/v1", "/v1beta/openai", ""] {
            assert_eq!(of(&format!("{base}/responses")), Dialect::OpenAi, "{base}");
        }
        assert_eq!(of("/v1/messages"), Dialect::Anthropic);
        assert_eq!(of("/nowhere"), Dialect::Gemini);
    }
}

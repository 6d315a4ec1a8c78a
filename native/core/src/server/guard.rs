//! Who may speak to the endpoint: the Host allowlist against DNS rebinding, foreign Origins against web pages, and
//! the local token. It sees the head of a request only and opens nothing.
//!
//! Invariant: every check here is made before a byte of the body is read.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{self, HeaderMap, HeaderName};
use http::request::Parts;
use http::{StatusCode, Uri};
use parking_lot::RwLock;

use crate::dialect::ApiError;
use crate::forward::headers::API_KEY;
use crate::live::opening::EphemeralToken;
use crate::secret::Secret;
use crate::settings::LocalAuth;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

pub struct Guard {
    hosts: Hosts,
    /// `localAuth: off`: no token is asked for.
    open: AtomicBool,
    tokens: RwLock<Vec<Secret>>,
    admin: RwLock<AdminAccess>,
}

/// What opens the admin API.
#[derive(Clone, PartialEq, Eq)]
pub enum AdminAccess {
    /// The local token: in the editor its owner is the only one who has it.
    LocalToken,
    /// A token of its own, which is worth nothing on the data plane; without one nobody is answered.
    Own(Option<Secret>),
}

enum Hosts {
    /// Exactly these, as a client on this machine writes them.
    Only(Vec<String>),
    /// Bound beyond loopback: reached under names not known here, and the token is mandatory there.
    Any,
}

/// Why an endpoint may not be opened like this, in words.
#[derive(Debug, PartialEq, Eq)]
pub struct Unguarded(pub String);

impl Guard {
    /// `bound` is the address in use, its port included.
    pub fn new(
        bound: SocketAddr,
        local_auth: LocalAuth,
        tokens: Vec<Secret>,
        admin: AdminAccess,
    ) -> Result<Self, Unguarded> {
        allowed(bound, local_auth, &tokens)?;
        let port = bound.port();
        let hosts = if bound.ip().is_loopback() {
            let mut names: Vec<String> =
                ["127.0.0.1", "localhost", "[::1]"].iter().map(|name| format!("{name}:{port}")).collect();
            names.push(bound.to_string());
            Hosts::Only(names)
        } else {
            Hosts::Any
        };
        let open = AtomicBool::new(local_auth == LocalAuth::Off);
        Ok(Self { hosts, open, tokens: RwLock::new(tokens), admin: RwLock::new(admin) })
    }

    /// From the next request on. Whoever calls it has asked [`allowed`] before.
    pub fn set_access(&self, local_auth: LocalAuth, tokens: Vec<Secret>, admin: AdminAccess) {
        self.set_tokens(tokens);
        *self.admin.write() = admin;
        self.open.store(local_auth == LocalAuth::Off, Ordering::Relaxed);
    }

    pub fn set_tokens(&self, tokens: Vec<Secret>) {
        *self.tokens.write() = tokens;
    }

    /// Host and Origin: for every path, `/health` included. Answers the host the client used.
    pub fn check_source(&self, parts: &Parts) -> Result<String, ApiError> {
        let host = self.check_host(&parts.uri, &parts.headers)?;
        self.check_origin(&parts.headers, &host)?;
        Ok(host)
    }

    /// The local token, by any of the four ways clients send it. An ephemeral token that this endpoint handed out is
    /// asked for before, and stands in for it.
    pub fn check_token(&self, parts: &Parts) -> Result<(), ApiError> {
        if self.open.load(Ordering::Relaxed) {
            return Ok(());
        }
        let tokens = self.tokens.read();
        if offered_tokens(parts).any(|text| tokens.iter().any(|token| token.matches(&text))) {
            return Ok(());
        }
        let words = if EphemeralToken::of(parts).is_some() {
            "The ephemeral token sent opens Live sessions only, and only if it was made through this endpoint. Make it with \
             authTokens.create under this endpoint's address, or use this endpoint's local token."
        } else if offered_tokens(parts).next().is_none() {
            "This endpoint needs its local token as the API key. Copy it with the command \"Gemini Aggregator: Copy Local \
             Token\" (headless: one of server.accessTokens) and set it as the API key of your tool."
        } else {
            "The API key sent is not this endpoint's local token. Copy the token with the command \"Gemini Aggregator: Copy \
             Local Token\" (headless: one of server.accessTokens); Google's keys stay inside the aggregator."
        };
        Err(ApiError::new(StatusCode::UNAUTHORIZED, words))
    }

    /// The admin token, as a bearer only. It is asked for whatever `localAuth` says.
    pub fn check_admin(&self, parts: &Parts) -> Result<(), ApiError> {
        let offered: Vec<&str> = bearers(&parts.headers).collect();
        let opens = |token: &Secret| offered.iter().any(|text| token.matches(text));
        let words = match &*self.admin.read() {
            AdminAccess::LocalToken if self.tokens.read().iter().any(opens) => return Ok(()),
            AdminAccess::Own(Some(token)) if opens(token) => return Ok(()),
            AdminAccess::LocalToken => {
                "The admin API needs the local token as a bearer (Authorization: Bearer …). Copy it with the command \
                 \"Gemini Aggregator: Copy Local Token\"."
            }
            AdminAccess::Own(Some(_)) => {
                "The admin API needs its own token as a bearer (Authorization: Bearer …): server.adminToken. An access token \
                 does not open it."
            }
            AdminAccess::Own(None) => {
                "The admin API is closed, for no admin token is set. Set server.adminToken or GEMINI_AGGREGATOR_ADMIN_TOKEN."
            }
        };
        Err(ApiError::new(StatusCode::UNAUTHORIZED, words))
    }

    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<String, ApiError> {
        let wrong = |words: &str| ApiError::new(StatusCode::MISDIRECTED_REQUEST, words);
        let mut given = headers.get_all(header::HOST).iter();
        let host =
            given.next().and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        if host.is_empty() || given.next().is_some() {
            return Err(wrong("The request has no Host header, or several; send exactly one."));
        }
        let authority = uri.authority().map(|authority| authority.as_str().to_ascii_lowercase());
        if authority.is_some_and(|authority| authority != host) {
            return Err(wrong("The request's target names another host than its Host header."));
        }
        match &self.hosts {
            Hosts::Only(names) if !names.contains(&host) => Err(wrong(
                "This endpoint answers only under its own address (127.0.0.1 or localhost with its port). Use that as the \
                 base URL.",
            )),
            _ => Ok(host),
        }
    }

    fn check_origin(&self, headers: &HeaderMap, host: &str) -> Result<(), ApiError> {
        if !headers.contains_key(header::ORIGIN) {
            return Ok(());
        }
        let own = [format!("http://{host}"), format!("https://{host}")];
        let foreign = headers
            .get_all(header::ORIGIN)
            .iter()
            .any(|origin| !origin.to_str().is_ok_and(|origin| own.iter().any(|own| own == origin)));
        if foreign {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "Requests from web pages are refused. Call this endpoint from a program on this machine.",
            ));
        }
        Ok(())
    }
}

/// Whether an endpoint may be open at this address: beyond loopback only with a token.
pub fn allowed(bound: SocketAddr, local_auth: LocalAuth, tokens: &[Secret]) -> Result<(), Unguarded> {
    if !bound.ip().is_loopback() && local_auth == LocalAuth::Off {
        return Err(Unguarded(format!(
            "localAuth: off is allowed on loopback only, and {bound} is reachable from outside. Set localAuth: token \
             and an access token, or bind 127.0.0.1."
        )));
    }
    if local_auth == LocalAuth::Token && tokens.is_empty() {
        return Err(Unguarded(format!(
            "No access token is set for {bound}. Set server.accessTokens or GEMINI_AGGREGATOR_ACCESS_TOKEN."
        )));
    }
    Ok(())
}

/// One after the other: the first is right as a rule, and none is looked for in vain.
fn offered_tokens(parts: &Parts) -> impl Iterator<Item = Cow<'_, str>> {
    let named = |name: HeaderName| {
        let values = parts.headers.get_all(name).iter();
        values.filter_map(|value| value.to_str().ok()).map(Cow::Borrowed)
    };
    let in_query = || {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.filter(|(name, _)| name == "key").map(|(_, value)| value)
    };
    named(API_KEY)
        .chain(std::iter::once_with(move || named(X_API_KEY)).flatten())
        .chain(std::iter::once_with(|| bearers(&parts.headers).map(Cow::Borrowed)).flatten())
        .chain(std::iter::once_with(in_query).flatten())
}

fn bearers(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| value.to_str().ok()).filter_map(
        |value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        },
    )
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn guard() -> Guard {
        let bound = "127.0.0.1:3146".parse().unwrap();
        Guard::new(bound, LocalAuth::Token, vec![Secret::new("local-token")], AdminAccess::LocalToken)
            .unwrap()
    }

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn source(headers: &[(&str, &str)]) -> u16 {
        guard()
            .check_source(&parts("/v1/models", headers))
            .map_or_else(|error| error.status.as_u16(), |_| 200)
    }

    #[test]
    fn only_its_own_names_with_its_port_are_answered() {
        for good in ["127.0.0.1:3146", "localhost:3146", "LOCALHOST:3146", "[::1]:3146"] {
            assert_eq!(source(&[("host", good)]), 200, "{good}");
        }
        for bad in [
            "evil.example",
            "evil.example:3146",
            "127.0.0.1",
            "127.0.0.1:80",
            "0.0.0.0:3146",
            "localhost.:3146",
        ] {
            assert_eq!(source(&[("host", bad)]), 421, "{bad}");
        }
        assert_eq!(source(&[]), 421);
        assert_eq!(source(&[("host", "127.0.0.1:3146"), ("host", "evil.example")]), 421);
    }

    #[test]
    fn a_foreign_origin_is_refused_even_when_opaque() {
        let host = ("host", "127.0.0.1:3146");
        for foreign in ["https://evil.example", "null", "http://127.0.0.1", "http://localhost:9999"] {
            assert_eq!(source(&[host, ("origin", foreign)]), 403, "{foreign}");
        }
        for own in ["http://127.0.0.1:3146", "https://127.0.0.1:3146"] {
            assert_eq!(source(&[host, ("origin", own)]), 200, "{own}");
        }
    }

    #[test]
    fn the_token_is_taken_in_each_of_its_four_ways() {
        let check = |uri: &str, headers: &[(&str, &str)]| guard().check_token(&parts(uri, headers)).is_ok();
        assert!(check("/v1/models?key=local-token", &[]));
        assert!(check("/v1/models", &[("x-goog-api-key", "local-token")]));
        assert!(check("/v1/models", &[("x-api-key", "local-token")]));
        assert!(check("/v1/models", &[("authorization", "bearer local-token")]));
        assert!(!check("/v1/models", &[]));
        assert!(!check("/v1/models", &[("x-goog-api-key", "local-toke")]));
        assert!(!check("/v1/models", &[("authorization", "Basic local-token")]));
    }

    #[test]
    fn the_admin_api_opens_to_its_own_token_only() {
        let bound = "127.0.0.1:3146".parse().unwrap();
        let tokens = || vec![Secret::new("local-token")];
        let opens = |local_auth, admin: AdminAccess, token: &str| {
            let guard = Guard::new(bound, local_auth, tokens(), admin).unwrap();
            let bearer = format!("Bearer {token}");
            guard.check_admin(&parts("/admin/metrics", &[("authorization", &bearer)])).is_ok()
        };
        let own = || AdminAccess::Own(Some(Secret::new("admin-token")));
        assert!(opens(LocalAuth::Token, own(), "admin-token"));
        assert!(!opens(LocalAuth::Token, own(), "local-token"));
        assert!(!opens(LocalAuth::Off, own(), "nothing"), "localAuth: off opens the data plane only");
        assert!(!opens(LocalAuth::Token, AdminAccess::Own(None), ""));
        assert!(opens(LocalAuth::Off, AdminAccess::LocalToken, "local-token"));
        let guard = Guard::new(bound, LocalAuth::Token, tokens(), own()).unwrap();
        assert!(guard.check_token(&parts("/v1/models", &[("x-goog-api-key", "admin-token")])).is_err());
        assert!(guard.check_admin(&parts("/admin/metrics?key=admin-token", &[])).is_err(), "never in a URL");
    }

    #[test]
    fn an_open_door_is_refused() {
        let outside = "0.0.0.0:3146".parse().unwrap();
        let token = || vec![Secret::new("local-token")];
        let guard =
            |bound, local_auth, tokens| Guard::new(bound, local_auth, tokens, AdminAccess::LocalToken);
        assert!(guard(outside, LocalAuth::Off, token()).is_err());
        assert!(guard(outside, LocalAuth::Token, vec![]).is_err());
        assert!(guard(outside, LocalAuth::Token, token()).is_ok());
        assert!(guard("127.0.0.1:1".parse().unwrap(), LocalAuth::Off, vec![]).is_ok());
    }
}

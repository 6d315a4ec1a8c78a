//! Which headers and query parameters cross this endpoint, in each direction. Pure: no sockets, no choice of key.
//!
//! Invariant: exactly one credential goes upstream, in the header `x-goog-api-key` but for an ephemeral Live token, which
//! stays where the client put it; Google answers two with 400.
//! Invariant: hop-by-hop headers, and those that Connection names, are dropped before the credential is set, so
//! that no client can make a proxy strip it.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::live::opening::Opening;
use crate::secret::Secret;

pub const API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");
const OWN_PREFIX: &str = "x-aggregator-";

/// RFC 9110 §7.6.1 and its predecessors.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Local to the client and this endpoint: credentials, the local address, and what is decided anew here.
const NOT_FOR_UPSTREAM: [&str; 9] = [
    "x-goog-api-key",
    "authorization",
    "x-api-key",
    "cookie",
    "host",
    "origin",
    "referer",
    "expect",
    "accept-encoding",
];

/// Would send the client around this endpoint, or bind it to a host that is not ours.
const NOT_FOR_CLIENT: [&str; 3] = ["alt-svc", "strict-transport-security", "set-cookie"];

/// Query parameters that carry credentials.
const CREDENTIAL_PARAMETERS: [&str; 2] = ["key", "access_token"];

/// Whether the upstream may compress its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The answer is read or rewritten here.
    Identity,
    /// The client decodes gzip itself; the answer passes as it is.
    Gzip,
}

/// Gzip only when the client takes it and nothing here has to read the answer. Other codings are never asked
/// for: an error body in them could not be read.
pub fn encoding_for(client: &HeaderMap, read_here: bool) -> Encoding {
    let takes_gzip = client.get_all(header::ACCEPT_ENCODING).iter().any(|value| {
        let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
        text.split(',').any(|part| {
            let mut pieces = part.split(';').map(str::trim);
            let coding = pieces.next().unwrap_or_default();
            let refused = pieces.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            matches!(coding, "gzip" | "x-gzip" | "*") && !refused
        })
    });
    if takes_gzip && !read_here { Encoding::Gzip } else { Encoding::Identity }
}

pub fn for_upstream(client: &HeaderMap, key: &Secret, encoding: Encoding) -> Option<HeaderMap> {
    let mut headers = crossing(client, &NOT_FOR_UPSTREAM);
    let encoding = match encoding {
        Encoding::Identity => HeaderValue::from_static("identity"),
        Encoding::Gzip => HeaderValue::from_static("gzip"),
    };
    headers.insert(header::ACCEPT_ENCODING, encoding);
    headers.insert(API_KEY, credential(key)?);
    Some(headers)
}

/// The same for a WebSocket's opening. No extensions: a compressed message could not be cleaned of the key.
pub fn for_opening(client: &HeaderMap, key: &Secret, opening: &Opening) -> Option<HeaderMap> {
    let mut headers = crossing(client, &NOT_FOR_UPSTREAM);
    headers.remove(header::SEC_WEBSOCKET_EXTENSIONS);
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    set_upgrade(&mut headers);
    match opening {
        Opening::WithKey => headers.insert(API_KEY, credential(key)?),
        Opening::WithTokenInHeader(value) => headers.insert(header::AUTHORIZATION, value.clone()),
        Opening::WithTokenInQuery => None,
    };
    Some(headers)
}

/// Hop by hop, so each side of the tunnel sets them anew.
pub fn set_upgrade(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
}

fn credential(key: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(key.expose()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The upstream's headers for the client, with the key blotted out wherever it was echoed.
pub fn for_client(mut headers: HeaderMap, key: &Secret) -> HeaderMap {
    let named = named_by_connection(&headers);
    let stays_behind = |name: &&HeaderName| !crosses(name.as_str(), &NOT_FOR_CLIENT, &named);
    let dropped: Vec<HeaderName> = headers.keys().filter(stays_behind).cloned().collect();
    // RFC 9112 §6.1: beside a transfer encoding a length says nothing, and a client would wait for it in vain.
    if headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH);
    }
    dropped.iter().for_each(|name| drop(headers.remove(name)));
    for value in headers.values_mut() {
        let echoed = super::redact::redact_once(value.as_bytes(), key);
        if let Some(clean) = echoed.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok()) {
            *value = clean;
        }
    }
    headers
}

/// `query` without credentials, everything else byte for byte. `None` when nothing is left.
pub fn without_credentials(query: &str) -> Option<String> {
    let name = |part: &str| part.split('=').next().unwrap_or_default().to_owned();
    let kept: Vec<&str> = query.split('&').filter(|part| !is_credential(&name(part))).collect();
    Some(kept.join("&")).filter(|text| !text.is_empty())
}

/// Whether a query parameter of this name, perhaps escaped, carries a credential.
pub fn is_credential(name: &str) -> bool {
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    CREDENTIAL_PARAMETERS.contains(&name.as_ref())
}

fn crossing(headers: &HeaderMap, left_out: &[&str]) -> HeaderMap {
    let named = named_by_connection(headers);
    let mut kept = HeaderMap::with_capacity(headers.len() + 3);
    for (name, value) in headers {
        if crosses(name.as_str(), left_out, &named) {
            kept.append(name.clone(), value.clone());
        }
    }
    kept
}

fn crosses(name: &str, left_out: &[&str], named: &[String]) -> bool {
    !HOP_BY_HOP.contains(&name)
        && !left_out.contains(&name)
        && !name.starts_with(OWN_PREFIX)
        && !named.iter().any(|other| other == name)
}

/// Besides what is dropped anyway, which is all that most say.
fn named_by_connection(headers: &HeaderMap) -> Vec<String> {
    let usual = |value: &HeaderValue| {
        [&b"keep-alive"[..], b"close"].iter().any(|usual| value.as_bytes().eq_ignore_ascii_case(usual))
    };
    let unusual = headers.get_all(header::CONNECTION).iter().filter(|value| !usual(value));
    let texts = unusual.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn one_credential_goes_up_and_the_clients_own_do_not() {
        let client = headers(&[
            ("x-goog-api-key", "local"),
            ("authorization", "Bearer local"),
            ("x-api-key", "local"),
            ("cookie", "a=b"),
            ("x-aggregator-key", "work"),
            ("content-type", "application/json"),
            ("x-goog-api-client", "sdk"),
        ]);
        let up = for_upstream(&client, &Secret::new("test-key-alpha-0001"), Encoding::Identity).unwrap();
        let mut names: Vec<_> = up.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept-encoding", "content-type", "x-goog-api-client", "x-goog-api-key"]);
        assert_eq!(up.get(API_KEY).unwrap(), "test-key-alpha-0001");
        assert!(up.get(API_KEY).unwrap().is_sensitive());
    }

    #[test]
    fn a_session_opens_with_the_key_or_with_the_clients_token() {
        let client = headers(&[
            ("connection", "Upgrade, x-custom"),
            ("upgrade", "websocket"),
            ("sec-websocket-key", "k"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-extensions", "permessage-deflate"),
            ("x-goog-api-key", "local"),
            ("authorization", "Token auth_tokens/a"),
            ("x-custom", "1"),
        ]);
        let names = |opening: &Opening| {
            let up = for_opening(&client, &Secret::new("test-key-alpha-0001"), opening).unwrap();
            assert_eq!(up.get("connection").unwrap(), "Upgrade");
            assert_eq!(up.get("upgrade").unwrap(), "websocket");
            let mut names: Vec<_> = up.keys().map(|name| name.as_str().to_owned()).collect();
            names.retain(|name| !["connection", "upgrade", "accept-encoding"].contains(&name.as_str()));
            names.sort_unstable();
            names
        };
        let handshake = ["sec-websocket-key", "sec-websocket-version"];
        assert_eq!(names(&Opening::WithKey), [&handshake[..], &["x-goog-api-key"]].concat());
        let token = HeaderValue::from_static("Token auth_tokens/a");
        assert_eq!(names(&Opening::WithTokenInHeader(token)), [&["authorization"], &handshake[..]].concat());
        assert_eq!(names(&Opening::WithTokenInQuery), handshake);
    }

    #[test]
    fn connection_cannot_name_the_credential_away() {
        let client =
            headers(&[("connection", "x-goog-api-key, X-Custom"), ("x-custom", "1"), ("te", "trailers")]);
        let up = for_upstream(&client, &Secret::new("test-key-alpha-0001"), Encoding::Gzip).unwrap();
        assert!(up.get(API_KEY).is_some());
        assert!(up.get("x-custom").is_none() && up.get("te").is_none() && up.get("connection").is_none());
    }

    #[test]
    fn gzip_is_asked_for_only_where_the_client_can_and_nothing_reads_here() {
        let gzip = headers(&[("accept-encoding", "deflate, gzip;q=0.5, br")]);
        assert_eq!(encoding_for(&gzip, false), Encoding::Gzip);
        assert_eq!(encoding_for(&gzip, true), Encoding::Identity);
        assert_eq!(encoding_for(&headers(&[("accept-encoding", "br")]), false), Encoding::Identity);
        assert_eq!(encoding_for(&headers(&[("accept-encoding", "gzip;q=0")]), false), Encoding::Identity);
        assert_eq!(encoding_for(&HeaderMap::new(), false), Encoding::Identity);
    }

    #[test]
    fn an_echoed_key_and_detours_do_not_reach_the_client() {
        let mut upstream = headers(&[("alt-svc", "h3=\":443\""), ("x-note", "key=test-key-alpha-0001")]);
        upstream.insert("content-type", HeaderValue::from_static("text/plain"));
        let down = for_client(upstream, &Secret::new("test-key-alpha-0001"));
        assert_eq!(down.get("x-note").unwrap(), "key=***************0001");
        assert!(down.get("alt-svc").is_none());
    }

    #[test]
    fn a_length_beside_a_transfer_encoding_says_nothing() {
        let chunked = headers(&[("transfer-encoding", "chunked"), ("content-length", "60")]);
        assert!(for_client(chunked, &Secret::new("test-key-alpha-0001")).is_empty());
        let plain = headers(&[("content-length", "60"), ("connection", "keep-alive")]);
        assert_eq!(for_client(plain, &Secret::new("test-key-alpha-0001")).len(), 1);
    }

    #[test]
    fn the_query_keeps_all_but_credentials() {
        assert_eq!(
            without_credentials("alt=sse&key=K&pageSize=5%20").as_deref(),
            Some("alt=sse&pageSize=5%20")
        );
        assert_eq!(without_credentials("key=K&k%65y=K&access_token=T"), None);
        assert_eq!(without_credentials("monkey=1&key2=2").as_deref(), Some("monkey=1&key2=2"));
    }
}

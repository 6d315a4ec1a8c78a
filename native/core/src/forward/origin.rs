//! The upstream as requests address it: whom to dial, the Host header, and what stands before each request's path. Made
//! once from the base URL, so that no request parses it again. Pure.

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use url::Url;

use super::connect::{Target, UpstreamFault};

pub struct Origin {
    pub target: Target,
    pub host: HeaderValue,
    scheme: Scheme,
    authority: Authority,
    /// The base URL's path, without the slash at its end.
    prefix: String,
}

impl Origin {
    pub fn new(base: &Url) -> Result<Self, UpstreamFault> {
        let bad = || UpstreamFault::BadTarget { reason: "it is not a web address" };
        let uri: Uri = base.as_str().parse().map_err(|_| bad())?;
        let target = Target::from_uri(&uri)?;
        // A default port is not said, as `Url` has left it out already; nor are credentials.
        let text = match base.port() {
            Some(port) => format!("{}:{port}", base.host_str().unwrap_or_default()),
            None => base.host_str().unwrap_or_default().to_owned(),
        };
        Ok(Self {
            target,
            host: HeaderValue::from_str(&text).map_err(|_| bad())?,
            scheme: uri.scheme().cloned().ok_or_else(bad)?,
            authority: text.parse().map_err(|_| bad())?,
            prefix: base.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The target of a request in origin form; `None` when it is no valid one. `parsed` is the same, if it is known.
    pub fn uri(&self, target: &str, parsed: Option<&PathAndQuery>) -> Option<Uri> {
        let path = match (self.prefix.is_empty(), parsed) {
            (true, Some(parsed)) => return Some(Uri::from(parsed.clone())),
            (true, None) => PathAndQuery::try_from(target),
            (false, _) => PathAndQuery::try_from(format!("{}{target}", self.prefix)),
        };
        path.ok().map(Uri::from)
    }

    /// The same with scheme and host, as HTTP/2 wants it.
    pub fn make_absolute(&self, uri: &mut Uri) {
        let mut parts = std::mem::take(uri).into_parts();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        // All three parts are there, which is what makes them valid.
        *uri = Uri::from_parts(parts).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(base: &str) -> Origin {
        Origin::new(&base.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_request_is_addressed_below_the_base_url() {
        let below = origin("http://localhost:8080/google/");
        assert_eq!(below.host, "localhost:8080");
        let mut uri = below.uri("/v1/models?a=b", None).unwrap();
        assert_eq!(uri.to_string(), "/google/v1/models?a=b");
        below.make_absolute(&mut uri);
        assert_eq!(uri.to_string(), "http://localhost:8080/google/v1/models?a=b");
        assert!(below.uri("/with space", None).is_none());
        let parsed = PathAndQuery::from_static("/v1/models");
        assert_eq!(below.uri("/v1/models", Some(&parsed)).unwrap(), "/google/v1/models");
    }

    #[test]
    fn a_default_port_is_not_said() {
        let google = origin("https://generativelanguage.googleapis.com");
        assert_eq!(google.host, "generativelanguage.googleapis.com");
        assert_eq!((google.target.port, google.target.tls), (443, true));
        assert_eq!(google.uri("/v1/models", None).unwrap(), "/v1/models");
        assert_eq!(origin("http://[::1]:80/").host, "[::1]");
    }
}

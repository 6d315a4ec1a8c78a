//! The upstream end of a connection: host, port, and whether TLS is spoken to it.
//! It must not know paths, queries or anything else of a request.

use http::Uri;
use http::uri::Scheme;

use super::fault::UpstreamFault;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A name or an address; an IPv6 address without brackets.
    pub host: String,
    pub port: u16,
    pub tls: bool,
}

impl Target {
    pub fn from_uri(uri: &Uri) -> Result<Self, UpstreamFault> {
        let bad = |reason| UpstreamFault::BadTarget { reason };
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(bad("its scheme is neither http nor https")),
        };
        let host = uri.host().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err(bad("it has no host"));
        }
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { host: host.to_owned(), port, tls })
    }

    /// `host:port`, an IPv6 address in brackets: the form of CONNECT and of its Host header.
    pub(super) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

//! The address at which a tunnel leaves a proxy, where the proxy says so: which header tells it, and the place in which
//! it travels from the connection to the pools. What a proxy says is its word alone: shown to the user, never acted on.
//!
//! Invariant: nothing but an address is kept of such a header; whatever else a proxy writes there is dropped.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use http::HeaderMap;

/// Headers of the answer to CONNECT that name it.
/// ProxyMesh: its documentation, "Request & Response Headers" (docs.proxymesh.com, article 7).
/// Bright Data: its documentation's FAQ and error catalogue name `x-brd-ip`, before the renaming `x-luminati-ip`; in
/// residential zones it holds an opaque id instead, which is no address. Neither was tried here with an account.
const NAMES: [&str; 3] = ["x-proxymesh-ip", "x-brd-ip", "x-luminati-ip"];

pub fn told_in(headers: &HeaderMap) -> Option<IpAddr> {
    let values = NAMES.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    values.filter_map(|text| text.trim().parse().ok()).next()
}

/// The exit of one tunnel: empty until the proxy has told it. Clones are the same place.
#[derive(Clone, Debug, Default)]
pub struct Exit(Arc<OnceLock<IpAddr>>);

impl Exit {
    /// The first word stands.
    pub fn tell(&self, address: IpAddr) {
        let _ = self.0.set(address);
    }

    pub fn told(&self) -> Option<IpAddr> {
        self.0.get().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(fields: &[(&'static str, &'static str)]) -> Option<String> {
        let headers = fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        told_in(&headers.collect()).map(|address| address.to_string())
    }

    #[test]
    fn the_headers_of_known_providers_are_read_in_any_case_and_of_either_family() {
        assert_eq!(told(&[("X-ProxyMesh-IP", "203.0.113.9")]), Some("203.0.113.9".to_owned()));
        assert_eq!(told(&[("x-brd-ip", " 2001:DB8::1 ")]), Some("2001:db8::1".to_owned()));
        assert_eq!(told(&[("X-Luminati-IP", "198.51.100.7")]), Some("198.51.100.7".to_owned()));
    }

    #[test]
    fn what_is_no_address_is_dropped_and_another_header_may_still_tell_it() {
        for text in ["", "r2d29b70ff204425f8e5add587d860361", "203.0.113.9:80", "203.0.113.9, 203.0.113.10"] {
            assert_eq!(told(&[("x-brd-ip", text)]), None, "{text}");
        }
        let both = [("x-proxymesh-ip", "somewhere"), ("x-luminati-ip", "203.0.113.9")];
        assert_eq!(told(&both), Some("203.0.113.9".to_owned()));
        assert_eq!(told(&[("x-forwarded-for", "203.0.113.9")]), None, "a header of another meaning");
    }
}

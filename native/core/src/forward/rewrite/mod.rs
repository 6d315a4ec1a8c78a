//! Addresses of files in bytes that stream by: those of the upstream's host become this endpoint's in answers, and
//! the other way round in requests, so that a client downloads and refers to what it made through this endpoint.
//! Only addresses of files are touched (`…/v1beta/files/x`, downloads included), a credential in their query is
//! dropped, and every other byte passes as it came. It parses no JSON; addresses may be cut anywhere and have
//! escaped slashes.

mod address;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use url::Url;

use address::{Reading, Rule, find};

/// Where Google's own answers say that files are, whatever relay they came through.
const GOOGLE: &str = "https://generativelanguage.googleapis.com";
/// How the upstream calls its own files.
pub struct Addresses {
    /// Scheme, host and path as configured, without a slash at the end.
    base: String,
    /// A relay may pass Google's own addresses on or put its own in their place: what it did last holds for requests.
    by_base: AtomicBool,
}

impl Addresses {
    pub fn new(base: &Url) -> Self {
        Self { base: base.as_str().trim_end_matches('/').to_owned(), by_base: AtomicBool::new(false) }
    }

    /// For answers to a client that reached this endpoint as `origin`.
    pub fn to_local(self: &Arc<Self>, origin: &str) -> Rewriter {
        let rule = |from: &str| Rule { from: from.to_owned(), to: origin.to_owned() };
        Rewriter::new(vec![rule(&self.base), rule(GOOGLE)], Some(Arc::clone(self)))
    }

    /// For requests to this endpoint, which clients on this machine call by any of its names.
    pub fn to_upstream(&self, host: &str) -> Rewriter {
        let port = host.rfind(':').filter(|at| !host[*at..].contains(']')).map_or("", |at| &host[at..]);
        let to = if self.by_base.load(Ordering::Relaxed) { &self.base } else { GOOGLE };
        let names = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}{port}"));
        let mut hosts: Vec<&str> = names.iter().map(String::as_str).collect();
        if !hosts.contains(&host) {
            hosts.push(host);
        }
        let rules = hosts.into_iter().flat_map(|host| {
            ["http", "https"].map(|scheme| Rule { from: format!("{scheme}://{host}"), to: to.to_owned() })
        });
        Rewriter::new(rules.collect(), None)
    }

    /// The path of an upstream's address as this endpoint has it.
    pub fn local_path<'a>(&self, url: &'a Url) -> &'a str {
        let prefix = Url::parse(&self.base).map(|base| base.path().trim_end_matches('/').to_owned());
        let path = url.path();
        prefix
            .ok()
            .and_then(|prefix| path.strip_prefix(prefix.as_str()))
            .filter(|rest| rest.starts_with('/'))
            .unwrap_or(path)
    }

    fn saw(&self, rule: &Rule) {
        self.by_base.store(rule.from == self.base, Ordering::Relaxed);
    }
}

pub struct Rewriter {
    rules: Vec<Rule>,
    told: Option<Arc<Addresses>>,
    held: Vec<u8>,
}

impl Rewriter {
    fn new(rules: Vec<Rule>, told: Option<Arc<Addresses>>) -> Self {
        Self { rules, told, held: Vec::new() }
    }

    /// What may be passed on now; empty when all of it must wait.
    pub fn push(&mut self, chunk: Bytes) -> Bytes {
        let bytes = if self.held.is_empty() {
            chunk
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(&chunk);
            Bytes::from(held)
        };
        self.rewrite(&bytes, false)
    }

    /// The end of the stream: an address that was still growing is whole.
    pub fn finish(&mut self) -> Bytes {
        let rest = Bytes::from(std::mem::take(&mut self.held));
        self.rewrite(&rest, true)
    }

    fn rewrite(&mut self, bytes: &Bytes, last: bool) -> Bytes {
        let mut out: Option<Vec<u8>> = None;
        let mut copied = 0;
        let mut end = bytes.len();
        for at in memchr::memchr2_iter(b'h', b'H', bytes) {
            if at < copied {
                continue;
            }
            match find(&self.rules, &bytes[at..], last) {
                Reading::No => {}
                Reading::Open => {
                    end = at;
                    break;
                }
                Reading::Is(found) => {
                    let out = out.get_or_insert_with(Vec::new);
                    out.extend_from_slice(&bytes[copied..at]);
                    found.write(&bytes[at..], out);
                    copied = at + found.end;
                    if let Some(addresses) = &self.told {
                        addresses.saw(found.rule);
                    }
                }
            }
        }
        self.held.extend_from_slice(&bytes[end..]);
        match out {
            None => bytes.slice(..end),
            Some(mut out) => {
                out.extend_from_slice(&bytes[copied..end]);
                Bytes::from(out)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "http://127.0.0.1:3146";

    fn addresses(base: &str) -> Arc<Addresses> {
        Arc::new(Addresses::new(&Url::parse(base).unwrap()))
    }

    fn stream(rewriter: &mut Rewriter, text: &str, cuts: &[usize]) -> String {
        let mut out = Vec::new();
        let mut from = 0;
        for &cut in cuts.iter().chain([&text.len()]) {
            out.extend_from_slice(&rewriter.push(Bytes::copy_from_slice(&text.as_bytes()[from..cut])));
            from = cut;
        }
        out.extend_from_slice(&rewriter.finish());
        String::from_utf8(out).unwrap()
    }

    fn local(text: &str) -> String {
        stream(&mut addresses(GOOGLE).to_local(HERE), text, &[])
    }

    #[test]
    fn addresses_are_rewritten_wherever_the_stream_is_cut() {
        let text = concat!(
            r#"{"uri":"https://generativelanguage.googleapis.com/v1beta/files/a-1","h":"https://generative","#,
            r#""video":{"uri":"https:\/\/generativelanguage.googleapis.com\/v1\/files\/b:download?alt=media\u0026key=K"},"#,
            r#""d":"https://generativelanguage.googleapis.com/download/v1beta/files/c:download?key=K&alt=media"}"#,
        );
        let expected = concat!(
            r#"{"uri":"http://127.0.0.1:3146/v1beta/files/a-1","h":"https://generative","#,
            r#""video":{"uri":"http:\/\/127.0.0.1:3146\/v1\/files\/b:download?alt=media"},"#,
            r#""d":"http://127.0.0.1:3146/download/v1beta/files/c:download?alt=media"}"#,
        );
        for first in 0..=text.len() {
            for second in [first, (first + 1).min(text.len()), (first + 17).min(text.len())] {
                let rewritten = stream(&mut addresses(GOOGLE).to_local(HERE), text, &[first, second]);
                assert_eq!(rewritten, expected, "cut at {first} and {second}");
            }
        }
        let mut byte_by_byte = addresses(GOOGLE).to_local(HERE);
        assert_eq!(stream(&mut byte_by_byte, text, &(0..text.len()).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn nothing_but_addresses_of_files_is_touched() {
        for text in [
            "see https://generativelanguage.googleapis.com/v1beta/models/m:generateContent?key=K",
            "https://generativelanguage.googleapis.com/v1beta/files/ and https://generativelanguage.googleapis.com",
            "https://generativelanguage.googleapis.com.evil.example/v1beta/files/a",
            "type.googleapis.com/google.rpc.ErrorInfo https://example.com/v1beta/files/a?key=K h",
            "",
        ] {
            assert_eq!(local(text), text);
        }
        let clean = Bytes::from_static(b"{\"name\":\"files/a\"}");
        assert_eq!(
            addresses(GOOGLE).to_local(HERE).push(clean.clone()).as_ptr(),
            clean.as_ptr(),
            "not copied"
        );
    }

    #[test]
    fn a_credential_in_the_query_goes_and_the_rest_stays() {
        let of =
            |query: &str| local(&format!("https://generativelanguage.googleapis.com/v1/files/a?{query}"));
        let at = |query: &str| format!("{HERE}/v1/files/a{query}");
        assert_eq!(of("key=K"), at(""));
        assert_eq!(of("alt=media&k%65y=K&x=1"), at("?alt=media&x=1"));
        assert_eq!(of(r"key\u003dK\u0026alt=media\u0026x=1"), at(r"?alt=media\u0026x=1"));
        assert_eq!(of("access_token=T&monkey=1"), at("?monkey=1"));
    }

    #[test]
    fn an_endless_address_passes_as_it_is_and_costs_no_memory() {
        let mut rewriter = addresses(GOOGLE).to_local(HERE);
        let mut passed =
            rewriter.push(Bytes::from_static(b"https://generativelanguage.googleapis.com/v1/files/")).len();
        for _ in 0..1_000 {
            passed += rewriter.push(Bytes::from_static(&[b'a'; 64])).len();
            assert!(rewriter.held.len() <= address::LONGEST + 256);
        }
        assert_eq!(passed + rewriter.finish().len(), 51 + 64_000);
    }

    #[test]
    fn requests_name_this_endpoint_in_any_way_and_the_upstream_gets_its_own() {
        let addresses = addresses(GOOGLE);
        for own in
            ["http://127.0.0.1:3146", "http://localhost:3146", "http://[::1]:3146", "https://LOCALHOST:3146"]
        {
            let text = format!(r#"{{"fileUri":"{own}/v1beta/files/x","text":"{own}/elsewhere"}}"#);
            let expected = format!(r#"{{"fileUri":"{GOOGLE}/v1beta/files/x","text":"{own}/elsewhere"}}"#);
            assert_eq!(stream(&mut addresses.to_upstream("localhost:3146"), &text, &[20]), expected);
        }
        let other_port = r#""http://127.0.0.1:31460/v1/files/x""#;
        assert_eq!(stream(&mut addresses.to_upstream("127.0.0.1:3146"), other_port, &[]), other_port);
        let by_name = "http://gateway.lan:3146/v1/files/x?key=local-token";
        let named = stream(&mut addresses.to_upstream("gateway.lan:3146"), by_name, &[]);
        assert_eq!(named, format!("{GOOGLE}/v1/files/x"));
    }

    #[test]
    fn a_relay_gets_back_what_it_gave() {
        let addresses = addresses("https://relay.example/gemini/");
        for given in [
            "https://relay.example/gemini/v1/files/x",
            "https://generativelanguage.googleapis.com/v1/files/x",
        ] {
            let here = stream(&mut addresses.to_local(HERE), given, &[]);
            assert_eq!(here, "http://127.0.0.1:3146/v1/files/x");
            assert_eq!(stream(&mut addresses.to_upstream("127.0.0.1:3146"), &here, &[]), given);
        }
    }
}

//! The shape of a file's address at the start of some bytes: which host it names, where it ends, and how it is written
//! under another host. Slashes, `&` and `=` may be escaped as JSON escapes them. Pure; where the bytes come from and
//! what waits for more of them is not known here.

use crate::affinity::names::is_id;
use crate::dialect::gemini::VERSIONS;
use crate::forward::headers::is_credential;

/// What may stand between host and version.
const SERVICES: [&str; 3] = ["", "/upload", "/download"];
/// A longer address is none of Google's and passes as it is.
pub const LONGEST: usize = 4_096;

const AMPERSAND: &[u8] = br"\u0026";
const EQUALS: &[u8] = br"\u003d";

/// Addresses that begin with `from` are to begin with `to`.
pub struct Rule {
    pub from: String,
    pub to: String,
}

/// What bytes that end too early leave open.
pub enum Reading<T> {
    No,
    /// The next bytes decide.
    Open,
    Is(T),
}

/// One address found at the start of some bytes.
pub struct Found<'a> {
    pub rule: &'a Rule,
    /// Where the host ends and the address ends.
    host: usize,
    pub end: usize,
}

pub fn find<'a>(rules: &'a [Rule], bytes: &[u8], last: bool) -> Reading<Found<'a>> {
    let mut open = false;
    for rule in rules {
        let host = match literal(bytes, &rule.from) {
            Reading::No => continue,
            Reading::Open => {
                open = true;
                continue;
            }
            Reading::Is(length) => length,
        };
        match file_at(&bytes[host..]) {
            Reading::No => {}
            Reading::Open => open = true,
            Reading::Is(path) => match end_of_address(&bytes[host + path..]) {
                Reading::Is(rest) => return Reading::Is(Found { rule, host, end: host + path + rest }),
                Reading::Open if last => return Reading::Is(Found { rule, host, end: bytes.len() }),
                Reading::Open => open = true,
                Reading::No => {}
            },
        }
    }
    if open && !last { Reading::Open } else { Reading::No }
}

/// The length of `text` at the start of `bytes`, where its slashes may be escaped.
fn literal(bytes: &[u8], text: &str) -> Reading<usize> {
    let mut at = 0;
    for wanted in text.bytes() {
        if wanted == b'/' && bytes.get(at) == Some(&b'\\') {
            at += 1;
        }
        match bytes.get(at) {
            None => return Reading::Open,
            Some(byte) if byte.eq_ignore_ascii_case(&wanted) => at += 1,
            Some(_) => return Reading::No,
        }
    }
    Reading::Is(at)
}

/// `/v1beta/files/` with one byte of an id behind it, at the start of `bytes`.
fn file_at(bytes: &[u8]) -> Reading<usize> {
    let mut open = false;
    for service in SERVICES {
        for version in VERSIONS {
            match literal(bytes, &format!("{service}/{version}/files/")) {
                Reading::No => {}
                Reading::Open => open = true,
                Reading::Is(length) => match bytes.get(length) {
                    None => open = true,
                    Some(byte) if is_id(*byte) => return Reading::Is(length + 1),
                    Some(_) => {}
                },
            }
        }
    }
    if open { Reading::Open } else { Reading::No }
}

/// How many more bytes belong to the address: up to a quotation mark, a blank, or an escape that no address has.
fn end_of_address(bytes: &[u8]) -> Reading<usize> {
    let mut at = 0;
    while at <= LONGEST {
        match bytes.get(at) {
            None => return Reading::Open,
            Some(b'\\') => match escape(&bytes[at..]) {
                Reading::No => return Reading::Is(at),
                Reading::Open => return Reading::Open,
                Reading::Is(length) => at += length,
            },
            Some(b'"' | b'\'' | b'<' | b'>' | b'`' | b')' | b']' | b'}') => return Reading::Is(at),
            Some(byte) if byte.is_ascii_whitespace() || byte.is_ascii_control() => return Reading::Is(at),
            Some(_) => at += 1,
        }
    }
    Reading::No
}

/// An escape of JSON that may stand in an address: `\/`, `\u0026` (&) and `\u003d` (=).
fn escape(bytes: &[u8]) -> Reading<usize> {
    let mut open = false;
    for known in [br"\/".as_slice(), AMPERSAND, EQUALS] {
        let length = bytes.len().min(known.len());
        if bytes[..length].eq_ignore_ascii_case(&known[..length]) {
            if length == known.len() {
                return Reading::Is(length);
            }
            open = true;
        }
    }
    if open { Reading::Open } else { Reading::No }
}

impl Found<'_> {
    /// The address under its new host, slashes escaped as they were, without credentials.
    pub fn write(&self, bytes: &[u8], out: &mut Vec<u8>) {
        match bytes[..self.host].contains(&b'\\') {
            true => out.extend_from_slice(self.rule.to.replace('/', r"\/").as_bytes()),
            false => out.extend_from_slice(self.rule.to.as_bytes()),
        }
        let rest = &bytes[self.host..self.end];
        let path = memchr::memchr(b'?', rest).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..path]);
        let mut joint: &[u8] = b"?";
        for (parted_by, parameter) in parameters(&rest[path..]) {
            let name = before_equals(parameter);
            if !is_credential(&String::from_utf8_lossy(name)) {
                out.extend_from_slice(joint);
                out.extend_from_slice(parameter);
                joint = b"&";
            }
            if joint == b"&" && parted_by == AMPERSAND {
                joint = AMPERSAND;
            }
        }
    }
}

/// The parameters of `?a=1&b=2`, each with what parts it from the next.
fn parameters(query: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut list = Vec::new();
    let mut rest = query.get(1..).unwrap_or_default();
    while !rest.is_empty() {
        let plain = memchr::memchr(b'&', rest).map(|at| (at, 1));
        let escaped = memchr::memmem::find(rest, AMPERSAND).map(|at| (at, AMPERSAND.len()));
        let (at, length) = plain.into_iter().chain(escaped).min().unwrap_or((rest.len(), 0));
        list.push((&rest[at..at + length], &rest[..at]));
        rest = &rest[at + length..];
    }
    list
}

fn before_equals(parameter: &[u8]) -> &[u8] {
    let plain = memchr::memchr(b'=', parameter);
    let escaped =
        (0..parameter.len()).find(|at| matches!(literal(&parameter[*at..], r"\u003d"), Reading::Is(_)));
    &parameter[..plain.into_iter().chain(escaped).min().unwrap_or(parameter.len())]
}

//! What every line of the log passes last, on the log's own thread: known secrets become `••••1234` in whatever spelling they
//! come, and characters that could forge a line or rearrange it are escaped. It knows secrets as texts and lines as bytes,
//! and nothing of where either comes from.
//!
//! Invariant: one write is one line; its only line break is its end, whatever a model's name or a header says.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use aggregator_core::pools::Pools;
use aggregator_core::proxies::url::ProxyUrl;
use aggregator_core::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;

/// Shorter ones would be found in every line, and blotting them there would give them away.
const SHORTEST: usize = 6;
/// What a URL leaves as it is.
const PLAIN_IN_URLS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The secrets that no line may show. It only grows: what was removed may still travel in a request under way.
#[derive(Clone, Default)]
pub struct Known(Arc<Mutex<Index>>);

#[derive(Default)]
struct Index {
    /// Spellings by their last bytes: keys begin alike and end differently.
    by_end: HashMap<[u8; SHORTEST], Vec<Spelling>>,
}

struct Spelling {
    text: Secret,
    shown: String,
}

impl Known {
    pub fn add(&self, secret: &Secret) {
        self.add_text(secret.expose(), &secret.masked());
    }

    /// Keys, and the passwords of proxies.
    pub fn add_all(&self, pools: &Pools) {
        pools.keys.iter().for_each(|key| self.add(&key.entered.secret));
        pools.proxies.iter().for_each(|proxy| self.add_proxy(&proxy.entered.url));
        pools.rotating.iter().for_each(|proxy| self.add_proxy(&proxy.entered.url));
    }

    fn add_proxy(&self, url: &ProxyUrl) {
        let Some(password) = url.password().map(|password| Secret::new(password.expose_secret())) else {
            return;
        };
        self.add(&password);
        // As a proxy is told it.
        let pair = format!("{}:{}", url.username().unwrap_or_default(), password.expose());
        self.lock().add(STANDARD.encode(&pair), "••••");
    }

    fn add_text(&self, text: &str, shown: &str) {
        let mut index = self.lock();
        if index.knows(text) {
            return;
        }
        let quoted = serde_json::to_string(text).unwrap_or_default();
        let encoded = utf8_percent_encode(text, PLAIN_IN_URLS).to_string();
        let spellings = [text.to_owned(), quoted.trim_matches('"').to_owned(), encoded];
        let packed = [STANDARD.encode(text), URL_SAFE_NO_PAD.encode(text)];
        spellings.into_iter().chain(packed).for_each(|spelling| index.add(spelling, shown));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Index> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn knows(&self, text: &str) -> bool {
        let Some(end) = text.as_bytes().last_chunk::<SHORTEST>() else { return false };
        self.by_end.get(end).is_some_and(|all| all.iter().any(|one| one.text.expose() == text))
    }

    fn add(&mut self, text: String, shown: &str) {
        let Some(end) = text.as_bytes().last_chunk::<SHORTEST>().copied() else { return };
        if !self.knows(&text) {
            let spelling = Spelling { text: Secret::new(text), shown: shown.to_owned() };
            self.by_end.entry(end).or_default().push(spelling);
        }
    }

    /// Where secrets stand in `line`, those that overlap taken together, with what is shown in their place.
    fn found(&self, line: &[u8]) -> Vec<(usize, usize, &str)> {
        let mut found: Vec<(usize, usize, &str)> = Vec::new();
        for (at, window) in line.windows(SHORTEST).enumerate() {
            let Some(candidates) = window.first_chunk().and_then(|end| self.by_end.get(end)) else {
                continue;
            };
            let end = at + SHORTEST;
            let ends_here = |one: &&Spelling| line[..end].ends_with(one.text.expose().as_bytes());
            let longest = candidates.iter().filter(ends_here).max_by_key(|one| one.text.expose().len());
            let Some(spelling) = longest else { continue };
            let mut start = end - spelling.text.expose().len();
            while let Some((before, _, _)) = found.pop_if(|(_, until, _)| *until > start) {
                start = start.min(before);
            }
            found.push((start, end, &spelling.shown));
        }
        found
    }

    fn clean(&self, line: &[u8]) -> Vec<u8> {
        let mut clean = Vec::with_capacity(line.len());
        let mut from = 0;
        for (start, end, shown) in self.found(line) {
            clean.extend_from_slice(&line[from..start]);
            clean.extend_from_slice(shown.as_bytes());
            from = end;
        }
        clean.extend_from_slice(&line[from..]);
        clean
    }
}

/// Writes lines, cleaned.
pub struct Cleaning<W> {
    inner: W,
    known: Known,
}

impl<W> Cleaning<W> {
    pub fn new(inner: W, known: Known) -> Self {
        Self { inner, known }
    }
}

impl<W: Write> Write for Cleaning<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let clean = self.known.lock().clean(line.strip_suffix(b"\n").unwrap_or(line));
        let mut escaped = escaped(&String::from_utf8_lossy(&clean));
        escaped.push('\n');
        self.inner.write_all(escaped.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// As JSON writes such characters, so that a line of JSON stays one.
fn escaped(line: &str) -> String {
    line.chars().fold(String::with_capacity(line.len() + 1), |mut text, character| {
        if forges(character) {
            let _ = write!(text, "\\u{:04x}", u32::from(character));
        } else {
            text.push(character);
        }
        text
    })
}

/// Controls (ESC and those above 0x7f too), other line breaks, and whatever changes the direction of the text around it or is
/// not seen.
fn forges(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(secrets: &[&str], line: &str) -> String {
        let known = Known::default();
        secrets.iter().for_each(|text| known.add(&Secret::new(*text)));
        let mut out = Vec::new();
        Cleaning::new(&mut out, known).write_all(line.as_bytes()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_secret_is_masked_in_every_spelling() {
        let key = "test-key/alpha+\"0001";
        let forms = [
            key.to_owned(),
            key.replace('"', "\\\""),
            "test-key%2Falpha%2B%220001".to_owned(),
            STANDARD.encode(key),
            URL_SAFE_NO_PAD.encode(key),
        ];
        for form in forms {
            assert_eq!(cleaned(&[key], &format!("a {form} b {form}\n")), "a ••••0001 b ••••0001\n", "{form}");
        }
        assert_eq!(cleaned(&["short"], "a short word\n"), "a short word\n");
    }

    #[test]
    fn secrets_within_and_beside_each_other_leave_nothing() {
        let (one, longer) = ("abcdef-secret-0001", "abcdef-secret-0001-and-more-0002");
        assert_eq!(cleaned(&[one, longer], &format!("{longer}!{one}{one}\n")), "••••0002!••••0001••••0001\n");
        assert_eq!(cleaned(&["secret-abcabc", "abcabc-other-12"], "secret-abcabc-other-12\n"), "••••r-12\n");
    }

    #[test]
    fn a_proxys_credentials_are_masked_as_the_proxy_is_told_them() {
        let known = Known::default();
        known.add_proxy(&ProxyUrl::parse("http://ada:p%40ss%3Aw0rd%2F1@h:1").unwrap());
        let mut out = Vec::new();
        let line = format!("Basic {} p@ss:w0rd/1 p%40ss%3Aw0rd%2F1\n", STANDARD.encode("ada:p@ss:w0rd/1"));
        Cleaning::new(&mut out, known).write_all(line.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "Basic •••• •••• ••••\n");
    }

    #[test]
    fn no_character_forges_a_line() {
        let forged = cleaned(&[], "a\r\n{\"forged\":1}\u{1b}[2K\u{85}\u{202e}\u{2028}é\n");
        assert_eq!(forged, "a\\u000d\\u000a{\"forged\":1}\\u001b[2K\\u0085\\u202e\\u2028é\n");
    }
}

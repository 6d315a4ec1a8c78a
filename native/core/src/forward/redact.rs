//! Blots a key out of bytes that the upstream answers: Google puts the full key into some error texts. The blot
//! is as long as the key, so lengths already announced stay true. It knows the one key of its attempt.
//!
//! Invariant: a key echoed by the upstream never reaches the client or the log, wherever chunks are cut.

use bytes::{Bytes, BytesMut};
use memchr::memmem;

use crate::secret::Secret;

/// A clean copy when the key occurs, else `None`.
pub fn redact_once(bytes: &[u8], key: &Secret) -> Option<Vec<u8>> {
    let needle = key.expose().as_bytes();
    if needle.is_empty() || bytes.len() < needle.len() || memmem::find(bytes, needle).is_none() {
        return None;
    }
    let mut clean = bytes.to_vec();
    blot_all(&mut clean, needle);
    Some(clean)
}

fn blot_all(bytes: &mut [u8], needle: &[u8]) {
    let blot = blot(needle);
    let mut from = 0;
    while let Some(at) = memmem::find(&bytes[from..], needle) {
        let start = from + at;
        bytes[start..start + needle.len()].copy_from_slice(&blot);
        from = start + needle.len();
    }
}

/// `***************0001`; a key shorter than 12 characters shows nothing of itself.
fn blot(needle: &[u8]) -> Vec<u8> {
    let shown = if needle.len() < 12 { 0 } else { 4 };
    let mut blot = vec![b'*'; needle.len()];
    blot[needle.len() - shown..].copy_from_slice(&needle[needle.len() - shown..]);
    blot
}

/// The same over a stream. Bytes that may be the beginning of the key wait for the next chunk; all else passes
/// at once and, when clean, uncopied.
pub struct Redactor {
    key: Secret,
    held: BytesMut,
}

impl Redactor {
    pub fn new(key: Secret) -> Self {
        Self { key, held: BytesMut::new() }
    }

    /// What may be passed on now; empty when all of it must wait.
    pub fn push(&mut self, chunk: Bytes) -> Bytes {
        let needle = self.key.expose().as_bytes();
        if needle.is_empty() {
            return chunk;
        }
        let chunk = if self.held.is_empty() {
            chunk
        } else {
            self.held.extend_from_slice(&chunk);
            self.held.split().freeze()
        };
        let mut ready = match memmem::find(&chunk, needle) {
            None => chunk,
            Some(_) => {
                let mut clean = chunk.to_vec();
                blot_all(&mut clean, needle);
                Bytes::from(clean)
            }
        };
        let waiting = open_end(&ready, needle);
        self.held.extend_from_slice(&ready.split_off(ready.len() - waiting));
        ready
    }

    /// The end of the stream: what was held back was not the key after all.
    pub fn finish(&mut self) -> Bytes {
        self.held.split().freeze()
    }
}

/// Length of the longest end of `bytes` that begins the needle.
fn open_end(bytes: &[u8], needle: &[u8]) -> usize {
    let longest = bytes.len().min(needle.len() - 1);
    (1..=longest).rev().find(|&length| bytes.ends_with(&needle[..length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "test-key-alpha-0001";

    fn stream(text: &str, cuts: &[usize]) -> String {
        let mut redactor = Redactor::new(Secret::new(KEY));
        let mut out = Vec::new();
        let mut from = 0;
        for &cut in cuts.iter().chain([&text.len()]) {
            out.extend_from_slice(&redactor.push(Bytes::copy_from_slice(&text.as_bytes()[from..cut])));
            from = cut;
        }
        out.extend_from_slice(&redactor.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_key_is_blotted_wherever_the_stream_is_cut() {
        let text = format!("data: Consumer 'api_key:{KEY}' and t {KEY}{KEY} test-key-alph");
        let clean = text.replace(KEY, "***************0001");
        for first in 0..=text.len() {
            for second in [first, (first + 1).min(text.len()), (first + 10).min(text.len())] {
                assert_eq!(stream(&text, &[first, second]), clean, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn an_event_that_ends_like_no_key_is_not_held_back() {
        let mut redactor = Redactor::new(Secret::new(KEY));
        let event = Bytes::from_static(b"data: {\"text\":\"hi\"}\r\n\r\n");
        assert_eq!(redactor.push(event.clone()), event);
    }

    #[test]
    fn clean_bytes_are_not_copied() {
        assert_eq!(redact_once(b"nothing here", &Secret::new(KEY)), None);
        assert_eq!(redact_once(b"anything", &Secret::new("")), None);
    }
}

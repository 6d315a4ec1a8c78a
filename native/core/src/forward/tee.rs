//! Looks into an answer beside its way to the client, for the token counts at its end. What passes, compressed or not, is
//! not touched, and a look that fails or would cost too much is given up: then nothing is known.

use bytes::Bytes;
use http::HeaderMap;

use super::gunzip::Gunzip;
use super::tail::Tail;
use super::{is_gzip, is_packed};
use crate::requests::TokensView;

/// Compressed bytes of one answer that are unpacked here. Longer ones are images, whose base64 costs more to unpack than
/// their counts are worth.
const MOST_PACKED: usize = 1024 * 1024;

pub struct Tee {
    gunzip: Option<Box<Gunzip>>,
    packed: usize,
    tail: Tail,
}

impl Tee {
    /// `None` for an answer packed in a way that is not read here.
    pub fn new(headers: &HeaderMap) -> Option<Self> {
        let gzip = is_gzip(headers);
        let readable = gzip || !is_packed(headers);
        readable.then(|| Self { gunzip: gzip.then(Box::default), packed: 0, tail: Tail::default() })
    }

    /// Whether the rest is wanted.
    #[must_use]
    pub fn push(&mut self, chunk: &Bytes) -> bool {
        let Some(gunzip) = self.gunzip.as_mut() else {
            self.tail.push(chunk);
            return true;
        };
        self.packed += chunk.len();
        if self.packed > MOST_PACKED {
            return false;
        }
        gunzip.push(chunk).map(|plain| self.tail.push(&plain)).is_ok()
    }

    pub fn tokens(&self) -> Option<TokensView> {
        self.tail.tokens()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::header::{CONTENT_ENCODING, HeaderValue};

    use super::*;

    const ANSWER: &[u8] = br#"{"candidates":[],"usageMetadata":{"promptTokenCount":7}}"#;

    fn headers(encoding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(encoding))])
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn counts_are_read_out_of_plain_and_packed_answers() {
        let mut plain = Tee::new(&HeaderMap::new()).unwrap();
        assert!(plain.push(&Bytes::from_static(ANSWER)));
        let mut tee = Tee::new(&headers("gzip")).unwrap();
        assert!(packed(ANSWER).chunks(5).all(|chunk| tee.push(&Bytes::copy_from_slice(chunk))));
        assert_eq!(tee.tokens().map(|tokens| tokens.input), Some(7));
        assert_eq!(tee.tokens(), plain.tokens());
        assert!(Tee::new(&headers("br")).is_none());
    }

    #[test]
    fn a_look_that_costs_too_much_or_fails_is_given_up() {
        let mut rng = fastrand::Rng::with_seed(1);
        let noise: Vec<u8> = (0..2 * MOST_PACKED).map(|_| rng.u8(..)).collect();
        let mut tee = Tee::new(&headers("gzip")).unwrap();
        assert!(!packed(&noise).chunks(16 * 1024).all(|chunk| tee.push(&Bytes::copy_from_slice(chunk))));
        let mut tee = Tee::new(&headers("gzip")).unwrap();
        assert!(!tee.push(&Bytes::from_static(b"this is not gzip at all")));
    }
}

//! Unpacks gzip answers that must be read here: whole error bodies and streams sent compressed although
//! `identity` was asked for. Output is bounded, so that a small answer cannot unpack into all of memory.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::GzDecoder;

/// Unpacked bytes one pushed chunk may yield; DEFLATE yields at most 1,032 for one.
const MOST_PER_CHUNK: usize = 16 * 1024 * 1024;

/// A growing buffer that refuses to outgrow its limit.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + part.len() > self.limit {
            return Err(io::Error::other("the unpacked answer is too large"));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub struct Gunzip(GzDecoder<Bounded>);

impl Default for Gunzip {
    fn default() -> Self {
        Self(GzDecoder::new(Bounded { bytes: Vec::new(), limit: MOST_PER_CHUNK }))
    }
}

impl Gunzip {
    /// Everything that can be unpacked so far, as soon as the sender flushed it.
    pub fn push(&mut self, chunk: &[u8]) -> io::Result<Bytes> {
        self.0.write_all(chunk)?;
        self.0.flush()?;
        Ok(Bytes::from(std::mem::take(&mut self.0.get_mut().bytes)))
    }

    /// Checks that the stream was whole.
    pub fn finish(mut self) -> io::Result<Bytes> {
        self.0.try_finish()?;
        Ok(Bytes::from(std::mem::take(&mut self.0.get_mut().bytes)))
    }
}

/// A whole body of at most `limit` unpacked bytes. A truncated body yields what there is.
pub fn gunzip_whole(packed: &[u8], limit: usize) -> io::Result<Bytes> {
    let mut decoder = GzDecoder::new(Bounded { bytes: Vec::new(), limit });
    decoder.write_all(packed)?;
    let _ = decoder.try_finish();
    Ok(Bytes::from(std::mem::take(&mut decoder.get_mut().bytes)))
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn each_flushed_event_comes_out_at_once() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let mut gunzip = Gunzip::default();
        for event in ["data: one\r\n\r\n", "data: two\r\n\r\n"] {
            encoder.write_all(event.as_bytes()).unwrap();
            encoder.flush().unwrap();
            let packed = std::mem::take(encoder.get_mut());
            assert_eq!(gunzip.push(&packed).unwrap(), event);
        }
        gunzip.push(&encoder.finish().unwrap()).unwrap();
        gunzip.finish().unwrap();
    }

    #[test]
    fn a_bomb_is_refused() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![0; 4 * 1024 * 1024]).unwrap();
        let packed = encoder.finish().unwrap();
        assert!(packed.len() < 8_192);
        assert!(gunzip_whole(&packed, 1024 * 1024).is_err());
    }
}

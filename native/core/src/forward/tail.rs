//! Watches a 200 answer stream by for the error it may end in: an SSE event `data: {"error":…}`, a bare
//! `{"error":…}`, or the last element of a JSON array. Only the last bytes are kept; nothing is changed.

use super::super::dispatch::upstream_error::UpstreamError;

/// Larger than any error body seen (about 3 KB), small enough to keep one per stream.
const KEPT: usize = 16 * 1024;

#[derive(Default)]
pub struct Tail {
    last: Vec<u8>,
}

impl Tail {
    pub fn push(&mut self, chunk: &[u8]) {
        if chunk.len() >= KEPT {
            self.last.clear();
            self.last.extend_from_slice(&chunk[chunk.len() - KEPT..]);
            return;
        }
        // Trimmed only when doubled, so that a long stream costs one move per 16 KiB and not one per chunk.
        if self.last.len() + chunk.len() > 2 * KEPT {
            self.last.drain(..self.last.len() + chunk.len() - KEPT);
        }
        self.last.extend_from_slice(chunk);
    }

    /// The error the stream ended in, if it did.
    pub fn error(&self) -> Option<UpstreamError> {
        let start = self.last_top_level_object()?;
        let mut values = serde_json::Deserializer::from_slice(&self.last[start..]).into_iter();
        let value: serde_json::Value = values.next()?.ok()?;
        let rest = &self.last[start + values.byte_offset()..];
        let ended = rest.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b']');
        let error = UpstreamError::from_value(&value).filter(|_| ended)?;
        (error.code.is_some() || !error.status.is_empty()).then_some(error)
    }

    /// Where the last `{ "error"` begins that stands at the start of an event, a line or an array element.
    fn last_top_level_object(&self) -> Option<usize> {
        memchr::memmem::rfind_iter(&self.last, b"\"error\"").find_map(|at| {
            let before = self.last[..at].trim_ascii_end();
            let outside = before.strip_suffix(b"{")?;
            let start = outside.len();
            let line = outside.trim_ascii_end();
            let top = line.is_empty()
                || line.ends_with(b"data:")
                || line.ends_with(b"[")
                || line.ends_with(b",")
                || line.ends_with(b"}")
                || outside.ends_with(b"\n");
            top.then_some(start)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> Option<u16> {
        let mut tail = Tail::default();
        text.as_bytes().chunks(7).for_each(|chunk| tail.push(chunk));
        tail.error()?.code
    }

    #[test]
    fn finds_the_error_in_each_form_a_stream_may_end_in() {
        let good = "data: {\"candidates\":[{\"content\":{}}]}\r\n\r\n";
        let error = r#"{"error":{"code":503,"status":"UNAVAILABLE","message":"overloaded"}}"#;
        assert_eq!(error_of(&format!("{good}data: {error}\r\n\r\n")), Some(503));
        assert_eq!(error_of(&format!("{good}{error}")), Some(503));
        assert_eq!(error_of(&format!("{good}{{\n  \"error\": {{\n    \"code\": 429 }} }}\n")), Some(429));
        assert_eq!(error_of(&format!("[{{\"candidates\":[]}}\n,\r\n{error}\n]")), Some(503));
        assert_eq!(error_of(&format!("[{error}]")), Some(503));
    }

    #[test]
    fn a_model_that_talks_of_errors_has_not_failed() {
        let call = r#"data: {"candidates":[{"args":{"error":{"code":1,"status":"x"}}}]}"#;
        let text = r#"data: {"text":"{\"error\":{\"code\":500}}"}"#;
        for stream in [call, text, "data: {\"candidates\":[]}\r\n\r\n", ""] {
            assert_eq!(error_of(stream), None, "{stream}");
        }
    }

    #[test]
    fn keeps_only_the_end_of_a_long_stream() {
        let mut tail = Tail::default();
        for _ in 0..10_000 {
            tail.push(&[b'x'; 100]);
        }
        tail.push(b"\n{\"error\":{\"code\":500}}");
        assert!(tail.last.len() <= 2 * KEPT);
        assert_eq!(tail.error().and_then(|error| error.code), Some(500));
    }
}

//! Watches a 200 answer stream by for what it ends in: an error (an SSE event `data: {"error":…}`, a bare `{"error":…}`,
//! or the last element of a JSON array) and the token counts. Only the last bytes are kept, read once at the end; nothing
//! is changed.

use std::mem::take;
use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memmem::Finder;
use serde::de::IgnoredAny;

use super::super::dispatch::upstream_error::UpstreamError;
use crate::generate::answer::Usage;
use crate::requests::TokensView;

/// Larger than any error body seen (about 3 KB), small enough to keep one per stream.
const KEPT: usize = 16 * 1024;

/// What is looked for in every answer, made ready once.
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"error\""));
static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"usage"));

#[derive(Default)]
pub struct Tail {
    /// The first chunk, for as long as it is the only one: most answers come in one, and it need not be copied.
    only: Bytes,
    last: Vec<u8>,
}

impl Tail {
    pub fn push(&mut self, chunk: &Bytes) {
        if self.only.is_empty() && self.last.is_empty() {
            self.only = chunk.clone();
            return;
        }
        let only = take(&mut self.only);
        if !only.is_empty() {
            self.copy(&only);
        }
        self.copy(chunk);
    }

    fn copy(&mut self, chunk: &[u8]) {
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
        let mut values = serde_json::Deserializer::from_slice(&self.bytes()[start..]).into_iter();
        let value: serde_json::Value = values.next()?.ok()?;
        let rest = &self.bytes()[start + values.byte_offset()..];
        let ended = rest.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b']');
        let error = UpstreamError::from_value(&value).filter(|_| ended)?;
        (error.code.is_some() || !error.status.is_empty()).then_some(error)
    }

    /// The token counts said last.
    pub fn tokens(&self) -> Option<TokensView> {
        tokens(self.bytes())
    }

    fn bytes(&self) -> &[u8] {
        if self.only.is_empty() { &self.last } else { &self.only }
    }

    /// Where the last `{ "error"` begins that stands at the start of an event, a line or an array element.
    fn last_top_level_object(&self) -> Option<usize> {
        places(self.bytes(), &ERROR).find_map(|at| {
            let before = self.bytes()[..at].trim_ascii_end();
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

/// The last `usageMetadata` of an answer, of which `end` is the end.
pub fn tokens(end: &[u8]) -> Option<TokensView> {
    let end = &end[end.len().saturating_sub(2 * KEPT)..];
    places(end, &USAGE).find_map(|at| {
        let named = &end[at..];
        let mut names = ["\"usageMetadata\"", "\"usage_metadata\""].into_iter();
        names.find_map(|name| counts(named.strip_prefix(name.as_bytes())?))
    })
}

/// Where `needle` stands, the last place first. Found from the front: a search from the back goes byte by byte, which was
/// an eighth of what a small request costs.
fn places(bytes: &[u8], needle: &Finder<'_>) -> impl Iterator<Item = usize> {
    needle.find_iter(bytes).collect::<Vec<_>>().into_iter().rev()
}

/// `after` follows the name. What a model wrote as a call's arguments is no answer's own count: there the object around
/// it is not the last to end.
fn counts(after: &[u8]) -> Option<TokensView> {
    let value = after.trim_ascii_start().strip_prefix(b":")?;
    let mut values = serde_json::Deserializer::from_slice(value).into_iter::<Usage>();
    let usage = values.next()?.ok()?;
    let rest = [b"{\"x\":0", &value[values.byte_offset()..]].concat();
    let mut around = serde_json::Deserializer::from_slice(&rest).into_iter::<IgnoredAny>();
    around.next()?.ok()?;
    let beyond = rest[around.byte_offset()..].trim_ascii_start();
    // A cache that was made says a total alone: nothing was asked.
    let asked = usage.prompt_token_count.or(usage.candidates_token_count).is_some();
    (asked && !beyond.starts_with(b"}")).then(|| TokensView::from(&usage))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens_of(text: &str) -> Option<(u64, u64, u64, u64)> {
        let mut tail = Tail::default();
        text.as_bytes().chunks(7).for_each(|chunk| tail.push(&Bytes::copy_from_slice(chunk)));
        let counted = |tokens: TokensView| (tokens.input, tokens.output, tokens.cached, tokens.thought);
        tail.tokens().map(counted)
    }

    #[test]
    fn the_counts_said_last_are_those_of_the_answer() {
        let usage = r#""usageMetadata": {"promptTokenCount": 7, "toolUsePromptTokenCount": 2, "candidatesTokenCount": 5,
            "thoughtsTokenCount": 3, "cachedContentTokenCount": 4, "totalTokenCount": 17}"#;
        let early = r#"{"candidates":[],"usageMetadata":{"promptTokenCount":1}}"#;
        let whole = format!("{{\n \"candidates\": [{{}}],\n {usage}\n,\"modelVersion\": \"m\"}}\n");
        for text in [
            whole.clone(),
            format!("data: {early}\r\n\r\ndata: {{{usage},\"responseId\":\"r\"}}\r\n\r\n"),
            format!("[{early},\r\n{{{usage}}}\n]"),
            format!("data: {{{usage}}}\n\ndata: {{\"candidates\":[{{\"finishReason\":\"STOP\"}}]}}\n\n"),
            format!("{}{whole}", "x".repeat(100_000)),
        ] {
            assert_eq!(tokens_of(&text), Some((9, 8, 4, 3)), "{text}");
        }
    }

    #[test]
    fn counts_that_a_model_wrote_are_none() {
        let args = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"args":{"usageMetadata":{"promptTokenCount":9}}}}]}}]}"#;
        let said = r#"{"candidates":[{"text":"\"usageMetadata\":{\"promptTokenCount\":9}"}]}"#;
        for text in [
            args,
            said,
            "{}",
            "",
            r#"{"usageMetadata":{"totalTokenCount":9}}"#,
            r#"{"usageMetadata":{"promptTokenCount":9"#,
        ] {
            assert_eq!(tokens_of(text), None, "{text}");
        }
    }

    fn error_of(text: &str) -> Option<u16> {
        let mut tail = Tail::default();
        text.as_bytes().chunks(7).for_each(|chunk| tail.push(&Bytes::copy_from_slice(chunk)));
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
            tail.push(&Bytes::from_static(&[b'x'; 100]));
        }
        tail.push(&Bytes::from_static(b"\n{\"error\":{\"code\":500}}"));
        assert!(tail.last.len() <= 2 * KEPT);
        assert_eq!(tail.error().and_then(|error| error.code), Some(500));
    }
}

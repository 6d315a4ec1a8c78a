//! Measures what answering in the OpenAI dialect costs: one chunk of a stream (a short text as Gemini sends it, and a call
//! of a tool), one whole answer of 4 KB, and one answer with an image of 8 MiB. Prints one line of JSON for
//! `npm run bench`, which knows the bounds. No sockets; the buffer is reused as a connection would.

use std::error::Error;
use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use aggregator_core::dialect::openai::Asked;
use aggregator_core::dialect::openai::answer::{StreamEncoder, whole};
use bytes::BytesMut;

const ROUNDS: usize = 25;
const EVENTS: u32 = 5_000;
const ANSWERS: u32 = 1_000;
const IMAGE: usize = 8 * 1024 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let text = event(r#"{"text": "Some forty characters of \"text\", é and \n."}"#);
    let call = event(r#"{"functionCall": {"name": "read", "args": {"path": "/a/b.rs", "lines": [1, 40]}}}"#);
    let words = whole_answer(&format!(r#"{{"text": "{}"}}"#, "Plain words, no more. ".repeat(4 * 1024 / 22)));
    let data = "iVBORw0KGgo1".repeat(IMAGE / 12);
    let image = whole_answer(&format!(r#"{{"inlineData": {{"mimeType": "image/png", "data": "{data}"}}}}"#));
    let line = serde_json::json!({
        "textChunkUs": micros(quickest(|| stream(&text)) / EVENTS),
        "callChunkUs": micros(quickest(|| stream(&call)) / EVENTS),
        "whole4kUs": micros(quickest(|| answers(&words, ANSWERS)) / ANSWERS),
        "image8mMs": micros(quickest(|| answers(&image, 1))) / 1e3,
    });
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

/// With the fields that Google sends in each event.
fn event(part: &str) -> Vec<u8> {
    let json = format!(
        r#"{{"candidates": [{{"content": {{"parts": [{part}],"role": "model"}},"index": 0}}],"usageMetadata": {{"promptTokenCount": 700,"candidatesTokenCount": 50,"totalTokenCount": 774,"promptTokensDetails": [{{"modality": "TEXT","tokenCount": 700}}],"thoughtsTokenCount": 24}},"modelVersion": "gemini-3.8-flash","responseId": "YvMlaYzXHMnTz7IPub-h6AU"}}"#
    );
    format!("data: {json}\r\n\r\n").into_bytes()
}

fn whole_answer(part: &str) -> Vec<u8> {
    let json = format!(
        r#"{{"candidates": [{{"content": {{"parts": [{part}], "role": "model"}}, "finishReason": "STOP", "index": 0}}], "usageMetadata": {{"promptTokenCount": 7, "candidatesTokenCount": 5, "totalTokenCount": 12}}}}"#
    );
    json.into_bytes()
}

fn asked() -> Asked {
    Asked { model: "gemini-3.8-flash".to_owned(), id: "a1b2c3".to_owned(), created: 1, ..Asked::default() }
}

/// Each event is its own piece, as it is when a model speaks.
fn stream(event: &[u8]) -> Duration {
    let mut encoder = StreamEncoder::new(asked(), || "1".to_owned());
    let mut out = BytesMut::with_capacity(4096);
    let begun = Instant::now();
    for _ in 0..EVENTS {
        encoder.push(black_box(event), &mut out);
        black_box(&out);
        out.clear();
    }
    begun.elapsed()
}

fn answers(body: &[u8], count: u32) -> Duration {
    let asked = asked();
    let mut out = BytesMut::new();
    let begun = Instant::now();
    for _ in 0..count {
        let told = whole(&asked, black_box(body), &mut || "1".to_owned(), &mut out);
        black_box((&out, told.is_ok()));
        out.clear();
    }
    begun.elapsed()
}

/// Whatever else the machine does meanwhile only adds to a round.
fn quickest(round: impl FnMut() -> Duration) -> Duration {
    std::iter::repeat_with(round).take(ROUNDS).min().unwrap_or_default()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

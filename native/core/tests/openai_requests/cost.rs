//! Long media and texts are slices of the client's body: nothing of them is copied.

use aggregator_core::dialect::openai::request::{chat, embeddings};
use bytes::Bytes;

use crate::world::context;

const LONG: usize = 1024 * 1024;

/// How many bytes of `pieces` are no part of `body`.
fn copied(body: &Bytes, pieces: &[Bytes]) -> usize {
    let own = body.as_ptr_range();
    pieces.iter().filter(|piece| !own.contains(&piece.as_ptr())).map(Bytes::len).sum()
}

fn chat_copies(content: &str) -> usize {
    let message = format!(r#"{{"role":"user","content":{content}}}"#);
    let body = Bytes::from(format!(r#"{{"model":"gemini-3.8-flash","messages":[{message}]}}"#));
    copied(&body, &context(|context| chat::decode(&body, context)).unwrap().body)
}

#[test]
fn long_media_and_texts_are_not_copied() {
    let image = |data: String| {
        format!(r#"[{{"type":"image_url","image_url":{{"url":"data:image\/png;base64,{data}"}}}}]"#)
    };
    for content in [
        image("A".repeat(LONG)),
        // As PHP writes it.
        image("AA\\/A".repeat(LONG / 5)),
        format!(
            r#"[{{"type":"input_audio","input_audio":{{"data":"{}","format":"wav"}}}}]"#,
            "A".repeat(LONG)
        ),
        format!(r#"[{{"type":"file","file":{{"file_data":"{}","filename":"a.pdf"}}}}]"#, "A".repeat(LONG)),
        format!(r#""{}""#, "a long text\\n with \\u00e9scapes ".repeat(LONG / 32)),
    ] {
        let copied = chat_copies(&content);
        assert!(copied < 300, "{copied} bytes are copied of {}…", &content[..60]);
    }
}

#[test]
fn a_long_result_of_a_tool_and_a_long_text_to_embed_are_not_copied() {
    let result = format!(r#""{}""#, "{\\\"line\\\":1}\\n".repeat(LONG / 16));
    let body = Bytes::from(format!(
        r#"{{"model":"gemini-3.8-flash","messages":[{{"role":"user","content":"Hi"}},
        {{"role":"assistant","tool_calls":[{{"id":"a","type":"function","function":{{"name":"f","arguments":""}}}}]}},
        {{"role":"tool","tool_call_id":"a","content":{result}}}]}}"#
    ));
    assert!(copied(&body, &context(|context| chat::decode(&body, context)).unwrap().body) < 500);
    let body = Bytes::from(format!(
        r#"{{"model":"gemini-embedding-001","input":["{}"]}}"#,
        "word ".repeat(LONG / 5)
    ));
    assert!(copied(&body, &context(|context| embeddings::decode(&body, context)).unwrap().body) < 200);
}

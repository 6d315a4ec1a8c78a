//! The decoders of OpenAI's requests: whatever comes is refused with words or becomes one call of Gemini's whose body is
//! JSON and not much longer than what came.

use std::sync::Arc;

use aggregator_core::dialect::openai::Endpoint;
use aggregator_core::dialect::openai::request::{Context, Translatable, decode};
use bytes::Bytes;
use http::uri::PathAndQuery;
use serde::de::IgnoredAny;

/// Escapes make a text six times as long.
const LONGER: usize = 8;
/// What schemas of one request may become, whatever refers to whatever.
const SCHEMAS: usize = 4 * 1024 * 1024;

pub fn requests(input: &[u8]) {
    let body = Bytes::copy_from_slice(input);
    let context = Context {
        alias: &|name| (name == "gpt-5").then(|| "gemini-3.8-flash".to_owned()),
        signature: &|id| id.len().is_multiple_of(2).then(|| Arc::from("c2lnbmVk")),
        id: "id".to_owned(),
        created: 1,
    };
    for endpoint in [Endpoint::Chat, Endpoint::Completions, Endpoint::Embeddings, Endpoint::Images] {
        match decode(&endpoint, &body, &context, std::iter::empty()) {
            Ok(translatable) => is_one_call(&translatable, input.len()),
            Err(error) => {
                assert!(error.message.trim_end_matches(')').ends_with('.'), "{endpoint:?}: {}", error.message)
            }
        }
    }
}

fn is_one_call(translatable: &Translatable, length: usize) {
    let Translatable { target, model, body, .. } = translatable;
    assert!(target.starts_with("/v1beta/") && target.parse::<PathAndQuery>().is_ok(), "{target}");
    assert!(model.as_ref().is_some_and(|model| !model.is_empty()));
    let body = body.concat();
    let text = std::str::from_utf8(&body).expect("UTF-8");
    serde_json::from_str::<IgnoredAny>(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert!(text.starts_with('{') && text.len() <= LONGER * length + SCHEMAS, "{} of {length}", text.len());
}

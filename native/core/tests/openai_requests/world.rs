//! One way into every decoder, and what the tests want to see of its result, as JSON.

use std::sync::Arc;

use aggregator_core::dialect::openai::Asked;
use aggregator_core::dialect::openai::request::{
    Context, Decoded, RequestError, chat, completions, embeddings, images,
};
use bytes::Bytes;
use serde_json::{Value, json};

/// The one signature that was kept, and whose it is.
pub const KEPT: (&str, &str) = ("call_agg_kept", "a2VwdC1zaWduYXR1cmU=");

pub fn context<R>(run: impl FnOnce(&Context<'_>) -> R) -> R {
    let alias = |name: &str| match name {
        "gpt-5" => Some("gemini-3.8-flash".to_owned()),
        "dall-e-3" => Some("imagen-4.0-generate-001".to_owned()),
        _ => None,
    };
    let signature = |id: &str| (id == KEPT.0).then(|| Arc::from(KEPT.1));
    run(&Context { alias: &alias, signature: &signature, id: "id".to_owned(), created: 1 })
}

/// `endpoint` as a case's name begins: chat, completions, embeddings, images.
pub fn translate(endpoint: &str, body: &Bytes) -> Result<Value, RequestError> {
    context(|context| match endpoint {
        "chat" => Ok(generate(chat::decode(body, context)?)),
        "completions" => Ok(generate(completions::decode(body, context)?)),
        "embeddings" => {
            let decoded = embeddings::decode(body, context)?;
            let asked =
                json!({ "base64": decoded.base64, "count": decoded.count, "model": decoded.asked_model });
            Ok(json!({ "target": decoded.target, "body": parsed(&decoded.body), "asked": asked }))
        }
        "images" => {
            let decoded = images::decode(body, context)?;
            let mut asked = json!({ "predict": decoded.predict });
            if decoded.as_url {
                asked["as_url"] = true.into();
            }
            Ok(json!({ "target": decoded.target, "body": parsed(&decoded.body), "asked": asked }))
        }
        other => panic!("no endpoint {other}"),
    })
}

fn generate(decoded: Decoded) -> Value {
    let mut shown = json!({ "target": decoded.target, "body": parsed(&decoded.body) });
    let asked = asked(&decoded.asked, &decoded.model);
    for (name, value) in [("asked", asked), ("calls", json!(decoded.calls))] {
        if value != json!([]) && value != json!({}) {
            shown[name] = value;
        }
    }
    shown
}

/// What is not as in a plain request.
fn asked(asked: &Asked, model: &str) -> Value {
    let mut shown = json!({});
    for (name, set) in [
        ("completion", asked.completion),
        ("streams", asked.streams),
        ("include_usage", asked.include_usage),
        ("one_call", asked.one_call),
        ("legacy_functions", asked.legacy_functions),
    ] {
        if set {
            shown[name] = true.into();
        }
    }
    if !asked.tool_names.is_empty() {
        shown["tool_names"] = json!(asked.tool_names);
    }
    if asked.model != model {
        shown["model"] = json!(asked.model);
    }
    shown
}

pub fn parsed(pieces: &[Bytes]) -> Value {
    serde_json::from_slice(&pieces.concat()).unwrap()
}

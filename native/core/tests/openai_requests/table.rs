//! docs/openai.md says of every field of OpenAI's chat request what is done with it; here it is held to that.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::world::translate;

const PAGE: &str = include_str!("../../../../docs/openai.md");

/// Every field of `ChatCompletionCreateParams` in openai-node 7.55, with a value that asks for something.
fn fields() -> BTreeMap<&'static str, Value> {
    let function = json!({ "name": "f" });
    let tool = json!({ "type": "function", "function": function });
    let fields = [
        ("audio", json!({ "voice": "alloy", "format": "wav" })),
        ("frequency_penalty", json!(0.5)),
        ("function_call", json!({ "name": "f" })),
        ("functions", json!([function])),
        ("logit_bias", json!({ "1": -100 })),
        ("logprobs", json!(true)),
        ("max_completion_tokens", json!(9)),
        ("max_tokens", json!(9)),
        ("messages", json!([{ "role": "user", "content": "Another" }])),
        ("metadata", json!({ "a": "b" })),
        ("modalities", json!(["text", "audio"])),
        ("model", json!("gemini-2.5-pro")),
        ("moderation", json!({ "model": "omni-moderation-latest" })),
        ("n", json!(2)),
        ("parallel_tool_calls", json!(false)),
        ("prediction", json!({ "type": "content", "content": "x" })),
        ("presence_penalty", json!(0.5)),
        ("prompt_cache_key", json!("k")),
        ("prompt_cache_options", json!({ "mode": "explicit" })),
        ("prompt_cache_retention", json!("24h")),
        ("reasoning_effort", json!("low")),
        ("response_format", json!({ "type": "json_object" })),
        ("safety_identifier", json!("s")),
        ("seed", json!(7)),
        ("service_tier", json!("flex")),
        ("stop", json!("END")),
        ("store", json!(true)),
        ("stream", json!(true)),
        ("stream_options", json!({ "include_usage": true })),
        ("temperature", json!(0.5)),
        ("tool_choice", json!("none")),
        ("tools", json!([tool])),
        ("top_logprobs", json!(2)),
        ("top_p", json!(0.5)),
        ("user", json!("u")),
        ("verbosity", json!("low")),
        ("web_search_options", json!({})),
    ];
    fields.into_iter().collect()
}

/// What a field needs beside it to mean something.
fn beside(field: &str) -> Value {
    match field {
        "function_call" => json!({ "functions": [{ "name": "f" }] }),
        "tool_choice" => json!({ "tools": [{ "type": "function", "function": { "name": "f" } }] }),
        "top_logprobs" => json!({ "logprobs": true }),
        "stream_options" => json!({ "stream": true }),
        _ => json!({}),
    }
}

fn documented() -> BTreeMap<&'static str, &'static str> {
    let section = PAGE.split("## ").find(|section| section.starts_with("Chat:")).unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.map(|(field, rest)| (field, rest.split(" | ").next().unwrap())).collect()
}

#[test]
fn every_field_is_treated_as_the_page_says() {
    let documented = documented();
    let fields = fields();
    assert!(documented.keys().eq(fields.keys()), "{documented:?}");
    for (field, value) in fields {
        let mut request =
            json!({ "model": "gemini-3.8-flash", "messages": [{ "role": "user", "content": "Hi" }] });
        for (name, value) in beside(field).as_object().unwrap() {
            request[name] = value.clone();
        }
        let ask = |request: &Value| translate("chat", &Bytes::from(request.to_string()));
        let without = ask(&request).unwrap();
        request[field] = value;
        let with = ask(&request);
        match documented[field] {
            "supported" => assert_ne!(with.unwrap(), without, "{field}"),
            "ignored" => assert_eq!(with.unwrap(), without, "{field}"),
            "refused" => {
                let error = with.unwrap_err();
                assert_eq!(error.param.as_deref(), Some(field));
                assert!(error.message.contains(field) && error.message.ends_with('.'), "{}", error.message);
            }
            other => panic!("{field} is {other}"),
        }
    }
}

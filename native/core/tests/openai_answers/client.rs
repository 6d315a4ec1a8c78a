//! A strict client of OpenAI's: reads a stream, complains about what no client would understand, and puts the deltas
//! together to what a whole answer would have said.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

#[derive(Default)]
pub struct Heard {
    pub choices: BTreeMap<u64, Value>,
    pub usage: Option<Value>,
    pub error: Option<Value>,
    pub done: bool,
}

/// `include_usage` as the client asked.
pub fn listen(stream: &[u8], include_usage: bool) -> Heard {
    let text = std::str::from_utf8(stream).expect("UTF-8");
    let mut heard = Heard::default();
    let Some(text) = text.strip_suffix("\n\n") else {
        assert!(text.is_empty(), "an event without an end: {text}");
        return heard;
    };
    for event in text.split("\n\n") {
        assert!(!heard.done && heard.error.is_none(), "more after the end: {event}");
        let data = event.strip_prefix("data: ").filter(|data| !data.contains(['\n', '\r'])).expect(event);
        if data == "[DONE]" {
            heard.done = true;
            continue;
        }
        let chunk: Value = serde_json::from_str(data).expect(data);
        if let Some(error) = chunk.get("error") {
            assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
            assert!(error["type"].is_string() && error["code"].is_string(), "{error}");
            heard.error = Some(error.clone());
            continue;
        }
        heard.chunk(&chunk, include_usage);
    }
    heard
}

impl Heard {
    fn chunk(&mut self, chunk: &Value, include_usage: bool) {
        assert!(self.usage.is_none(), "a chunk after the usage: {chunk}");
        let choices = chunk["choices"].as_array().expect("choices");
        if choices.is_empty() {
            assert!(include_usage && chunk["usage"].is_object(), "{chunk}");
            self.usage = Some(chunk["usage"].clone());
            return;
        }
        assert_eq!(chunk.get("usage").map(Value::is_null), include_usage.then_some(true), "{chunk}");
        for choice in choices {
            let index = choice["index"].as_u64().expect("an index");
            let is_new = !self.choices.contains_key(&index);
            let whole = self
                .choices
                .entry(index)
                .or_insert_with(|| json!({ "index": index, "logprobs": null, "finish_reason": null }));
            assert!(whole["finish_reason"].is_null(), "more after the finish: {chunk}");
            match choice.get("delta") {
                Some(delta) => {
                    assert_eq!(delta.get("role").is_some(), is_new, "the role comes first and once: {chunk}");
                    add_delta(&mut whole["message"], delta.as_object().expect("a delta"));
                }
                None => {
                    concat(&mut whole["text"], &choice["text"]);
                    merge(whole, "extra_content", choice);
                }
            }
            add_logprobs(&mut whole["logprobs"], &choice["logprobs"]);
            whole["finish_reason"] = choice["finish_reason"].clone();
        }
    }

    pub fn has_finished(&self) -> bool {
        self.choices.values().any(|choice| !choice["finish_reason"].is_null())
    }
}

fn add_delta(message: &mut Value, delta: &Map<String, Value>) {
    if message.is_null() {
        *message = json!({ "content": "" });
    }
    for (name, value) in delta {
        match name.as_str() {
            "role" => message["role"] = value.clone(),
            "content" | "reasoning_content" | "refusal" => concat(&mut message[name], value),
            "tool_calls" => value.as_array().expect(name).iter().for_each(|call| add_call(message, call)),
            "function_call" => {
                assert!(message.get(name).is_none(), "a message has room for one call: {delta:?}");
                assert!(is_object(&value["arguments"]) && value["name"].is_string(), "{value}");
                message[name] = value.clone();
            }
            "images" | "files" => {
                let list = list(&mut message[name]);
                list.extend(value.as_array().expect(name).iter().cloned());
            }
            "audio" => add_audio(&mut message["audio"], value),
            "extra_content" => merge(message, name, &Value::Object(delta.clone())),
            _ => panic!("no client knows {name}"),
        }
    }
}

fn list(value: &mut Value) -> &mut Vec<Value> {
    if value.is_null() {
        *value = json!([]);
    }
    value.as_array_mut().expect("a list")
}

fn concat(whole: &mut Value, more: &Value) {
    let text = format!("{}{}", whole.as_str().unwrap_or_default(), more.as_str().expect("a text"));
    *whole = Value::String(text);
}

fn add_call(message: &mut Value, call: &Value) {
    let calls = list(&mut message["tool_calls"]);
    let mut call = call.as_object().expect("a call").clone();
    assert_eq!(call.remove("index"), Some(json!(calls.len())), "calls are numbered as they come");
    assert!(is_object(&call["function"]["arguments"]), "{call:?}");
    calls.push(Value::Object(call));
}

/// A text that holds a JSON object.
fn is_object(arguments: &Value) -> bool {
    let arguments = arguments.as_str().expect("arguments");
    serde_json::from_str::<Map<String, Value>>(arguments).is_ok()
}

fn add_audio(whole: &mut Value, more: &Value) {
    let bytes = |audio: &Value| STANDARD.decode(audio["data"].as_str().unwrap_or_default()).expect("base64");
    let joined = STANDARD.encode([bytes(whole), bytes(more)].concat());
    *whole = more.clone();
    whole["data"] = Value::String(joined);
}

/// What is said again later replaces.
fn merge(into: &mut Value, name: &str, from: &Value) {
    let Some(google) = from.get(name).and_then(|extra| extra["google"].as_object()) else { return };
    assert!(!google.is_empty());
    for (member, value) in google {
        into[name]["google"][member] = value.clone();
    }
}

fn add_logprobs(whole: &mut Value, more: &Value) {
    let Some(more) = more.as_object() else { return };
    for (name, value) in more {
        match value.as_array() {
            Some(values) => list(&mut whole[name]).extend(values.iter().cloned()),
            None => whole[name] = value.clone(),
        }
    }
}

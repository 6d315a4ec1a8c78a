//! Requests made up by chance, each good at OpenAI: each is translated into one that is good at Gemini and says the same
//! words. `OPENAI_REQUESTS` sets how many. Damaged ones may be refused, but nothing breaks.

use bytes::Bytes;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::gemini::problems;
use crate::world::{KEPT, translate};

const USUAL: usize = 3_000;
const MODELS: [&str; 6] = [
    "gemini-3.8-flash",
    "gemini-3-pro-preview",
    "gemini-2.5-flash",
    "gemini-2.5-pro",
    "models/gemini-flash-latest",
    "gpt-5",
];
const FUNCTIONS: [&str; 6] = ["get_weather", "1st", "_1st", "with space", "mcp__server-tool", "ünïcode"];
const WORDS: [&str; 8] =
    ["Hi", "line\nbreak", "\"quoted\"", "back\\slash", "😀 emoji", "\u{1}control", "{\"a\":1}", "tab\t/"];

struct Made {
    request: Value,
    /// What was said, in order, by anyone but the system.
    said: Vec<String>,
    system: Vec<String>,
}

struct Maker<'r> {
    rng: &'r mut Rng,
    said: Vec<String>,
    system: Vec<String>,
    ids: usize,
}

impl Maker<'_> {
    fn chance(&mut self, of: u8) -> bool {
        self.rng.u8(..of) == 0
    }

    fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.rng.usize(..all.len())]
    }

    fn words(&mut self) -> String {
        format!("{} {}", self.one(&WORDS), self.rng.u16(..))
    }

    fn text_parts(&mut self) -> (Value, Vec<String>) {
        let texts: Vec<String> = (0..self.rng.usize(1..4)).map(|_| self.words()).collect();
        (texts.iter().map(|text| json!({ "type": "text", "text": text })).collect(), texts)
    }

    fn content(&mut self) -> (Value, Vec<String>) {
        if self.rng.bool() {
            let text = self.words();
            return (text.clone().into(), vec![text]);
        }
        self.text_parts()
    }

    fn media(&mut self) -> Value {
        match self.rng.u8(..6) {
            0 => json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,iVBORw0KGgo=" } }),
            1 => {
                json!({ "type": "image_url", "image_url": { "url": "https://example.com/a.jpg", "detail": "low" } })
            }
            2 => json!({ "type": "input_audio", "input_audio": { "data": "UklGRg==", "format": "wav" } }),
            3 => {
                json!({ "type": "file", "file": { "file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf" } })
            }
            4 => json!({ "type": "file", "file": { "file_id": "files/abc" } }),
            _ => {
                json!({ "type": "image_url", "image_url": { "url": "data:image/svg+xml;charset=utf-8;base64,PHN2Zy8+" } })
            }
        }
    }

    fn user(&mut self) -> Value {
        let (mut content, texts) = self.content();
        self.said.extend(texts);
        if let Some(parts) = content.as_array_mut() {
            let at = self.rng.usize(..=parts.len());
            let media = self.media();
            parts.insert(at, media);
        }
        json!({ "role": "user", "content": content })
    }

    fn system(&mut self) -> Value {
        let (content, texts) = self.content();
        self.system.extend(texts);
        json!({ "role": self.one(&["system", "developer"]), "content": content })
    }

    /// With calls, each answered right after.
    fn assistant(&mut self, messages: &mut Vec<Value>) {
        let mut message = json!({ "role": "assistant", "content": null });
        let calls = if self.rng.bool() { self.rng.usize(1..4) } else { 0 };
        if calls == 0 || self.rng.bool() {
            let (content, texts) = self.content();
            self.said.extend(texts);
            message["content"] = content;
        }
        let mut answers = Vec::new();
        for _ in 0..calls {
            self.ids += 1;
            let id = match self.rng.u8(..4) {
                0 if !messages.iter().any(|message| message.to_string().contains(KEPT.0))
                    && answers.is_empty() =>
                {
                    KEPT.0.to_owned()
                }
                1 => format!("call_agg_{}", self.ids),
                _ => format!("call{}", self.ids),
            };
            let arguments =
                self.one(&["{}", "{\"city\":\"Paris\",\"n\":[1,2,{\"x\":null}]}", "", "nonsense", "[1]"]);
            let mut call = json!({
                "id": id, "type": "function", "function": { "name": self.one(&FUNCTIONS), "arguments": arguments }
            });
            if self.chance(3) {
                call["extra_content"] = json!({ "google": { "thought_signature": "c2lnbmVk" } });
            }
            answers.push(json!({ "role": "tool", "tool_call_id": id, "content": self.result() }));
            match message["tool_calls"].as_array_mut() {
                Some(calls) => calls.push(call),
                None => message["tool_calls"] = json!([call]),
            }
        }
        messages.push(message);
        self.rng.shuffle(&mut answers);
        messages.extend(answers);
    }

    fn result(&mut self) -> Value {
        match self.rng.u8(..4) {
            0 => self.text_parts().0,
            1 => json!("{\"ok\":true,\"id\":12345678901234567890}"),
            2 => json!("{\"ok\":true}"),
            _ => self.words().into(),
        }
    }

    fn tools(&mut self, request: &mut Value) {
        let count = self.rng.usize(1..=FUNCTIONS.len());
        let offered = &FUNCTIONS[..count];
        request["tools"] = offered
            .iter()
            .map(|name| {
                let mut function = json!({ "name": name, "description": "d", "strict": self.rng.bool() });
                if self.rng.bool() {
                    function["parameters"] = self.schema();
                }
                json!({ "type": "function", "function": function })
            })
            .collect();
        let entry = |name: &str| json!({ "type": "function", "function": { "name": name } });
        let name = self.one(offered);
        request["tool_choice"] = match self.rng.u8(..6) {
            0 => "auto".into(),
            1 => "none".into(),
            2 => "required".into(),
            3 => entry(name),
            4 => {
                json!({ "type": "allowed_tools", "allowed_tools": { "mode": "auto", "tools": [entry(name)] } })
            }
            _ => {
                json!({ "type": "allowed_tools", "allowed_tools": { "mode": "required", "tools": [entry(name)] } })
            }
        };
        request["parallel_tool_calls"] = self.rng.bool().into();
    }

    fn schema(&mut self) -> Value {
        json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "$defs": { "tree": {
                "type": "object",
                "properties": { "next": { "$ref": "#/$defs/tree" }, "label": { "const": self.words() } },
                "required": ["next", "gone"],
            } },
            "properties": {
                "root": { "$ref": "#/$defs/tree" },
                "either": { "oneOf": [{ "type": "string", "pattern": "^a" }, { "type": "null" }] },
                "list": { "type": "array", "uniqueItems": self.rng.bool() },
                "kind": { "enum": ["a", "b", null, self.rng.u8(..)] },
            },
            "required": ["root", "list"],
            "additionalProperties": self.rng.bool(),
        })
    }

    fn settings(&mut self, request: &mut Value, model: &str) {
        let all = [
            ("temperature", json!(0.5)),
            ("top_p", json!(1)),
            ("n", json!(self.rng.u8(1..4))),
            ("seed", json!(self.rng.i64(..))),
            ("stop", self.one(&[&["a", "b"] as &[&str], &[""], &[]]).into()),
            ("presence_penalty", json!(-1.5)),
            ("frequency_penalty", json!(0)),
            ("max_completion_tokens", json!(self.rng.u16(1..))),
            ("logprobs", json!(true)),
            ("stream", json!(true)),
            ("stream_options", json!({ "include_usage": true, "include_obfuscation": false })),
            ("store", json!(true)),
            ("metadata", json!({ "a": "b" })),
            ("user", json!("u")),
            ("service_tier", json!("auto")),
            ("modalities", json!(["text"])),
            ("reasoning_effort", self.one(&["minimal", "low", "medium", "high", "xhigh", "max"]).into()),
        ];
        for (name, value) in all {
            if self.chance(3) {
                request[name] = value;
            }
        }
        let new = !model.contains("2.5");
        if (new || request.get("tools").is_none()) && self.chance(3) {
            let schema = json!({ "name": "x", "strict": true, "schema": self.schema() });
            request["response_format"] = self
                .one(&[0, 1])
                .eq(&0)
                .then(|| json!({ "type": "json_object" }))
                .unwrap_or(json!({ "type": "json_schema", "json_schema": schema }));
        }
    }
}

fn made(rng: &mut Rng) -> Made {
    let mut maker = Maker { rng, said: Vec::new(), system: Vec::new(), ids: 0 };
    let model = maker.one(&MODELS);
    let mut messages = Vec::new();
    for _ in 0..maker.rng.usize(..8) {
        match maker.rng.u8(..5) {
            0 => messages.push(maker.system()),
            1 | 2 => messages.push(maker.user()),
            _ => maker.assistant(&mut messages),
        }
    }
    messages.push(maker.user());
    let mut request = json!({ "model": model, "messages": messages });
    if maker.rng.bool() {
        maker.tools(&mut request);
    }
    maker.settings(&mut request, model);
    Made { request, said: maker.said, system: maker.system }
}

fn texts(content: &Value) -> Vec<String> {
    let parts = content["parts"].as_array().cloned().unwrap_or_default();
    parts.iter().filter_map(|part| Some(part.get("text")?.as_str()?.to_owned())).collect()
}

#[test]
fn any_request_that_openai_takes_becomes_one_that_gemini_takes() {
    const OPENING: &str = "(The conversation's beginning was left out.)";
    let count = std::env::var("OPENAI_REQUESTS").ok().and_then(|count| count.parse().ok()).unwrap_or(USUAL);
    let mut rng = Rng::with_seed(5);
    for round in 0..count {
        let Made { request, said, system } = made(&mut rng);
        let got = translate("chat", &Bytes::from(request.to_string()))
            .unwrap_or_else(|error| panic!("{round}: {error} ({:?}) {request}", error.param));
        let signed = !got["target"].as_str().unwrap().contains("2.5");
        assert_eq!(problems(&got["body"], signed), Vec::<String>::new(), "{round}: {request}\n{got}");
        let contents = got["body"]["contents"].as_array().unwrap();
        let heard: Vec<String> = contents.iter().flat_map(texts).filter(|text| text != OPENING).collect();
        assert_eq!(heard, said, "{round}: {request}");
        assert_eq!(texts(&got["body"]["systemInstruction"]), system, "{round}: {request}");
    }
}

#[test]
fn damaged_requests_are_refused_or_translated_and_nothing_breaks() {
    let mut rng = Rng::with_seed(6);
    for _ in 0..2_000 {
        let mut text = made(&mut rng).request.to_string().into_bytes();
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(..text.len());
            match rng.u8(..3) {
                0 => text[at] = b"{}[]\",:\\0nx"[rng.usize(..11)],
                1 => drop(text.remove(at)),
                _ => text.truncate(at.max(1)),
            }
        }
        for endpoint in ["chat", "completions", "embeddings", "images"] {
            let _ = translate(endpoint, &Bytes::from(text.clone()));
        }
    }
}

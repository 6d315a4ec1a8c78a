//! A conversation with calls without ids, held over several requests with clients that keep everything and with clients
//! that drop what they do not know.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

use crate::dialect::openai::Asked;
use crate::dialect::openai::answer::{StreamEncoder, whole};
use crate::dialect::openai::request::{Context, Decoded, chat};

#[derive(Default)]
struct World {
    kept: HashMap<String, String>,
    messages: Vec<Value>,
}

impl World {
    fn ask(&self) -> Decoded {
        let request = json!({
            "model": "gemini-3.8-flash", "messages": self.messages,
            "functions": [{ "name": "get weather", "parameters": { "type": "object" } }],
        });
        let signature = |id: &str| self.kept.get(id).map(|text| Arc::from(text.as_str()));
        let context = Context { alias: &|_| None, signature: &signature, id: "id".to_owned(), created: 1 };
        chat::decode(&Bytes::from(request.to_string()), &context).unwrap()
    }

    /// Gemini calls; the client's message.
    fn called(&mut self, asked: &Asked, args: &Value, signature: &str) -> Value {
        let call = json!({ "name": "get_weather", "args": args });
        let parts = json!([{ "functionCall": call, "thoughtSignature": signature }]);
        let body = json!({ "candidates": [{ "content": { "parts": parts }, "finishReason": "STOP" }] });
        let mut out = BytesMut::new();
        let told = whole(asked, body.to_string().as_bytes(), &mut String::new, &mut out).unwrap();
        let mut stream = StreamEncoder::new(asked.clone(), String::new);
        stream.push(format!("data: {body}\n\n").as_bytes(), &mut BytesMut::new());
        assert_eq!(stream.take_signatures(), told.signatures);
        self.kept.extend(told.signatures);
        serde_json::from_slice::<Value>(&out).unwrap()["choices"][0]["message"].clone()
    }

    fn go_on(&mut self, message: Value) {
        self.messages.push(message);
        self.messages.push(json!({ "role": "function", "name": "get weather", "content": "21" }));
    }
}

/// The signatures of all calls, as they are sent.
fn signatures(decoded: &Decoded) -> Vec<String> {
    let body: Value = serde_json::from_slice(&decoded.body.concat()).unwrap();
    let parts =
        body["contents"].as_array().unwrap().iter().flat_map(|turn| turn["parts"].as_array().unwrap());
    let calls = parts.filter(|part| part.get("functionCall").is_some());
    calls.map(|part| part["thoughtSignature"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_client_that_drops_signatures_gets_each_call_s_own_back() {
    let mut world =
        World { messages: vec![json!({ "role": "user", "content": "Weather?" })], ..World::default() };
    // The same call twice, and another one.
    for (round, args) in
        [json!({}), json!({}), json!({ "city": "Zürich \"x\"", "n": 1.50 })].iter().enumerate()
    {
        let decoded = world.ask();
        let expected: Vec<String> = (0..round).map(|earlier| format!("signature {earlier}")).collect();
        assert_eq!(signatures(&decoded), expected);
        assert_eq!(decoded.calls.len(), round, "they tell which key holds the conversation");
        let mut message = world.called(&decoded.asked, args, &format!("signature {round}"));
        assert_eq!(message["function_call"]["name"], "get weather");
        let call = message["function_call"].as_object_mut().unwrap();
        call.remove("extra_content").unwrap();
        // As Python's json.dumps would write it anew.
        let spaced = call["arguments"].as_str().unwrap().replace(':', ": ").replace(',', ", ");
        call["arguments"] = spaced.into();
        world.go_on(message);
    }
    assert_eq!(signatures(&world.ask()), ["signature 0", "signature 1", "signature 2"]);
    world.messages[0] = json!({ "role": "user", "content": "Another conversation." });
    let unknown = "skip_thought_signature_validator";
    assert_eq!(signatures(&world.ask()), [unknown; 3], "a signature stays in its conversation");
}

#[test]
fn a_client_that_keeps_the_message_whole_carries_the_signature_itself() {
    let mut world =
        World { messages: vec![json!({ "role": "user", "content": "Weather?" })], ..World::default() };
    let decoded = world.ask();
    let message = world.called(&decoded.asked, &json!({ "city": "Rome" }), "carried");
    world.go_on(message);
    world.kept.clear();
    assert_eq!(signatures(&world.ask()), ["carried"]);
}

//! The encoders of answers, given anything as Gemini's: each event of the stream is one that a client can read, `[DONE]`
//! comes only after a whole answer and an error otherwise, the same however the text is cut; a whole answer is JSON or
//! nothing at all.

use std::collections::{BTreeMap, BTreeSet};

use aggregator_core::dialect::openai::Asked;
use aggregator_core::dialect::openai::answer::{Images, StreamEncoder, whole};
use aggregator_core::generate::sse::SseReader;
use bytes::BytesMut;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::cuts;

pub fn stream(input: &[u8]) {
    for asked in asked() {
        let [one, others @ ..] = cuts(input);
        let expected = encode(&asked, &one);
        for pieces in others {
            assert_eq!(encode(&asked, &pieces), expected, "another cut");
        }
        if heard(&expected.0, &asked) {
            assert!(is_whole(input), "[DONE] after an answer that was not whole");
        }
        answers(&asked, input);
    }
}

fn asked() -> [Asked; 4] {
    let plain = Asked { model: "m".to_owned(), id: "1".to_owned(), created: 7, ..Asked::default() };
    [
        Asked { completion: true, ..plain.clone() },
        Asked { include_usage: true, one_call: true, ..plain.clone() },
        Asked { legacy_functions: true, ..plain.clone() },
        plain,
    ]
}

/// The stream, its signatures, and what was wrong.
fn encode(asked: &Asked, pieces: &[&[u8]]) -> (String, Vec<(String, String)>, Option<String>) {
    let mut encoder = StreamEncoder::new(asked.clone(), counter());
    let mut out = BytesMut::new();
    pieces.iter().for_each(|piece| encoder.push(piece, &mut out));
    encoder.finish(&mut out);
    let text = String::from_utf8(out.to_vec()).expect("UTF-8");
    (text, encoder.take_signatures(), encoder.fault().map(ToString::to_string))
}

fn counter() -> impl FnMut() -> String + Send {
    let mut count = 0;
    move || {
        count += 1;
        count.to_string()
    }
}

/// Reads the stream as a client does; whether it was said to be whole. What is too deep to look into is left there.
fn heard(stream: &str, asked: &Asked) -> bool {
    let mut choices: BTreeMap<u64, bool> = BTreeMap::new();
    let (mut done, mut failed) = (false, false);
    for event in stream.strip_suffix("\n\n").expect("an end").split("\n\n") {
        assert!(!done && !failed, "more after the end: {event}");
        let data =
            event.strip_prefix("data: ").filter(|data| !data.contains(['\n', '\r'])).expect("one line");
        if data == "[DONE]" {
            done = true;
            continue;
        }
        let Some(chunk) = json(data) else { return false };
        failed = chunk.get("error").is_some();
        if failed {
            assert!(chunk["error"]["message"].as_str().is_some_and(|words| !words.is_empty()), "{chunk}");
            continue;
        }
        chunk["choices"]
            .as_array()
            .expect("choices")
            .iter()
            .for_each(|choice| hear(&mut choices, choice, asked));
    }
    assert!(done != failed, "neither whole nor failed");
    assert!(choices.values().all(|finished| *finished == done), "an end that is none");
    done
}

fn hear(choices: &mut BTreeMap<u64, bool>, choice: &Value, asked: &Asked) {
    let index = choice["index"].as_u64().expect("an index");
    let role = choice["delta"].get("role").is_some();
    assert_eq!(role, !asked.completion && !choices.contains_key(&index), "{choice}");
    let finished = choices.entry(index).or_default();
    assert!(!*finished, "more after the finish: {choice}");
    *finished = choice["finish_reason"].is_string();
    let calls = choice["delta"]["tool_calls"].as_array().map_or(0, Vec::len);
    assert!(calls == 0 || !asked.completion && !asked.legacy_functions, "{choice}");
}

/// By a reading of its own: every event is JSON without an error, and every candidate ended or the prompt was blocked.
/// What is not JSON to this reader (too deep) or not of the usual shape counts as whole.
fn is_whole(input: &[u8]) -> bool {
    let mut events = Vec::new();
    let mut reader = SseReader::default();
    let mut each = |event: &[u8]| events.push(String::from_utf8_lossy(event).into_owned());
    reader.push(input, &mut each).and_then(|()| reader.end(&mut each)).expect("short");
    let (mut seen, mut ended, mut blocked) = (BTreeSet::new(), BTreeSet::new(), false);
    for event in events.iter().filter(|event| event.trim_ascii() != "[DONE]") {
        if serde_json::from_str::<IgnoredAny>(event).is_err() {
            return false;
        }
        let Ok(event @ Value::Object(_)) = serde_json::from_str::<Value>(event) else { return true };
        if !event["error"].is_null() {
            return false;
        }
        let feedback = either(&event, "promptFeedback", "prompt_feedback");
        let candidates = event["candidates"].as_array().cloned().unwrap_or_default();
        if feedback.is_array() || !candidates.iter().all(Value::is_object) {
            return true;
        }
        blocked |= is_said(either(feedback, "blockReason", "block_reason"));
        for (candidate, position) in candidates.iter().zip(0..) {
            let index = candidate["index"].as_u64().unwrap_or(position);
            seen.insert(index);
            let reason = either(candidate, "finishReason", "finish_reason");
            if is_said(reason) && reason != "FINISH_REASON_UNSPECIFIED" {
                ended.insert(index);
            }
        }
    }
    blocked || !seen.is_empty() && seen == ended
}

fn either<'v>(value: &'v Value, camel: &str, snake: &str) -> &'v Value {
    value.get(camel).or_else(|| value.get(snake)).unwrap_or(&Value::Null)
}

fn is_said(text: &Value) -> bool {
    text.as_str().is_some_and(|text| !text.is_empty())
}

fn answers(asked: &Asked, input: &[u8]) {
    let mut out = BytesMut::new();
    let told = whole(asked, input, &mut counter(), &mut out);
    assert_eq!(told.is_err(), out.is_empty(), "an answer or a fault");
    if told.is_ok() {
        is_object(&out);
    }
    let mut images = Images::new(7, asked.include_usage);
    if images.add(input).is_ok() {
        let mut out = BytesMut::new();
        images.finish(&mut out);
        is_object(&out);
    }
}

fn is_object(text: &[u8]) {
    let text = std::str::from_utf8(text).expect("UTF-8");
    assert!(json(text).is_none_or(|value| value.is_object()), "{text}");
}

/// The value; none when it is JSON, but deeper than can be looked into: what Gemini nests is passed on as it is.
fn json(text: &str) -> Option<Value> {
    serde_json::from_str::<IgnoredAny>(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    serde_json::from_str(text).ok()
}

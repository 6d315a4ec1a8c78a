//! What holds for any answer of Gemini's, tried on seeded ones.

use aggregator_core::dialect::openai::Asked;
use aggregator_core::dialect::openai::answer::{Fault, StreamEncoder, whole};
use bytes::BytesMut;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::client::{Heard, listen};
use crate::made::{Made, made};

fn seeds() -> impl Iterator<Item = u64> {
    let count = std::env::var("OPENAI_ANSWERS").ok().and_then(|text| text.parse().ok()).unwrap_or(400);
    let first = std::env::var("OPENAI_ANSWERS_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    first..first + count
}

fn encode<'p>(made: &Made, pieces: impl IntoIterator<Item = &'p [u8]>) -> (Vec<u8>, Option<Fault>) {
    let mut count = 0;
    let ids = move || {
        count += 1;
        count.to_string()
    };
    let mut encoder = StreamEncoder::new(made.asked.clone(), ids);
    let mut out = BytesMut::new();
    pieces.into_iter().for_each(|piece| encoder.push(piece, &mut out));
    encoder.finish(&mut out);
    (out.to_vec(), encoder.fault().cloned())
}

/// Pieces of the text, some of them empty.
fn pieces<'t>(text: &'t [u8], rng: &mut Rng) -> Vec<&'t [u8]> {
    let longest = *rng.choice(&[2, 10, 300]).unwrap();
    let (mut rest, mut pieces) = (text, Vec::new());
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rng.usize(..longest).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

#[test]
fn a_stream_says_the_same_however_it_is_cut() {
    for seed in seeds() {
        let made = made(seed);
        let (expected, fault) = encode(&made, [&made.stream[..]]);
        let mut rng = Rng::with_seed(seed);
        for _ in 0..3 {
            let (found, same) = encode(&made, pieces(&made.stream, &mut rng));
            assert!(found == expected && same == fault, "seed {seed}");
        }
        let (one_by_one, _) = encode(&made, made.stream.chunks(1));
        assert!(one_by_one == expected, "seed {seed}, byte by byte");
    }
}

#[test]
fn a_stream_that_breaks_off_anywhere_ends_in_an_error_and_claims_no_end() {
    for seed in seeds() {
        let made = made(seed);
        let mut rng = Rng::with_seed(seed);
        let all = made.needed <= 300;
        let cuts = if all { (0..made.needed).collect() } else { rng.choose_multiple(0..made.needed, 40) };
        for cut in cuts {
            let (stream, fault) = encode(&made, [&made.stream[..cut]]);
            let heard = listen(&stream, made.asked.include_usage);
            let honest = heard.error.is_some() && fault.is_some() && !heard.done && !heard.has_finished();
            assert!(honest, "seed {seed} cut at {cut}: {}", String::from_utf8_lossy(&stream));
        }
        let (whole, fault) = encode(&made, [&made.stream[..made.needed]]);
        let heard = listen(&whole, made.asked.include_usage);
        assert_eq!(heard.done, fault.is_none(), "seed {seed} whole");
    }
}

#[test]
fn a_stream_ending_in_an_error_says_it_and_claims_no_end() {
    let error = r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#;
    for seed in seeds() {
        let made = made(seed);
        let ends = [
            format!("data: {error}\r\n\r\n"),
            error.to_owned(),
            format!("[{error}]\n"),
            error.replace(',', ",\n "),
        ];
        let end = &ends[usize::try_from(seed % 4).unwrap()];
        let (stream, fault) = encode(&made, [&made.stream[..], end.as_bytes()]);
        let heard = listen(&stream, made.asked.include_usage);
        let error = heard.error.as_ref().expect("an error");
        assert_eq!(error["code"], "unavailable", "seed {seed}");
        assert!(
            matches!(fault, Some(Fault::Upstream(_))) && !heard.done && !heard.has_finished(),
            "seed {seed}"
        );
    }
}

#[test]
fn the_deltas_of_a_stream_add_up_to_the_whole_answer() {
    let (mut faults, mut said) = (0, String::new());
    for seed in seeds() {
        let made = made(seed);
        let (stream, fault) = encode(&made, [&made.stream[..]]);
        let heard = listen(&stream, made.asked.include_usage);
        let mut out = BytesMut::new();
        match whole(&made.asked, made.whole.as_bytes(), &mut || "7".to_owned(), &mut out) {
            Ok(_) => {
                same(seed, &heard, &serde_json::from_slice(&out).unwrap(), &made.asked);
                said += std::str::from_utf8(&out).unwrap();
            }
            Err(expected) => {
                assert_eq!(fault, Some(expected), "seed {seed}");
                assert!(heard.error.is_some() && out.is_empty(), "seed {seed}");
                faults += 1;
            }
        }
    }
    assert!(faults < seeds().count() / 2, "{faults} faults leave too few answers");
    // Answers in which nothing happens prove nothing.
    for member in [
        "\"tool_calls\":[",
        "\"function_call\":{",
        "\"finish_reason\":\"function_call\"",
        "\"arguments\":\"{}\",\"extra_content\"",
        "\"images\":[",
        "\"files\":[",
        "\"audio\":{",
        "reasoning_content",
        "thought_signature",
        "\"refusal\":\"",
        "citation_metadata",
        "grounding_metadata",
        "\"content\":[{\"token\"",
        "as written",
        "output\\n",
        "\"finish_reason\":\"length\"",
        "\"index\":2",
        "text_completion",
        "\"text_offset\":[0,",
        "block_reason",
    ] {
        assert!(said.contains(member) || seeds().count() < 400, "no {member} in any answer");
    }
}

fn same(seed: u64, heard: &Heard, whole: &Value, asked: &Asked) {
    assert!(heard.done, "seed {seed}");
    let expected = whole["choices"].as_array().unwrap();
    let found: Vec<Value> = heard.choices.values().map(plain).collect();
    assert_eq!(found, expected.iter().map(plain).collect::<Vec<_>>(), "seed {seed}");
    let calls = expected.iter().map(|choice| choice["message"]["tool_calls"].as_array().map_or(0, Vec::len));
    let most = match (asked.one_call, asked.legacy_functions) {
        (_, true) => 0,
        (one_call, false) => {
            if one_call {
                1
            } else {
                usize::MAX
            }
        }
    };
    assert!(calls.max() <= Some(most), "seed {seed}");
    let usage = whole.get("usage").filter(|_| asked.include_usage);
    assert_eq!(heard.usage.as_ref(), usage, "seed {seed}");
}

/// Without what differs on purpose: ids made here, and empty where the other is null or absent.
fn plain(choice: &Value) -> Value {
    let mut choice = choice.clone();
    let Some(message) = choice.get_mut("message").and_then(Value::as_object_mut) else { return choice };
    for call in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
        if call["id"].as_str().is_some_and(|id| id.starts_with("call_agg_")) {
            call["id"] = json!("own");
        }
    }
    message.retain(|_, value| !value.is_null() && *value != "");
    choice
}

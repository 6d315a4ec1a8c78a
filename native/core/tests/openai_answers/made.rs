//! Answers of Gemini's made from a seed: the same candidates as one whole answer and as a stream in which several of
//! them grow at once, their texts cut into pieces.

use aggregator_core::dialect::openai::Asked;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use serde_json::{Value, json};

pub struct Made {
    pub asked: Asked,
    pub whole: String,
    pub stream: Vec<u8>,
    /// Of so many bytes on the stream says all.
    pub needed: usize,
}

const REASONS: [&str; 8] =
    ["STOP", "STOP", "STOP", "MAX_TOKENS", "SAFETY", "MALFORMED_FUNCTION_CALL", "OTHER", "NEWER_THAN_THIS"];
const WORDS: [&str; 14] = [
    "Hello",
    " world",
    "\n",
    "\"quoted\"",
    "```",
    "back\\slash",
    "é",
    "日本",
    "🦀",
    "\t",
    " ",
    "data: x\n\n",
    "{",
    "\u{2028}",
];

pub fn made(seed: u64) -> Made {
    let mut rng = Rng::with_seed(seed);
    let completion = rng.u8(..8) == 0;
    let asked = Asked {
        model: "models/\"m\"".to_owned(),
        id: format!("s{seed}"),
        created: seed,
        completion,
        one_call: !completion && rng.u8(..4) == 0,
        legacy_functions: !completion && rng.u8(..4) == 0,
        include_usage: rng.bool(),
        tool_names: [("changed".to_owned(), "as written".to_owned())].into(),
        ..Asked::default()
    };
    let events = rng.usize(1..6);
    let candidates: Vec<Candidate> = match rng.u8(..12) {
        0 => Vec::new(),
        1..4 => (0..rng.usize(2..4)).map(|index| Candidate::new(index, events, &mut rng)).collect(),
        _ => vec![Candidate::new(0, events, &mut rng)],
    };
    let mut candidates = candidates;
    if let Some(last) = rng.choice(0..candidates.len()) {
        // The stream's last event is needed: without it somebody has not ended.
        candidates[last].ends = events - 1;
    }
    let blocked = candidates
        .is_empty()
        .then(|| json!({ "blockReason": rng.choice(["SAFETY", "OTHER", "PROHIBITED_CONTENT"]).unwrap() }));
    let usage = rng.bool().then(|| {
        json!({ "promptTokenCount": rng.u32(..1000), "candidatesTokenCount": rng.u32(..1000),
            "thoughtsTokenCount": rng.u32(..1000), "totalTokenCount": rng.u32(..3000) })
    });
    let whole = json!({
        "candidates": candidates.iter().map(Candidate::whole).collect::<Vec<_>>(),
        "promptFeedback": blocked, "usageMetadata": usage,
    });
    let last = if blocked.is_some() { 0 } else { events - 1 };
    let events: Vec<Value> = (0..=last)
        .map(|at| {
            let grown: Vec<Value> = candidates.iter().filter_map(|one| one.event(at)).collect();
            json!({ "candidates": grown, "promptFeedback": blocked,
                "usageMetadata": usage.as_ref().filter(|_| at == last), "modelVersion": "m" })
        })
        .collect();
    let stream = written(&events, &mut rng);
    let needed = stream.iter().rposition(|byte| *byte == b'}').map_or(0, |at| at + 1);
    let whole = if rng.bool() { whole.to_string() } else { format!("{whole:#}") };
    Made { asked, whole, stream, needed }
}

/// As Server-Sent Events, with the freedoms that they leave.
fn written(events: &[Value], rng: &mut Rng) -> Vec<u8> {
    let end = *rng.choice(&["\r\n", "\r\n", "\n", "\r"]).unwrap();
    let (space, lines) = (if rng.bool() { " " } else { "" }, rng.u8(..4) == 0);
    let mut text = if rng.u8(..8) == 0 { "\u{feff}".to_owned() } else { String::new() };
    for event in events {
        if rng.u8(..8) == 0 {
            text += &format!(": still there{end}event: message{end}");
        }
        let json = if lines { format!("{event:#}") } else { event.to_string() };
        json.lines().for_each(|line| text += &format!("data:{space}{line}{end}"));
        text += end;
    }
    text.into_bytes()
}

struct Candidate {
    index: usize,
    parts: Vec<Value>,
    /// Pieces of the parts with the event each comes in.
    pieces: Vec<(usize, Value)>,
    /// The same of log probabilities and cited sources.
    tokens: Vec<(usize, Value)>,
    sources: Vec<(usize, Value)>,
    /// The event that says how it ended.
    ends: usize,
    reason: &'static str,
    grounding: Option<Value>,
}

impl Candidate {
    fn new(index: usize, events: usize, rng: &mut Rng) -> Self {
        let parts: Vec<Value> = (0..rng.usize(..6)).map(|_| part(rng)).collect();
        let pieces = parts.iter().flat_map(|part| cut(part, rng)).collect();
        let count = if rng.u8(..4) == 0 { rng.usize(1..5) } else { 0 };
        let tokens = (0..count).map(|_| token(rng)).collect();
        let count = if rng.u8(..6) == 0 { 2 } else { 0 };
        let sources = (0..count).map(|at| json!({ "uri": format!("https://example.com/{at}") })).collect();
        Self {
            index,
            parts,
            pieces: timed(pieces, events, rng),
            tokens: timed(tokens, events, rng),
            sources: timed(sources, events, rng),
            ends: events - 1,
            reason: rng.choice(REASONS).unwrap(),
            grounding: (rng.u8(..6) == 0).then(|| json!({ "webSearchQueries": [text(rng)] })),
        }
    }

    fn whole(&self) -> Value {
        let all = |timed: &[(usize, Value)]| timed.iter().map(|(_, value)| value.clone()).collect();
        self.written(self.parts.clone(), all(&self.tokens), all(&self.sources), true)
    }

    fn event(&self, at: usize) -> Option<Value> {
        let now = |timed: &[(usize, Value)]| -> Vec<Value> {
            timed.iter().filter(|(event, _)| *event == at).map(|(_, value)| value.clone()).collect()
        };
        let (parts, tokens, sources) = (now(&self.pieces), now(&self.tokens), now(&self.sources));
        let silent = parts.is_empty() && tokens.is_empty() && sources.is_empty();
        // All are there from the first event on.
        (at == 0 || at == self.ends || !silent).then(|| self.written(parts, tokens, sources, at == self.ends))
    }

    fn written(&self, parts: Vec<Value>, tokens: Vec<Value>, sources: Vec<Value>, ends: bool) -> Value {
        let mut value = json!({ "index": self.index, "content": { "parts": parts, "role": "model" } });
        if !tokens.is_empty() {
            let top: Vec<Value> =
                tokens.iter().map(|token| json!({ "candidates": [token, token] })).collect();
            value["logprobsResult"] = json!({ "chosenCandidates": tokens, "topCandidates": top });
        }
        if !sources.is_empty() {
            value["citationMetadata"] = json!({ "citationSources": sources });
        }
        if ends {
            value["finishReason"] = json!(self.reason);
            value["groundingMetadata"] = json!(self.grounding);
        }
        value
    }
}

/// Spread over the events without changing their order.
fn timed(values: Vec<Value>, events: usize, rng: &mut Rng) -> Vec<(usize, Value)> {
    let mut times: Vec<usize> = values.iter().map(|_| rng.usize(..events)).collect();
    times.sort_unstable();
    times.into_iter().zip(values).collect()
}

fn text(rng: &mut Rng) -> String {
    (0..rng.usize(..8)).map(|_| WORDS[rng.usize(..WORDS.len())]).collect()
}

fn token(rng: &mut Rng) -> Value {
    json!({ "token": WORDS[rng.usize(..WORDS.len())], "tokenId": rng.u32(..), "logProbability": -rng.f64() })
}

fn part(rng: &mut Rng) -> Value {
    let bytes: Vec<u8> = (0..rng.usize(..20)).map(|_| rng.u8(..)).collect();
    let data = STANDARD.encode(bytes);
    let mut part = match rng.u8(..12) {
        0..4 => json!({ "text": text(rng) }),
        4 => json!({ "text": text(rng), "thought": true }),
        5 | 6 => call(rng),
        7 => {
            json!({ "inlineData": { "mimeType": rng.choice(["image/png", "audio/L16;rate=24000"]).unwrap(), "data": data } })
        }
        8 => json!({ "inlineData": { "mimeType": "application/pdf", "displayName": "a.pdf", "data": data } }),
        9 => json!({ "executableCode": { "language": "PYTHON", "code": text(rng) } }),
        10 => {
            json!({ "codeExecutionResult": { "outcome": rng.choice(["OUTCOME_OK", "OUTCOME_FAILED"]).unwrap(), "output": text(rng) } })
        }
        _ => json!({ "newerThanThis": { "text": "?" } }),
    };
    if rng.u8(..4) == 0 {
        part["thoughtSignature"] = json!(STANDARD.encode(rng.u64(..).to_le_bytes()));
    }
    part
}

fn call(rng: &mut Rng) -> Value {
    let mut call = json!({ "name": rng.choice(["get_weather", "changed"]).unwrap() });
    if rng.bool() {
        call["args"] = json!({ "city": text(rng), "days": [1, 2.5, null], "deep": { "a": {} } });
    }
    if rng.bool() {
        call["id"] = json!(format!("g{}", rng.u16(..)));
    }
    json!({ "functionCall": call })
}

/// A text in pieces; its signature comes with the last.
fn cut(part: &Value, rng: &mut Rng) -> Vec<Value> {
    let Some(text) = part["text"].as_str() else { return vec![part.clone()] };
    let mut pieces: Vec<String> = vec![String::new()];
    for c in text.chars() {
        if rng.u8(..4) == 0 {
            pieces.push(String::new());
        }
        pieces.last_mut().unwrap().push(c);
    }
    let last = pieces.len() - 1;
    let piece = |(at, text): (usize, String)| {
        let mut piece = part.clone();
        piece["text"] = json!(text);
        if at < last {
            piece.as_object_mut().unwrap().remove("thoughtSignature");
        }
        piece
    };
    pieces.into_iter().enumerate().map(piece).collect()
}

//! Measures what it costs to decode an OpenAI chat and write it as Gemini's: a chat of 4 KB, conversations of 10, 100 and
//! 1,000 messages, and one with an image of 20 MB, of which it also counts the bytes that were copied. Prints one line of
//! JSON for `npm run bench`, which knows the bounds.

use std::error::Error;
use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use aggregator_core::dialect::openai::request::{Context, Decoded, RequestError, chat};
use bytes::Bytes;
use serde_json::{Value, json};

const ROUNDS: usize = 40;
/// How long one round goes on, so that a clock's tick does not matter.
const ROUND: Duration = Duration::from_millis(20);
const IMAGE: usize = 20 * 1024 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let mut rows = vec![row("4 KB chat", &small_chat())?];
    for messages in [10, 100, 1_000] {
        rows.push(row(&format!("{messages} messages"), &conversation(messages))?);
    }
    rows.push(row("20 MB image", &image())?);
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&rows)?)?;
    Ok(())
}

fn row(name: &str, request: &Value) -> Result<Value, Box<dyn Error>> {
    let body = Bytes::from(request.to_string());
    let decoded = decode(&body)?;
    let own = body.as_ptr_range();
    let copied =
        decoded.body.iter().filter(|piece| !own.contains(&piece.as_ptr())).map(Bytes::len).sum::<usize>();
    let took = quickest(&body);
    Ok(json!({ "name": name, "bytes": body.len(), "copiedBytes": copied, "us": took.as_secs_f64() * 1e6 }))
}

fn decode(body: &Bytes) -> Result<Decoded, RequestError> {
    let context = Context { alias: &|_| None, signature: &|_| None, id: String::new(), created: 0 };
    chat::decode(body, &context)
}

/// Whatever else the machine does meanwhile only adds to a round.
fn quickest(body: &Bytes) -> Duration {
    let round = || {
        let begun = Instant::now();
        let mut times = 0;
        while times == 0 || begun.elapsed() < ROUND {
            let _ = black_box(decode(black_box(body)));
            times += 1;
        }
        begun.elapsed() / times
    };
    std::iter::repeat_with(round).take(ROUNDS).min().unwrap_or_default()
}

/// A system prompt, two tools, some turns with a call: what an assistant in an editor sends.
fn small_chat() -> Value {
    let tool = |name: &str| {
        json!({ "type": "function", "function": {
            "name": name, "description": "Reads or writes a file of the workspace, as text.",
            "parameters": {
                "type": "object", "additionalProperties": false, "required": ["path"],
                "properties": { "path": { "type": "string" }, "lines": { "type": "array", "items": { "type": "integer" } } },
            },
        } })
    };
    let mut messages =
        vec![json!({ "role": "system", "content": "You are a careful programmer. ".repeat(30) })];
    messages.extend(turns(12));
    json!({
        "model": "gemini-3.8-flash", "messages": messages, "tools": [tool("read_file"), tool("write_file")],
        "temperature": 0.2, "stream": true, "stream_options": { "include_usage": true },
    })
}

fn conversation(messages: usize) -> Value {
    json!({ "model": "gemini-3.8-flash", "messages": turns(messages) })
}

/// Question, call, result, answer, and so on.
fn turns(count: usize) -> Vec<Value> {
    let turn = |number: usize| {
        let id = format!("call_agg_{}", number / 4);
        match number % 4 {
            0 => {
                json!({ "role": "user", "content": "Please look at the file \"main.rs\" and say what it does.\n" })
            }
            1 => json!({ "role": "assistant", "content": null, "tool_calls": [{
                "id": id, "type": "function",
                "function": { "name": "read_file", "arguments": "{\"path\":\"src/main.rs\",\"lines\":[1,200]}" },
            }] }),
            2 => json!({
                "role": "tool", "tool_call_id": format!("call_agg_{}", (number - 1) / 4),
                "content": "fn main() {\n    println!(\"Hello\");\n}\n".repeat(6),
            }),
            _ => json!({ "role": "assistant", "content": "It prints a greeting and ends. ".repeat(8) }),
        }
    };
    // Ends with a result or an answer, never with an open call.
    let whole = if count % 4 == 2 { count + 1 } else { count };
    (0..whole).map(turn).collect()
}

fn image() -> Value {
    let url = format!("data:image/png;base64,{}", "iVBORw0KGgo/".repeat(IMAGE / 12));
    json!({ "model": "gemini-3.8-flash", "messages": [{ "role": "user", "content": [
        { "type": "text", "text": "What is this?" }, { "type": "image_url", "image_url": { "url": url } },
    ] }] })
}

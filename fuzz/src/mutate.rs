//! Mutations that keep JSON whole: values of the text replaced, moved, repeated, left out and renamed. Some inputs are
//! left to libFuzzer's own mutations of bytes. What the words mean is not known here.

use fastrand::Rng;
use serde_json::{Value, json};

/// One in so many inputs is mutated as bytes.
const AS_BYTES: u32 = 4;
/// Names and values that lead somewhere in one dialect or the other.
const WORDS: &str = include_str!("words.txt");

/// The new length of `data`, whose first `size` bytes are one JSON text; `None` when that is left to libFuzzer.
pub fn json(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> Option<usize> {
    if seed.is_multiple_of(AS_BYTES) {
        return None;
    }
    let mut rng = Rng::with_seed(seed.into());
    let text = edited(&data[..size], &mut rng)?;
    put(data, &text, max_size)
}

/// The same for a stream of events: one of them is edited, or they change places.
pub fn events(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> Option<usize> {
    if seed.is_multiple_of(AS_BYTES) {
        return None;
    }
    let mut rng = Rng::with_seed(seed.into());
    let mut lines: Vec<Vec<u8>> = data[..size].split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (one, other) = (rng.usize(..lines.len()), rng.usize(..lines.len()));
    match rng.u8(..12) {
        0 => lines.swap(one, other),
        1 => lines.insert(one, lines[other].clone()),
        2 => drop(lines.remove(one)),
        _ => {
            let line = &mut lines[one];
            let begin = line.iter().position(|byte| matches!(byte, b'{' | b'['))?;
            let text = edited(line[begin..].trim_ascii_end(), &mut rng)?;
            line.splice(begin.., text);
        }
    }
    put(data, &lines.join(&b'\n'), max_size)
}

fn put(data: &mut [u8], text: &[u8], max_size: usize) -> Option<usize> {
    let fits = text.len() <= max_size.min(data.len());
    fits.then(|| {
        data[..text.len()].copy_from_slice(text);
        text.len()
    })
}

fn edited(text: &[u8], rng: &mut Rng) -> Option<Vec<u8>> {
    let mut tree: Value = serde_json::from_slice(text).ok()?;
    for _ in 0..rng.usize(1..4) {
        let count = count(&tree);
        let other = nth(&mut tree, &mut rng.usize(..count))?.clone();
        let chosen = nth(&mut tree, &mut rng.usize(..count))?;
        edit(chosen, other, rng);
    }
    serde_json::to_vec(&tree).ok()
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// Invariant: `left` is what is still to be passed over.
fn nth<'v>(value: &'v mut Value, left: &mut usize) -> Option<&'v mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, left)),
        Value::Object(fields) => fields.values_mut().find_map(|field| nth(field, left)),
        _ => None,
    }
}

fn word(rng: &mut Rng) -> &'static str {
    let count = WORDS.lines().count();
    WORDS.lines().nth(rng.usize(..count)).unwrap_or_default()
}

fn edit(chosen: &mut Value, other: Value, rng: &mut Rng) {
    match (rng.u8(..10), chosen) {
        (0, chosen) => *chosen = other,
        (1, chosen) => *chosen = odd(rng),
        (2, chosen) => *chosen = json!([chosen.take()]),
        (3, chosen) => *chosen = json!({ word(rng): chosen.take() }),
        (_, Value::Array(items)) => edit_list(items, other, rng),
        (_, Value::Object(fields)) => {
            let name = fields.keys().nth(rng.usize(..fields.len().max(1))).cloned();
            let taken = name.filter(|_| rng.bool()).and_then(|name| fields.remove(&name));
            if rng.bool() {
                fields.insert(word(rng).to_owned(), taken.unwrap_or(other));
            }
        }
        (_, Value::String(text)) => match rng.u8(..4) {
            0 => *text = word(rng).to_owned(),
            1 => text.push_str(word(rng)),
            2 => text.push(rng.char(..)),
            _ => *text = text.chars().take(rng.usize(..8)).collect(),
        },
        (_, chosen) => *chosen = odd(rng),
    }
}

fn edit_list(items: &mut Vec<Value>, other: Value, rng: &mut Rng) {
    let at = rng.usize(..items.len().max(1));
    match rng.u8(..4) {
        0 if !items.is_empty() => drop(items.remove(at)),
        1 if !items.is_empty() => items.insert(at, items[at].clone()),
        2 => rng.shuffle(items),
        _ => items.push(other),
    }
}

fn odd(rng: &mut Rng) -> Value {
    match rng.u8(..12) {
        0 => Value::Null,
        1 => rng.bool().into(),
        2 => rng.i64(..).into(),
        3 => rng.i32(-3..4).into(),
        4 => json!(rng.f64() * 1e20),
        5 => json!([]),
        6 => json!({}),
        7 => json!(""),
        _ => word(rng).into(),
    }
}

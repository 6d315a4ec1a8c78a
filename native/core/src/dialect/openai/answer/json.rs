//! Small writers of JSON into a buffer that is reused: a chunk of a stream costs no tree and no allocation. Values that
//! are only passed on are copied as the JSON they are, without the whitespace between their tokens. What the members
//! mean is not known here.

use std::fmt::Write;

use bytes::{BufMut, BytesMut};
use serde_json::value::RawValue;

pub fn raw(out: &mut BytesMut, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

pub fn string(out: &mut BytesMut, text: &str) {
    // Writing a text into memory has no way to fail.
    let _ = serde_json::to_writer(out.writer(), text);
}

/// `value` as JSON; what is not finite becomes null.
pub fn number(out: &mut BytesMut, value: f64) {
    let _ = serde_json::to_writer(out.writer(), &value);
}

pub fn integer(out: &mut BytesMut, value: u64) {
    let _ = write!(out, "{value}");
}

/// `,"name":` and the first time `"name":`. The name needs no escapes.
pub fn name(out: &mut BytesMut, first: &mut bool, name: &str) {
    raw(out, if std::mem::take(first) { "\"" } else { ",\"" });
    raw(out, name);
    raw(out, "\":");
}

/// The value without whitespace outside of its strings: it must fit on one line of an event.
pub fn compact(out: &mut BytesMut, value: &RawValue) {
    for (token, _) in tokens(value.get()) {
        raw(out, token);
    }
}

/// The value, compact, as the content of a JSON string.
pub fn compact_as_string(out: &mut BytesMut, value: &RawValue) {
    out.put_u8(b'"');
    for (token, is_string) in tokens(value.get()) {
        if !is_string {
            raw(out, token);
            continue;
        }
        // Valid JSON holds no control characters, so these two are all that needs an escape.
        let mut rest = token.as_bytes();
        while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(&[b'\\', rest[at]]);
            rest = &rest[at + 1..];
        }
        out.extend_from_slice(rest);
    }
    out.put_u8(b'"');
}

/// A JSON string between its quotes, escapes and all, for text that is copied as it is.
pub fn inside(value: &RawValue) -> Option<&str> {
    value.get().strip_prefix('"')?.strip_suffix('"')
}

/// Valid JSON in runs without whitespace outside of strings; whether a run is a string.
pub fn tokens(json: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = json;
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        let bytes = rest.as_bytes();
        let is_string = *bytes.first()? == b'"';
        let length = if is_string {
            string_length(bytes)
        } else {
            let ends = |byte: &u8| *byte == b'"' || byte.is_ascii_whitespace();
            bytes.iter().position(ends).unwrap_or(bytes.len())
        };
        let (token, after) = rest.split_at_checked(length)?;
        rest = after;
        Some((token, is_string))
    })
}

fn string_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_keeps_strings_numbers_and_order() {
        let pretty = "{\n  \"z\": [1.0e2, 12345678901234567890, true , null],\r\n\t\"a \\\" \\\\\" : \" x  y \\n\",\n\"ü\":{ }\n}";
        let compacted = r#"{"z":[1.0e2,12345678901234567890,true,null],"a \" \\":" x  y \n","ü":{}}"#;
        let value: Box<RawValue> = serde_json::from_str(pretty).unwrap();
        let mut out = BytesMut::new();
        compact(&mut out, &value);
        assert_eq!(out, compacted.as_bytes());
        out.clear();
        compact_as_string(&mut out, &value);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), compacted);
    }

    #[test]
    fn what_is_inside_a_string_keeps_its_escapes() {
        let of =
            |json: &str| inside(&serde_json::from_str::<Box<RawValue>>(json).unwrap()).map(str::to_owned);
        assert_eq!(of(r#""a\/b\u003d""#).as_deref(), Some(r"a\/b\u003d"));
        assert_eq!(of("7"), None);
    }
}

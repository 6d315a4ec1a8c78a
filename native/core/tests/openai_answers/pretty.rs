//! Compact JSON laid out to be read, its members in the order in which they were written: what a parsed tree would lose.

/// Short objects and lists stay on one line.
const ROOM: usize = 90;

pub fn pretty(json: &str) -> String {
    let mut out = String::new();
    let rest = value(json, 0, &mut out);
    assert_eq!(rest, "", "more than one value: {json}");
    out + "\n"
}

fn value<'j>(json: &'j str, depth: usize, out: &mut String) -> &'j str {
    let length = value_length(json);
    let text = &json[..length];
    if length <= ROOM || !text.starts_with(['{', '[']) {
        out.push_str(text);
        return &json[length..];
    }
    let indent = "  ".repeat(depth + 1);
    out.push_str(&text[..1]);
    let mut rest = &text[1..];
    while !rest.starts_with(['}', ']']) {
        rest = rest.strip_prefix(',').inspect(|_| out.push(',')).unwrap_or(rest);
        out.push_str(&format!("\n{indent}"));
        if text.starts_with('{') {
            let name = value_length(rest);
            out.push_str(&format!("{}: ", &rest[..name]));
            rest = &rest[name + 1..];
        }
        rest = value(rest, depth + 1, out);
    }
    out.push_str(&format!("\n{}{rest}", "  ".repeat(depth)));
    &json[length..]
}

fn value_length(json: &str) -> usize {
    let mut values = serde_json::Deserializer::from_str(json).into_iter::<serde::de::IgnoredAny>();
    assert!(matches!(values.next(), Some(Ok(_))), "no JSON: {json}");
    values.byte_offset()
}

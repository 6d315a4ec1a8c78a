//! The YAML reader's own texts in words for a person who writes a configuration, not a program. Pure.
//!
//! Invariant: no value of the file is quoted, since a misplaced value may be a key. Names of fields are, unless they are as
//! long as one: somebody may have written a key where its field's name belongs.

/// Longer than every field's name, shorter than every key of Google's.
const LONGEST_NAME: usize = 32;

/// One sentence for one of the reader's messages.
pub fn sentence(message: &str) -> String {
    let message = without_place(message);
    let listed = |names: &str| names.trim_start_matches("one of ").to_owned();
    if let Some(kind) = message.strip_prefix("invalid ") {
        return match kind {
            "u16" => "a whole number from 0 to 65535 is expected.".to_owned(),
            "u32" => "a whole number from 0 to 4294967295 is expected.".to_owned(),
            "u64" | "usize" => "a whole number, 0 or more, is expected.".to_owned(),
            "boolean" => "true or false is expected.".to_owned(),
            other => format!("{} is not valid here.", without_values(other)),
        };
    }
    if let Some((_, names)) =
        message.strip_prefix("unknown variant ").and_then(|text| text.split_once(", expected "))
    {
        return format!("one of {} is expected.", listed(names));
    }
    if let Some((name, names)) = unknown_field(message) {
        let today = todays_name(name);
        let today =
            today.map(|today| format!("; the older program's `{name}` is {today} now")).unwrap_or_default();
        let name = shown(name);
        return format!("there is no field `{name}` here{today}; use one of {}.", listed(names));
    }
    if let Some(name) = missing_field(message) {
        return format!("the field `{name}` is missing.");
    }
    if let Some(rest) = message.strip_prefix("duplicate mapping key: ") {
        let name = shown(rest.split(',').next().unwrap_or_default());
        return format!("the field `{name}` is there twice; keep one.");
    }
    match message {
        "expected sequence start" => "a list is expected: one entry a line, each after \"- \".".to_owned(),
        "expected mapping start" => "fields are expected: name: value.".to_owned(),
        "expected string scalar" => "a text is expected.".to_owned(),
        other => format!("{}.", without_values(other)),
    }
}

/// The field that a message says nobody knows, and those that there are.
pub fn unknown_field(message: &str) -> Option<(&str, &str)> {
    let (name, names) = without_place(message).strip_prefix("unknown field ")?.split_once(", expected ")?;
    Some((name.trim_matches('`'), names))
}

/// The field that a message says is missing.
pub fn missing_field(message: &str) -> Option<&str> {
    Some(without_place(message).strip_prefix("missing field ")?.trim_matches('`'))
}

/// The name of a field as it may be told.
pub fn shown(name: &str) -> &str {
    if name.len() > LONGEST_NAME { "…" } else { name }
}

fn without_place(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(text, _)| text)
}

/// What a field of the older program's `proxy.yaml` is called now.
fn todays_name(field: &str) -> Option<&'static str> {
    Some(match field {
        "host" => "server.host",
        "port" => "server.port",
        "adminToken" => "server.adminToken",
        "accessTokens" => "server.accessTokens",
        "requireAuth" => "server.localAuth (token for true, off for false)",
        "requestTimeoutMs" => "upstream.requestTimeoutSeconds (in seconds)",
        "upstreamBaseUrl" => "upstream.baseUrl",
        "healthCheckIntervalSeconds" => "proxy.healthCheckIntervalSeconds",
        _ => return None,
    })
}

/// Everything between the first and the last quotation mark is left out.
fn without_values(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            format!("{}…{}", &message[..first], &message[last + 1..])
        }
        (Some(first), _) => format!("{}…", &message[..first]),
        (None, _) => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readers_texts_become_sentences() {
        for (text, words) in [
            ("invalid u16 at line 1, column 17", "a whole number from 0 to 65535 is expected."),
            (
                "unknown field `prot`, expected one of host, port at line 2, column 3",
                "there is no field `prot` here; use one of host, port.",
            ),
            (
                "unknown field `requestTimeoutMs`, expected one of autoAssignment at line 2, column 3",
                "there is no field `requestTimeoutMs` here; the older program's `requestTimeoutMs` is \
                 upstream.requestTimeoutSeconds (in seconds) now; use one of autoAssignment.",
            ),
            ("unknown variant `x`, expected one of a, b at line 1, column 1", "one of a, b is expected."),
            ("missing field `key` at line 2, column 5", "the field `key` is missing."),
            (
                "duplicate mapping key: port, set DuplicateKeyPolicy in Options if acceptable at line 3, column 3",
                "the field `port` is there twice; keep one.",
            ),
            ("unclosed bracket '[' at line 1, column 7", "unclosed bracket '['."),
        ] {
            assert_eq!(sentence(text), words);
        }
    }

    #[test]
    fn a_value_is_never_quoted() {
        for text in [
            "invalid type: string \"test-key-secret\", expected u16",
            "odd \"test-key-secret",
            "invalid \"test-key-secret\"",
        ] {
            assert!(!sentence(text).contains("secret"), "{}", sentence(text));
        }
    }
}

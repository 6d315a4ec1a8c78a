//! Finds names of resources that live in one project (`files/abc`, `cachedContents/x`, `operations/y`) in bytes that
//! stream by: paths, request bodies, answers; and, in JSON, the fields whose value is the bare id of one
//! (`"previous_interaction_id":"v1_x"`). It parses no JSON and keeps no body; names may be cut anywhere.

use std::collections::BTreeSet;

/// The collections whose members belong to the project of the key that made them.
/// Those after `cachedContents` are inferred from Google's reference, not seen to be refused elsewhere.
const COLLECTIONS: [&str; 14] = [
    "files",
    "cachedContents",
    "batches",
    "operations",
    "fileSearchStores",
    "tunedModels",
    AUTH_TOKENS,
    "interactions",
    "agents",
    "credentials",
    "environments",
    "triggers",
    "voices",
    "webhooks",
];
const AUTH_TOKENS: &str = "auth_tokens";
const LONGEST_COLLECTION: usize = 16;
pub const LONGEST_ID: usize = 256;
/// One request names a handful; more is a list, of which the first are enough.
pub const MOST_FOUND: usize = 256;

/// Fields of a request whose value is a bare id, as clients write them, and the collection it is one of.
const ID_FIELDS: [(&str, &str); 11] = [
    ("previous_interaction_id", "interactions"),
    ("previousInteractionId", "interactions"),
    ("environment_id", "environments"),
    ("environmentId", "environments"),
    ("environment", "environments"),
    ("from_environment", "environments"),
    ("fromEnvironment", "environments"),
    ("base_environment", "environments"),
    ("baseEnvironment", "environments"),
    ("agent", "agents"),
    ("voice", "voices"),
];
const LONGEST_FIELD: usize = 23;
/// Blanks between a field, its colon and its value; more is written by nobody.
const MOST_BLANKS: usize = 64;

#[derive(Default)]
pub struct NameScanner {
    /// The end of what was pushed, where a name may have begun.
    carry: Vec<u8>,
    found: BTreeSet<String>,
}

/// What bytes that end too early leave open.
enum Reading<T> {
    No,
    /// The next bytes decide.
    Open,
    Is(T),
}

impl NameScanner {
    pub fn push(&mut self, chunk: &[u8]) {
        if self.carry.is_empty() {
            let keep = self.scan(chunk);
            self.carry.extend_from_slice(&chunk[keep..]);
        } else {
            let mut bytes = std::mem::take(&mut self.carry);
            bytes.extend_from_slice(chunk);
            let keep = self.scan(&bytes);
            bytes.drain(..keep);
            self.carry = bytes;
        }
    }

    /// All names found; the end of the input ends the last one.
    pub fn finish(mut self) -> BTreeSet<String> {
        self.push(b"\"");
        self.found
    }

    /// Takes the whole names of `bytes` and answers from where on the rest must be seen again.
    fn scan(&mut self, bytes: &[u8]) -> usize {
        let (names, ids) = (self.scan_names(bytes), self.scan_id_fields(bytes));
        names.min(ids)
    }

    fn scan_names(&mut self, bytes: &[u8]) -> usize {
        for slash in memchr::memchr_iter(b'/', bytes) {
            let Some((start, collection)) = collection_before(&bytes[..slash]) else { continue };
            match id_at(&bytes[slash + 1..], collection) {
                Reading::No => {}
                Reading::Open => return start,
                Reading::Is(id) => self.take(collection, id),
            }
        }
        // One byte more than the longest word and its escape, so that a longer word cannot be taken for it.
        bytes.len().saturating_sub(LONGEST_COLLECTION + 2)
    }

    fn scan_id_fields(&mut self, bytes: &[u8]) -> usize {
        for quote in memchr::memchr_iter(b'"', bytes) {
            match id_field_at(&bytes[quote + 1..]) {
                Reading::No => {}
                Reading::Open => return quote,
                Reading::Is((collection, id)) => self.take(collection, id),
            }
        }
        bytes.len()
    }

    fn take(&mut self, collection: &str, id: &[u8]) {
        if self.found.len() < MOST_FOUND {
            self.found.insert(format!("{collection}/{}", String::from_utf8_lossy(id)));
        }
    }
}

/// The names in one piece of text.
pub fn names_in(text: &str) -> BTreeSet<String> {
    let mut scanner = NameScanner::default();
    scanner.push(text.as_bytes());
    scanner.finish()
}

/// The collection that ends right before a slash, which JSON may have escaped (`files\/abc`), and where it starts.
fn collection_before(before: &[u8]) -> Option<(usize, &'static str)> {
    let word = before.strip_suffix(b"\\").unwrap_or(before);
    if word.last() != Some(&b's') {
        return None;
    }
    let collection = COLLECTIONS.iter().find(|collection| word.ends_with(collection.as_bytes()))?;
    let start = word.len() - collection.len();
    let part_of_a_longer_word = start > 0 && is_id(word[start - 1]);
    (!part_of_a_longer_word).then_some((start, collection))
}

/// The id at the start of `bytes`.
fn id_at<'a>(bytes: &'a [u8], collection: &str) -> Reading<&'a [u8]> {
    let length = bytes.iter().take_while(|byte| is_id_in(collection, **byte)).count();
    match length {
        _ if length > LONGEST_ID => Reading::No,
        _ if length == bytes.len() => Reading::Open,
        0 => Reading::No,
        _ => Reading::Is(&bytes[..length]),
    }
}

/// `previous_interaction_id":"v1_x"`, from behind the first quotation mark.
fn id_field_at(bytes: &[u8]) -> Reading<(&'static str, &[u8])> {
    let length = bytes.iter().take(LONGEST_FIELD + 1).take_while(|byte| is_id(**byte)).count();
    if length == bytes.len() && length <= LONGEST_FIELD {
        let begins_one = ID_FIELDS.iter().any(|(field, _)| field.as_bytes().starts_with(bytes));
        return if begins_one { Reading::Open } else { Reading::No };
    }
    let known = ID_FIELDS.iter().find(|(field, _)| field.as_bytes() == &bytes[..length]);
    let (Some((_, collection)), Some(b'"')) = (known, bytes.get(length)) else { return Reading::No };
    let mut rest = &bytes[length + 1..];
    for wanted in [b':', b'"'] {
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        match rest.get(blanks) {
            _ if blanks > MOST_BLANKS => return Reading::No,
            None => return Reading::Open,
            Some(byte) if *byte == wanted => rest = &rest[blanks + 1..],
            Some(_) => return Reading::No,
        }
    }
    match id_at(rest, collection) {
        Reading::No => Reading::No,
        Reading::Open => Reading::Open,
        Reading::Is(id) => Reading::Is((collection, id)),
    }
}

pub fn is_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// A token opens something: half of one must not be taken for the whole.
fn is_id_in(collection: &str, byte: u8) -> bool {
    is_id(byte) || (collection == AUTH_TOKENS && matches!(byte, b'.' | b'~' | b'+' | b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, cuts: &[usize]) -> Vec<String> {
        let mut scanner = NameScanner::default();
        let mut from = 0;
        for &cut in cuts.iter().chain([&text.len()]) {
            scanner.push(&text.as_bytes()[from..cut]);
            from = cut;
        }
        scanner.finish().into_iter().collect()
    }

    fn found_wherever_cut(text: &str, all: &[&str]) {
        for first in 0..=text.len() {
            for second in [first, (first + 1).min(text.len()), (first + 9).min(text.len())] {
                assert_eq!(found(text, &[first, second]), all, "cut at {first} and {second}");
            }
        }
        let mut byte_by_byte = NameScanner::default();
        text.as_bytes().chunks(1).for_each(|byte| byte_by_byte.push(byte));
        assert_eq!(byte_by_byte.finish().into_iter().collect::<Vec<_>>(), all, "byte by byte");
    }

    #[test]
    fn names_are_found_wherever_the_bytes_are_cut() {
        found_wherever_cut(
            r#"{"fileUri":"https://host/v1beta/files/abc-1","cached_content":"cachedContents\/xy_2","o":"models/veo/operations/z9"}"#,
            &["cachedContents/xy_2", "files/abc-1", "operations/z9"],
        );
        found_wherever_cut(
            r#"{"name":"fileSearchStores/s1/upload/operations/o2","doc":"fileSearchStores/s1/documents/d","t":"auth_tokens/a.b=c~"}"#,
            &["auth_tokens/a.b=c~", "fileSearchStores/s1", "operations/o2"],
        );
    }

    #[test]
    fn bare_ids_are_found_under_either_spelling_of_their_field() {
        found_wherever_cut(
            r#"{"model":"m","previous_interaction_id" : "v1_a-b","input":[{"environment":"e1"}]}"#,
            &["environments/e1", "interactions/v1_a-b"],
        );
        found_wherever_cut(r#"{"previousInteractionId":"v1_x"}"#, &["interactions/v1_x"]);
        for text in [
            r#"{"previous_interaction_id":null}"#,
            r#"{"previous_interaction_id":""}"#,
            r#"{"text":"\"previous_interaction_id\":\"x\""}"#,
            r#"{"my_previous_interaction_id":"x"}"#,
            r#"{"environment":{"type":"remote"}}"#,
        ] {
            assert_eq!(found(text, &[]), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn only_whole_words_of_the_known_collections_count() {
        for text in ["profiles/abc", "files/", "files", "models/gemini", "my-files/abc", "a files / b", ""] {
            assert_eq!(found(text, &[]), Vec::<String>::new(), "{text}");
        }
        assert_eq!(found("/v1beta/files/abc:download", &[]), ["files/abc"]);
    }

    #[test]
    fn an_endless_id_is_no_name_and_costs_no_memory() {
        for begin in ["files/", r#""previousInteractionId":""#, r#""previousInteractionId""#] {
            let filler: &[u8] =
                if begin.ends_with("Id\"") { b"                " } else { b"aaaaaaaaaaaaaaaa" };
            let mut scanner = NameScanner::default();
            scanner.push(begin.as_bytes());
            for _ in 0..10_000 {
                scanner.push(filler);
            }
            assert!(scanner.carry.len() < 512);
            assert_eq!(scanner.finish().len(), 0);
        }
    }
}

//! Finds names of resources that live in one project (`files/abc`, `cachedContents/x`, `operations/y`) in bytes that
//! stream by: paths, request bodies, answers. It reads no JSON and keeps no body; names may be cut anywhere.

use std::collections::BTreeSet;

/// The collections whose members belong to the project of the key that made them.
/// Those after `cachedContents` are inferred from Google's reference, not seen to be refused elsewhere.
const COLLECTIONS: [&str; 6] =
    ["files", "cachedContents", "batches", "operations", "fileSearchStores", "tunedModels"];
const LONGEST_COLLECTION: usize = 16;
const LONGEST_ID: usize = 128;
/// One request names a handful; more is a list, of which the first are enough.
const MOST_FOUND: usize = 256;

#[derive(Default)]
pub struct NameScanner {
    /// The end of what was pushed, where a name may have begun.
    carry: Vec<u8>,
    found: BTreeSet<String>,
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
        for slash in memchr::memchr_iter(b'/', bytes) {
            let Some((start, collection)) = collection_before(&bytes[..slash]) else { continue };
            let length = bytes[slash + 1..].iter().take_while(|byte| is_id(**byte)).count();
            if slash + 1 + length == bytes.len() && length <= LONGEST_ID {
                return start;
            }
            if (1..=LONGEST_ID).contains(&length) && self.found.len() < MOST_FOUND {
                let id = String::from_utf8_lossy(&bytes[slash + 1..slash + 1 + length]);
                self.found.insert(format!("{collection}/{id}"));
            }
        }
        // One byte more than the longest word and its escape, so that a longer word cannot be taken for it.
        bytes.len().saturating_sub(LONGEST_COLLECTION + 2)
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

fn is_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
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

    #[test]
    fn names_are_found_wherever_the_bytes_are_cut() {
        let text = r#"{"fileUri":"https://host/v1beta/files/abc-1","cached_content":"cachedContents\/xy_2","o":"models/veo/operations/z9"}"#;
        let all = ["cachedContents/xy_2", "files/abc-1", "operations/z9"];
        for first in 0..=text.len() {
            for second in [first, (first + 1).min(text.len()), (first + 9).min(text.len())] {
                assert_eq!(found(text, &[first, second]), all, "cut at {first} and {second}");
            }
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
        let mut scanner = NameScanner::default();
        scanner.push(b"files/");
        for _ in 0..10_000 {
            scanner.push(b"aaaaaaaaaaaaaaaa");
        }
        assert!(scanner.carry.len() < 512);
        assert_eq!(scanner.finish().len(), 0);
    }
}

//! What can still be read of a stored JSON text that is damaged: the whole entries in it, one by one. It must not know
//! what an entry means, and gives back nothing that does not fit the form asked for.

use serde::de::DeserializeOwned;

/// Every object in `text` that reads as a `T`, in order. `T` must insist on fields of its own, or the text around the
/// entries would pass for one.
pub fn objects<T: DeserializeOwned>(text: &str) -> Vec<T> {
    each(text, '{').map(|(_, value)| value).collect()
}

/// The same for the members of an object: the name that stands before each entry, and the entry.
pub fn members<T: DeserializeOwned>(text: &str) -> Vec<(String, T)> {
    each(text, '{').filter_map(|(at, value)| Some((name_before(text, at)?, value))).collect()
}

/// Every text between two quotation marks, those between two entries included: which mark opens and which closes is not
/// known once one is damaged. The caller knows what an entry looks like.
pub fn strings(text: &str) -> Vec<String> {
    let marks = text.match_indices('"').map(|(at, _)| at);
    marks.filter_map(|at| serde_json::Deserializer::from_str(&text[at..]).into_iter().next()?.ok()).collect()
}

/// Values that begin with `opening`, each with its place. One that cannot be read is left for those within it.
fn each<T: DeserializeOwned>(text: &str, opening: char) -> impl Iterator<Item = (usize, T)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(from..)?;
            let at = from + rest.find(opening)?;
            let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<T>();
            if let Some(Ok(value)) = values.next() {
                from = at + values.byte_offset();
                return Some((at, value));
            }
            from = at + opening.len_utf8();
        }
    })
}

/// The `name` of `"name": {`, where the brace stands at `at`. Names with escapes are not looked for: no id has one.
fn name_before(text: &str, at: usize) -> Option<String> {
    let before = text.get(..at)?.trim_end().strip_suffix(':')?.trim_end().strip_suffix('"')?;
    before.rsplit_once('"').map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Entry {
        id: u32,
    }

    #[test]
    fn whole_entries_of_a_cut_text_are_found() {
        let text = r#"{"list":[{"id":1},{"id":2,"more":{"deep":[1]}},{"id":"#;
        assert_eq!(objects::<Entry>(text), [Entry { id: 1 }, Entry { id: 2 }]);
        assert_eq!(
            objects::<Entry>(r#"{"lisT":[{"id":1},{"id":x},{"id":3}]}"#),
            [Entry { id: 1 }, Entry { id: 3 }]
        );
    }

    #[test]
    fn members_keep_their_names() {
        let text = r#"{"keys":{"a":{"id":1},"b" : {"id":2},{"id":3},"d":{"id"#;
        assert_eq!(
            members::<Entry>(text),
            [("a".to_owned(), Entry { id: 1 }), ("b".to_owned(), Entry { id: 2 })]
        );
    }

    #[test]
    fn whole_strings_are_found() {
        assert_eq!(strings(r#"["one","two","thr"#), ["one", ",", "two", ","]);
        assert!(strings(r#"[#one","two"]"#).contains(&"two".to_owned()));
        assert_eq!(strings("no text"), Vec::<String>::new());
    }
}

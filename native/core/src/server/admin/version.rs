//! `If-Match` as the admin API takes it: a change is made only if the version that the caller saw is still the present
//! one. Without the header it is made whatever was changed meanwhile. What a version is, `versions.rs` knows.

use http::header::{HeaderMap, IF_MATCH};

use crate::versions::{About, OnlyIf};

/// `*` asks for no version in particular, and what is not there is refused anyhow.
pub fn only_if(headers: &HeaderMap, about: About) -> Option<OnlyIf> {
    let given = headers.get_all(IF_MATCH).iter().filter_map(|value| value.to_str().ok());
    let versions: Vec<String> = given.flat_map(|text| text.split(',')).map(tag).collect();
    let any = versions.iter().any(|version| version == "*");
    // A header that cannot be read asks for a version that nothing has.
    (headers.contains_key(IF_MATCH) && !any).then_some(OnlyIf { about, versions })
}

fn tag(text: &str) -> String {
    let text = text.trim();
    text.strip_prefix("W/").unwrap_or(text).trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_header_names_versions_or_none_at_all() {
        let of = |value: &[u8]| {
            let headers = HeaderMap::from_iter([(IF_MATCH, HeaderValue::from_bytes(value).unwrap())]);
            only_if(&headers, About::Keys).map(|only_if| only_if.versions)
        };
        assert_eq!(of(b"\"a1\", W/\"b2\""), Some(vec!["a1".to_owned(), "b2".to_owned()]));
        assert_eq!(of(b"*"), None);
        assert_eq!(of(b"\xff"), Some(vec![]));
        assert!(only_if(&HeaderMap::new(), About::Keys).is_none());
    }
}

//! Reads a pasted list of proxies: one to a line, or several between commas, each with a name before it or not; `#`
//! begins a comment. It only takes the text apart: what a valid URL is and which are there already is known elsewhere.

/// A pasted document is not a list of proxies.
pub const MOST: usize = 1_000;
const SCHEMES: [&str; 7] = ["socks5h", "socks4a", "socks5", "socks4", "socks", "https", "http"];

/// One entry, not checked. The URL may hold credentials.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Listed<'a> {
    /// From 1.
    pub line: u32,
    pub name: Option<&'a str>,
    pub url: &'a str,
}

pub fn entries(text: &str) -> impl Iterator<Item = Listed<'_>> {
    text.lines().zip(1..).flat_map(|(line, number)| {
        let items = uncommented(line).split(',').flat_map(apart);
        items.map(str::trim).filter(|item| !item.is_empty()).map(move |item| listed(item, number))
    })
}

/// A `#` inside of a URL is a fault of that URL, so that only one that stands alone begins a comment.
fn uncommented(line: &str) -> &str {
    let begins =
        |place: &usize| *place == 0 || line[..*place].ends_with(|c: char| c.is_whitespace() || c == ',');
    let comment = line.match_indices('#').map(|(place, _)| place).find(begins);
    &line[..comment.unwrap_or(line.len())]
}

/// `name=url`, `name url` or `url`.
fn listed(item: &str, line: u32) -> Listed<'_> {
    let before = item.find("://").map_or("", |end| &item[..end]);
    let parts = |c: char| c == '=' || c.is_whitespace();
    let start = before.char_indices().rev().find(|(_, c)| parts(*c));
    let start = start.map_or(0, |(place, c)| place + c.len_utf8());
    let name = before[..start].trim_end_matches(parts);
    Listed { line, name: (!name.is_empty()).then_some(name), url: &item[start..] }
}

/// A box of one line takes the line breaks out of what is pasted: `http://a:1http://b:2` are two.
fn apart(item: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = item;
    while let Some(place) = second_scheme(rest) {
        let (first, more) = rest.split_at(place);
        parts.push(first);
        rest = more;
    }
    parts.push(rest);
    parts
}

/// Where the second URL of two that touch begins.
fn second_scheme(text: &str) -> Option<usize> {
    let first = text.find("://")? + 3;
    let second = first + text[first..].find("://")?;
    let scheme = SCHEMES.iter().find(|scheme| text[first..second].ends_with(**scheme))?;
    let place = second - scheme.len();
    // With something else before it the name of the second begins there, and where that is cannot be known.
    text[..place].ends_with(|c: char| c.is_ascii_digit() || c == '/').then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u32, Option<&str>, &str)> {
        entries(text).map(|entry| (entry.line, entry.name, entry.url)).collect()
    }

    #[test]
    fn lines_commas_comments_and_names() {
        let text = "# my proxies\r\nhttp://a:1, eu-1=socks5://u:p@b:2 # the good one\n\n  us 2 https://c \n\
                    far = http://d:4,,\nnonsense";
        assert_eq!(
            read(text),
            [
                (2, None, "http://a:1"),
                (2, Some("eu-1"), "socks5://u:p@b:2"),
                (4, Some("us 2"), "https://c"),
                (5, Some("far"), "http://d:4"),
                (6, None, "nonsense"),
            ]
        );
        assert_eq!(read(" \n# nothing\n"), []);
    }

    #[test]
    fn a_hash_and_an_equals_sign_inside_of_a_url_stay() {
        assert_eq!(read("http://u:p#q@a:1"), [(1, None, "http://u:p#q@a:1")]);
        assert_eq!(read("http://u:p=q@a:1"), [(1, None, "http://u:p=q@a:1")]);
    }

    #[test]
    fn a_list_whose_line_breaks_were_lost_comes_apart() {
        assert_eq!(
            read("http://a:1socks5://u:p@b:2https://c:3/socks5h://d:4"),
            [
                (1, None, "http://a:1"),
                (1, None, "socks5://u:p@b:2"),
                (1, None, "https://c:3/"),
                (1, None, "socks5h://d:4"),
            ]
        );
        assert_eq!(read("http://u:x://y@a:1"), [(1, None, "http://u:x://y@a:1")], "one with an odd password");
    }
}

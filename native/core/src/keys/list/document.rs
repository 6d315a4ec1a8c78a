//! Reads a list of keys that is YAML or JSON: the headless program's configuration with its `keys`, or the list alone.
//! Whatever else the configuration says is not looked at, and one entry with a mistake leaves the others readable.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::{Entry, ListError, ListedText, Row};

/// JSON is YAML, so that one reader serves for both.
pub fn is_one(text: &str) -> bool {
    let opens = opening(text);
    is_list(opens) || opens.starts_with('{') || text.lines().any(is_keys_field)
}

/// The first line that says anything.
fn opening(text: &str) -> &str {
    let says = |line: &&str| !(line.is_empty() || line.starts_with('#') || *line == "---");
    text.lines().map(str::trim).find(says).unwrap_or("")
}

fn is_list(opening: &str) -> bool {
    opening.starts_with('[') || opening.starts_with("- ")
}

fn is_keys_field(line: &str) -> bool {
    line.strip_prefix("keys:").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

#[derive(Deserialize)]
struct Configuration {
    keys: Vec<Spanned<Item>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Text(String),
    Fields(Fields),
    Other(IgnoredAny),
}

/// As the headless program has it; a field with a slip in it must not be lost in silence.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    key: String,
    name: Option<String>,
    project: Option<String>,
    weight: Option<u32>,
    cooldown_seconds: Option<u32>,
    enabled: Option<bool>,
    proxy: Option<String>,
}

pub fn rows(text: &str) -> Result<Vec<Row>, ListError> {
    // YAML takes no tabs for indentation and JSON none inside of texts.
    let opens = opening(text);
    let spaced = if opens.starts_with(['{', '[']) { text.replace('\t', " ") } else { text.to_owned() };
    let items: Vec<Spanned<Item>> =
        if is_list(opens) { read(&spaced)? } else { read::<Configuration>(&spaced)?.keys };
    Ok(items.into_iter().map(row).collect())
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, ListError> {
    // Snippets would quote lines of the text, and lines hold keys.
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error: serde_saphyr::Error| {
        ListError::Document { line: error.location().map_or(1, |place| place.line()) }
    })
}

fn row(item: Spanned<Item>) -> Row {
    let line = u32::try_from(item.referenced.line()).unwrap_or(u32::MAX);
    let entry = match item.value {
        Item::Text(key) => Entry::Key(Box::new(ListedText { key: key.trim().to_owned(), ..ListedText::default() })),
        Item::Fields(fields) => Entry::Key(Box::new(ListedText {
            key: fields.key.trim().to_owned(),
            name: fields.name,
            project: fields.project,
            weight: fields.weight,
            cooldown_seconds: fields.cooldown_seconds,
            disabled: fields.enabled == Some(false),
            proxy: fields.proxy,
        })),
        Item::Other(_) => Entry::Refused(
            "This entry is no key: it needs \"key\" and may have name, project, weight, cooldownSeconds, enabled and \
             proxy."
                .to_owned(),
        ),
    };
    Row { line, entry }
}

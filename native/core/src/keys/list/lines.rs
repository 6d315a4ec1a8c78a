//! Reads a list of keys line by line: a key alone, `name key`, `name=key`, CSV with or without a header, and `.env`
//! files. What a line means is decided by its form; a key is told from a name only by where it stands and how long it is.

use super::{Entry, ListedText, Row};

/// In a line without a header a longer text is the key, wherever it stands: names are shorter, and so are projects' ids.
const SURELY_A_KEY: usize = 30;
/// Words of a variable's name that say what it is and not whose.
const PLAIN_WORDS: [&str; 7] = ["GEMINI", "GOOGLE", "GENERATIVE", "AI", "API", "KEY", "KEYS"];
/// Their keys must not be sent to Google by a pasted `.env`.
const OTHER_SERVICES: [&str; 12] = [
    "OPENAI",
    "ANTHROPIC",
    "CLAUDE",
    "AZURE",
    "AWS",
    "GITHUB",
    "MISTRAL",
    "GROQ",
    "OPENROUTER",
    "DEEPSEEK",
    "XAI",
    "COHERE",
];

pub fn rows(text: &str) -> Vec<Row> {
    let names_gemini =
        text.lines().filter_map(assignment).any(|(name, _)| is_variable(name) && is_gemini(name));
    let mut header: Option<Header> = None;
    let mut rows = Vec::new();
    let lines = text.lines().zip(1..).map(|(line, number)| (uncommented(line).trim(), number));
    for (place, (line, number)) in lines.filter(|(line, _)| !line.is_empty()).enumerate() {
        if place == 0 {
            header = Header::of(line);
            if header.is_some() {
                continue;
            }
        }
        let entries = match &header {
            Some(header) => vec![header.entry(line)],
            None => line_entries(line, names_gemini),
        };
        rows.extend(entries.into_iter().map(|entry| Row { line: number, entry }));
    }
    rows
}

/// A comment stands alone or after a space.
fn uncommented(line: &str) -> &str {
    let begins = |place: &usize| line[..*place].chars().next_back().is_none_or(char::is_whitespace);
    let comment = line.match_indices('#').map(|(place, _)| place).find(begins);
    &line[..comment.unwrap_or(line.len())]
}

fn line_entries(line: &str, names_gemini: bool) -> Vec<Entry> {
    if let Some((name, value)) = assignment(line) {
        return if is_variable(name) {
            variable(name, value, names_gemini)
        } else {
            vec![named(name, value)]
        };
    }
    match separator(line) {
        Some(separator) => cells_entries(&cells(line, separator)),
        None => vec![words(line)],
    }
}

/// `name=value`, also `export name = "value"`. An equals sign within a key makes no name of its beginning.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = uncommented(line).trim();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let (name, value) = line.split_once('=')?;
    let (name, value) = (name.trim(), unquoted(value.trim()));
    let no_name =
        name.is_empty() || name.contains([',', ';', '\t']) || surely_a_key(name) && !is_variable(name);
    (!no_name).then_some((name, value))
}

fn is_variable(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn is_gemini(name: &str) -> bool {
    let has = |words: &[&str]| name.split('_').any(|word| words.contains(&word));
    has(&["GEMINI", "GOOGLE"]) && has(&["KEY", "KEYS", "APIKEY", "APIKEYS"])
}

/// Once one variable of a text says that it is Gemini's, the others are a program's settings.
fn variable(name: &str, value: &str, names_gemini: bool) -> Vec<Entry> {
    let others = name.split('_').any(|word| OTHER_SERVICES.contains(&word));
    if !is_gemini(name) && (names_gemini || others) {
        return vec![Entry::Skipped(format!("The variable {name} is no Gemini API key."))];
    }
    if value.is_empty() {
        return vec![Entry::Skipped(format!("The variable {name} is empty."))];
    }
    let words: Vec<&str> =
        name.split('_').filter(|word| !PLAIN_WORDS.contains(word) && !word.is_empty()).collect();
    let stem = words.join("-").to_lowercase();
    // A bare number is no name.
    let stem = (!stem.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')).then_some(stem);
    let keys: Vec<&str> = value.split(',').map(str::trim).filter(|key| !key.is_empty()).collect();
    let several = keys.len() > 1;
    let name_at = |place: u32| match &stem {
        Some(stem) if several => Some(format!("{stem}-{place}")),
        other => other.clone(),
    };
    keys.iter().zip(1..).map(|(key, place)| entry(key, name_at(place).as_deref(), None)).collect()
}

fn named(name: &str, value: &str) -> Entry {
    entry(value, Some(unquoted(name)), None)
}

/// `key`, `name key`, or `name key project` where the key is known by its length.
fn words(line: &str) -> Entry {
    let words: Vec<&str> = line.split_whitespace().collect();
    let key = words.iter().position(|word| surely_a_key(word)).unwrap_or(words.len().saturating_sub(1));
    let name = words[..key].join(" ");
    let project = words.get(key + 1).copied();
    let name = name.trim_end_matches([':', '-']).trim_end();
    entry(unquoted(words.get(key).copied().unwrap_or("")), Some(name), project)
}

fn separator(line: &str) -> Option<char> {
    ['\t', ',', ';'].into_iter().find(|separator| line.contains(*separator))
}

/// Several keys, `key,name,project` or `name,key,project`.
fn cells_entries(cells: &[String]) -> Vec<Entry> {
    let filled: Vec<&str> = cells.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
    if filled.iter().all(|cell| surely_a_key(cell)) {
        return filled.into_iter().map(|key| entry(key, None, None)).collect();
    }
    let cell = |place: usize| cells.get(place).map_or("", String::as_str);
    let key_first = surely_a_key(cell(0)) && !surely_a_key(cell(1));
    let (key, name) = if key_first { (cell(0), cell(1)) } else { (cell(1), cell(0)) };
    vec![entry(key, Some(name), Some(cell(2)))]
}

fn entry(key: &str, name: Option<&str>, project: Option<&str>) -> Entry {
    if [name, project].into_iter().flatten().any(surely_a_key) {
        // Names and projects are shown: what may be a key must not become one.
        return Entry::Refused(
            "It is not clear which text of this line is the key; write one to a line.".to_owned(),
        );
    }
    let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Entry::Key(Box::new(ListedText {
        key: key.to_owned(),
        name: given(name),
        project: given(project),
        ..ListedText::default()
    }))
}

fn surely_a_key(text: &str) -> bool {
    text.len() > SURELY_A_KEY && !text.contains(char::is_whitespace)
}

fn unquoted(text: &str) -> &str {
    let inside = |mark| text.strip_prefix(mark).and_then(|rest: &str| rest.strip_suffix(mark));
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

/// The cells of one line of CSV; a quoted one may hold the separator and doubled quotation marks.
fn cells(line: &str, separator: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut marks = line.chars().peekable();
    while let Some(mark) = marks.next() {
        let Some(cell) = cells.last_mut() else { break };
        match mark {
            '"' if quoted && marks.peek() == Some(&'"') => cell.extend(marks.next()),
            '"' => quoted = !quoted,
            _ if mark == separator && !quoted => cells.push(String::new()),
            _ => cell.push(mark),
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Column {
    Key,
    Name,
    Project,
    Weight,
    Cooldown,
    Proxy,
    Unknown,
}

struct Header {
    columns: Vec<Column>,
    separator: char,
}

impl Header {
    /// A line is a header when one of its cells is called like a key.
    fn of(line: &str) -> Option<Self> {
        let separator = separator(line).unwrap_or(',');
        let columns: Vec<Column> = cells(line, separator).iter().map(|cell| column(cell)).collect();
        columns.contains(&Column::Key).then_some(Self { columns, separator })
    }

    fn entry(&self, line: &str) -> Entry {
        let mut listed = ListedText::default();
        for (column, text) in self.columns.iter().zip(cells(line, self.separator)) {
            if text.is_empty() {
                continue;
            }
            match column {
                Column::Key => listed.key = text,
                Column::Name => listed.name = Some(text),
                Column::Project => listed.project = Some(text),
                Column::Proxy => listed.proxy = Some(text),
                Column::Weight | Column::Cooldown => {
                    let Ok(number) = text.parse() else {
                        let words =
                            "The weight or the cooldown is not a number; use a whole one or leave it out.";
                        return Entry::Refused(words.to_owned());
                    };
                    let place = match column {
                        Column::Weight => &mut listed.weight,
                        _ => &mut listed.cooldown_seconds,
                    };
                    *place = Some(number);
                }
                Column::Unknown => {}
            }
        }
        Entry::Key(Box::new(listed))
    }
}

fn column(title: &str) -> Column {
    let plain: String = title.chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.to_ascii_lowercase().as_str() {
        "key" | "apikey" | "geminiapikey" | "googleapikey" | "keystring" => Column::Key,
        "name" | "label" | "keyname" | "displayname" => Column::Name,
        "project" | "projectid" => Column::Project,
        "weight" => Column::Weight,
        "cooldown" | "cooldownseconds" => Column::Cooldown,
        "proxy" => Column::Proxy,
        _ => Column::Unknown,
    }
}

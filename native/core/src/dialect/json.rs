//! A client's JSON as a tree of slices of its own text: strings keep their escapes, numbers their spelling, and every
//! value knows the text it was read from, so that what only passes through is neither decoded nor copied. It is one
//! pass over the text, bounded in depth and in the number of values. What the values mean is not known here.

use std::borrow::Cow;
use std::fmt;

/// Deeper than any tool's schema, shallow enough for every stack.
const DEEPEST: usize = 128;
/// A conversation of 100,000 messages has fewer; this many cost about 100 MB at worst.
const MOST_VALUES: usize = 1_000_000;

#[derive(Clone, Debug, PartialEq)]
pub struct Node<'a> {
    /// The value's own text, without the space around it.
    pub raw: &'a str,
    pub kind: Kind<'a>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind<'a> {
    Null,
    Bool(bool),
    Number,
    Text(Literal<'a>),
    List(Vec<Node<'a>>),
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// A JSON string as it was written, quotes included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Literal<'a> {
    quoted: &'a str,
    plain: bool,
    broken: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub at: usize,
    pub what: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

impl<'a> Literal<'a> {
    /// What stands between the quotes, escapes and all.
    pub fn inside(&self) -> &'a str {
        &self.quoted[1..self.quoted.len() - 1]
    }

    /// Half of a surrogate pair stands alone in it, as where a script cut a text within an emoji. Google takes no such.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    pub fn decode(&self) -> Cow<'a, str> {
        if self.plain { Cow::Borrowed(self.inside()) } else { Cow::Owned(unescape(self.inside())) }
    }
}

impl<'a> Node<'a> {
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let mut reader = Reader { text, at: 0, left: MOST_VALUES };
        reader.space();
        let node = reader.value(DEEPEST)?;
        reader.space();
        if reader.at < text.len() { Err(reader.malformed("something follows the value")) } else { Ok(node) }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    pub fn as_str(&self) -> Option<Cow<'a, str>> {
        match &self.kind {
            Kind::Text(literal) => Some(literal.decode()),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn as_object(&self) -> Option<&[(Cow<'a, str>, Self)]> {
        match &self.kind {
            Kind::Object(fields) => Some(fields),
            _ => None,
        }
    }

    /// A finite number.
    pub fn as_f64(&self) -> Option<f64> {
        match self.kind {
            Kind::Number => self.raw.parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    /// A whole number, `3.0` and `3e2` among them.
    pub fn as_i64(&self) -> Option<i64> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let number = self.as_f64()?;
        self.raw.parse().ok().or_else(|| {
            let whole = number.fract() == 0.0 && number.abs() <= EXACT;
            whole.then_some(number as i64)
        })
    }

    /// The field of an object; of several by one name the last, as JSON readers have it.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// How many values lie within each other here at most.
    pub fn depth(&self) -> usize {
        match &self.kind {
            Kind::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Kind::Object(fields) => 1 + fields.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            _ => 1,
        }
    }

    /// Whether every value in here passes `allows`.
    pub fn all(&self, allows: &impl Fn(&Self) -> bool) -> bool {
        allows(self)
            && match &self.kind {
                Kind::List(items) => items.iter().all(|item| item.all(allows)),
                Kind::Object(fields) => fields.iter().all(|(_, value)| value.all(allows)),
                _ => true,
            }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    left: usize,
}

impl<'a> Reader<'a> {
    fn malformed(&self, what: &'static str) -> Malformed {
        Malformed { at: self.at, what }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node<'a>, Malformed> {
        if self.left == 0 {
            return Err(self.malformed("there are more than a million values"));
        }
        self.left -= 1;
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => Kind::Text(self.literal()?),
            Some(b'{' | b'[') if depth == 0 => {
                return Err(self.malformed("values lie too deep in each other"));
            }
            Some(b'{') => Kind::Object(self.object(depth - 1)?),
            Some(b'[') => Kind::List(self.list(depth - 1)?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Kind::Bool(true))?,
            Some(b'f') => self.word("false", Kind::Bool(false))?,
            Some(b'n') => self.word("null", Kind::Null)?,
            Some(_) => return Err(self.malformed("no value begins like this")),
            None => return Err(self.malformed("the text ends too early")),
        };
        Ok(Node { raw: &self.text[start..self.at], kind })
    }

    fn word(&mut self, word: &'static str, kind: Kind<'a>) -> Result<Kind<'a>, Malformed> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.malformed("no value begins like this"));
        }
        self.at += word.len();
        Ok(kind)
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.malformed("a digit is missing")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Kind<'a>, Malformed> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Kind::Number)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node<'a>>, Malformed> {
        let mut items = Vec::new();
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(items);
        }
        loop {
            self.space();
            items.push(self.value(depth)?);
            self.space();
            if self.ends_with(b']')? {
                return Ok(items);
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Vec<(Cow<'a, str>, Node<'a>)>, Malformed> {
        let mut fields = Vec::new();
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(fields);
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.malformed("a field's name is missing"));
            }
            let name = self.literal()?.decode();
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.malformed("a colon is missing"));
            }
            self.at += 1;
            self.space();
            fields.push((name, self.value(depth)?));
            self.space();
            if self.ends_with(b'}')? {
                return Ok(fields);
            }
        }
    }

    /// Past the comma, or past the end.
    fn ends_with(&mut self, end: u8) -> Result<bool, Malformed> {
        let byte = self.peek();
        if byte != Some(b',') && byte != Some(end) {
            return Err(self.malformed("a comma or the end is missing"));
        }
        self.at += 1;
        Ok(byte == Some(end))
    }

    fn literal(&mut self) -> Result<Literal<'a>, Malformed> {
        let start = self.at;
        let (mut plain, mut broken) = (true, false);
        self.at += 1;
        loop {
            self.at += ordinary(&self.text.as_bytes()[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Literal { quoted: &self.text[start..self.at], plain, broken });
                }
                Some(b'\\') => {
                    plain = false;
                    broken |= self.escape()?;
                }
                Some(_) => return Err(self.malformed("a string holds a control character")),
                None => return Err(self.malformed("a string has no end")),
            }
        }
    }

    /// Past one escape, or a pair of surrogates; says whether half of one stood alone.
    fn escape(&mut self) -> Result<bool, Malformed> {
        let bytes = self.text.as_bytes();
        match bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(false)
            }
            Some(b'u') => {
                let (_, length, whole) =
                    unicode(&bytes[self.at..]).ok_or_else(|| self.malformed("an escape is none"))?;
                self.at += length;
                Ok(!whole)
            }
            _ => Err(self.malformed("an escape is none")),
        }
    }
}

/// How many bytes a string goes on for before a quote, a backslash or a control character. Whole blocks are judged
/// without a branch, which is what makes an image of megabytes cheap.
fn ordinary(bytes: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let special = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    let blocks = bytes
        .chunks_exact(BLOCK)
        .take_while(|block| !block.iter().fold(false, |found, byte| found | special(*byte)))
        .count();
    let passed = blocks * BLOCK;
    passed + bytes[passed..].iter().take_while(|byte| !special(**byte)).count()
}

/// The character of the `\uXXXX` that `bytes` begin with, how long it is, and whether it is whole: half of a surrogate
/// pair is none and reads as U+FFFD.
fn unicode(bytes: &[u8]) -> Option<(char, usize, bool)> {
    let unit = |at: usize| -> Option<u32> {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
    };
    let first = unit(0)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6, true));
    }
    let second =
        unit(6).filter(|second| (0xD800..0xDC00).contains(&first) && (0xDC00..0xE000).contains(second));
    let pair =
        second.and_then(|second| char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)));
    Some(pair.map_or((char::REPLACEMENT_CHARACTER, 6, false), |character| (character, 12, true)))
}

/// `inside` was read as a literal before, so every escape in it is one.
pub fn unescape(inside: &str) -> String {
    let mut text = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let (character, length) = match rest.as_bytes().get(1) {
            Some(b'u') => unicode(rest.as_bytes())
                .map_or((char::REPLACEMENT_CHARACTER, 2), |(read, length, _)| (read, length)),
            Some(b'n') => ('\n', 2),
            Some(b't') => ('\t', 2),
            Some(b'r') => ('\r', 2),
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(other) => (char::from(*other), 2),
            None => return text,
        };
        text.push(character);
        rest = &rest[length..];
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests;

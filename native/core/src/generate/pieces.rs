//! Writes JSON as a row of byte pieces: what is long and already stands in the client's body is a slice of that body,
//! everything else is copied together. It puts the commas; what is written it does not know.

use bytes::Bytes;

use super::request::Text;

/// Shorter texts are cheaper copied than sent as a piece of their own.
const WORTH_A_PIECE: usize = 16 * 1024;

pub struct Pieces<'s> {
    source: &'s Bytes,
    done: Vec<Bytes>,
    open: Vec<u8>,
    /// Decides whether a comma is due.
    last: u8,
}

impl<'s> Pieces<'s> {
    /// Texts that are part of `source` are not copied.
    pub fn new(source: &'s Bytes) -> Self {
        let room = source.len().min(2 * WORTH_A_PIECE) + 512;
        Self { source, done: Vec::new(), open: Vec::with_capacity(room), last: b'[' }
    }

    pub fn finish(mut self) -> Vec<Bytes> {
        if !self.open.is_empty() {
            self.done.push(Bytes::from(self.open));
        }
        self.done
    }

    pub fn object(&mut self, fields: impl FnOnce(&mut Self)) {
        self.begin(b'{');
        fields(self);
        self.end(b'}');
    }

    pub fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.array(|out| items.into_iter().for_each(|item| write(out, item)));
    }

    pub fn array(&mut self, items: impl FnOnce(&mut Self)) {
        self.begin(b'[');
        items(self);
        self.end(b']');
    }

    /// A field's name; names here are our own and need no escapes.
    pub fn key(&mut self, name: &str) -> &mut Self {
        self.comma();
        self.open.push(b'"');
        self.open.extend_from_slice(name.as_bytes());
        self.open.extend_from_slice(b"\":");
        self.last = b':';
        self
    }

    /// A field's name that is not our own.
    pub fn named(&mut self, name: &str) -> &mut Self {
        self.str(name);
        self.open.push(b':');
        self.last = b':';
        self
    }

    pub fn text(&mut self, text: &Text<'_>) {
        self.texts(std::slice::from_ref(text));
    }

    /// Several as one string.
    pub fn texts(&mut self, texts: &[Text<'_>]) {
        self.comma();
        self.open.push(b'"');
        for text in texts {
            match text {
                Text::Written(inside) => self.written(inside),
                Text::Plain(text) => self.escaped(text),
            }
        }
        self.open.push(b'"');
        self.last = b'"';
    }

    pub fn str(&mut self, text: &str) {
        self.text(&Text::from(text));
    }

    /// A whole value as it is.
    pub fn json(&mut self, json: &str) {
        self.comma();
        self.written(json);
        self.last = b'"';
    }

    fn begin(&mut self, bracket: u8) {
        self.comma();
        self.open.push(bracket);
        self.last = bracket;
    }

    fn end(&mut self, bracket: u8) {
        self.open.push(bracket);
        self.last = bracket;
    }

    fn comma(&mut self) {
        if !matches!(self.last, b'{' | b'[' | b':') {
            self.open.push(b',');
        }
    }

    fn written(&mut self, json: &str) {
        match self.place_in_source(json).filter(|_| json.len() >= WORTH_A_PIECE) {
            Some(place) => {
                self.done.push(Bytes::from(std::mem::take(&mut self.open)));
                self.done.push(self.source.slice(place));
            }
            None => self.open.extend_from_slice(json.as_bytes()),
        }
    }

    /// Where the text stands in the client's body, if it is borrowed from there.
    fn place_in_source(&self, text: &str) -> Option<std::ops::Range<usize>> {
        let start = (text.as_ptr() as usize).checked_sub(self.source.as_ptr() as usize)?;
        let end = start.checked_add(text.len())?;
        (end <= self.source.len()).then_some(start..end)
    }

    fn escaped(&mut self, text: &str) {
        let mut from = 0;
        for (at, byte) in text.bytes().enumerate() {
            let escape: &[u8] = match byte {
                b'"' => b"\\\"",
                b'\\' => b"\\\\",
                b'\n' => b"\\n",
                b'\r' => b"\\r",
                b'\t' => b"\\t",
                0..0x20 => b"",
                _ => continue,
            };
            self.open.extend_from_slice(&text.as_bytes()[from..at]);
            from = at + 1;
            if escape.is_empty() {
                self.open.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
            } else {
                self.open.extend_from_slice(escape);
            }
        }
        self.open.extend_from_slice(&text.as_bytes()[from..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Pieces<'_>)) -> String {
        let source = Bytes::new();
        let mut pieces = Pieces::new(&source);
        write(&mut pieces);
        String::from_utf8(pieces.finish().concat()).unwrap()
    }

    #[test]
    fn commas_stand_between_and_nowhere_else() {
        let text = written(|out| {
            out.object(|out| {
                out.key("a").list([1, 2], |out, number| out.json(&number.to_string()));
                out.key("b").object(|_| ());
                out.key("c").list(0..0, |_, _: i32| ());
                out.key("d").object(|out| out.key("e").str("f"));
                out.key("g").texts(&[Text::Written("\\u0041"), Text::from("\"")]);
            });
        });
        assert_eq!(text, r#"{"a":[1,2],"b":{},"c":[],"d":{"e":"f"},"g":"\u0041\""}"#);
    }

    #[test]
    fn every_character_is_escaped_as_json_asks() {
        let all: String = (0..0x120).filter_map(char::from_u32).collect();
        let json = written(|out| out.str(&all));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), all);
    }

    #[test]
    fn a_long_text_of_the_source_is_a_slice_of_it_and_one_from_elsewhere_is_copied() {
        let source = Bytes::from(format!("--{}--", "A".repeat(WORTH_A_PIECE)));
        let elsewhere = "B".repeat(WORTH_A_PIECE);
        let inside = std::str::from_utf8(&source[2..source.len() - 2]).unwrap();
        let mut pieces = Pieces::new(&source);
        pieces.list([inside, &elsewhere, &inside[..9]], |out, text| out.text(&Text::Written(text)));
        let pieces = pieces.finish();
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces[1].as_ptr(), inside.as_ptr());
        assert_eq!(pieces.concat(), format!("[\"{inside}\",\"{elsewhere}\",\"AAAAAAAAA\"]").into_bytes());
    }
}

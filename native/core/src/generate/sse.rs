//! Server-Sent Events as Gemini writes them: bytes in, whole events out, however they were cut on the way. Bounded: an
//! event longer than the limit is an error. A JSON text that stands in the stream without `data:` (Google ends some
//! streams with a bare error) counts as an event, too. What an event says is not known here.
//!
//! Invariant: each byte is looked at once and, when its event lies whole in one piece, never copied.

use memchr::memchr2;

/// The longest event, in bytes; a generated image is some 10 MiB of base64.
pub const LONGEST_EVENT: usize = 32 * 1024 * 1024;
/// A buffer that grew beyond this for one event is given back after it.
const KEPT_BUFFER: usize = 256 * 1024;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// An event is longer than the limit; nothing more can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

pub struct SseReader {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    event: Event,
    first_line: bool,
    /// The last piece ended in `\r`: a `\n` at the start of the next one belongs to it.
    after_cr: bool,
    limit: usize,
}

/// The event being read, as far as it had to be kept.
#[derive(Default)]
struct Event {
    kind: Kind,
    data: Vec<u8>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    None,
    Data,
    /// JSON without `data:`.
    Bare,
}

/// What a line without its end means.
enum Line<'a> {
    Blank,
    Data(&'a [u8]),
    Other(&'a [u8]),
}

impl Default for SseReader {
    fn default() -> Self {
        Self::with_limit(LONGEST_EVENT)
    }
}

impl SseReader {
    pub fn with_limit(limit: usize) -> Self {
        Self { line: Vec::new(), event: Event::default(), first_line: true, after_cr: false, limit }
    }

    /// Reads one piece and hands over the data of each event that ends in it.
    pub fn push(&mut self, mut piece: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), TooLong> {
        if self.after_cr && !piece.is_empty() {
            piece = piece.strip_prefix(b"\n").unwrap_or(piece);
            self.after_cr = false;
        }
        // Data that lies in this piece and need not be copied unless more of the event comes.
        let mut here: Option<&[u8]> = None;
        while let Some(end) = memchr2(b'\r', b'\n', piece) {
            let (line, rest) = (&piece[..end], &piece[end + 1..]);
            piece = match (piece[end], rest) {
                (b'\r', [b'\n', rest @ ..]) => rest,
                (b'\r', []) => {
                    self.after_cr = true;
                    rest
                }
                _ => rest,
            };
            if self.line.is_empty() {
                self.end_of_line(line, &mut here, &mut each)?;
            } else {
                self.lengthen(line)?;
                self.end_of_kept_line(&mut each)?;
            }
        }
        if let Some(data) = here {
            self.event.add(Kind::Data, data, self.limit)?;
        }
        self.lengthen(piece)
    }

    /// The stream is over: what it left without an end counts as ended.
    pub fn end(&mut self, mut each: impl FnMut(&[u8])) -> Result<(), TooLong> {
        if !self.line.is_empty() {
            self.end_of_kept_line(&mut each)?;
        }
        self.dispatch(None, &mut each);
        Ok(())
    }

    fn lengthen(&mut self, more: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + more.len() > self.limit {
            return Err(TooLong);
        }
        self.line.extend_from_slice(more);
        Ok(())
    }

    /// Such a line is the first of its piece, so no data is waiting in the piece itself.
    fn end_of_kept_line(&mut self, each: &mut impl FnMut(&[u8])) -> Result<(), TooLong> {
        let mut line = std::mem::take(&mut self.line);
        let mut data: Option<&[u8]> = None;
        self.end_of_line(&line, &mut data, each)?;
        if let Some(data) = data {
            // Nothing else of the event is kept: the line's buffer becomes the event's.
            line.drain(..line.len() - data.len());
            self.event = Event { kind: Kind::Data, data: line };
            return Ok(());
        }
        line.clear();
        if line.capacity() <= KEPT_BUFFER {
            self.line = line;
        }
        Ok(())
    }

    fn end_of_line<'a>(
        &mut self,
        line: &'a [u8],
        here: &mut Option<&'a [u8]>,
        each: &mut impl FnMut(&[u8]),
    ) -> Result<(), TooLong> {
        if line.len() > self.limit {
            return Err(TooLong);
        }
        let line =
            if std::mem::take(&mut self.first_line) { line.strip_prefix(BOM).unwrap_or(line) } else { line };
        match classify(line) {
            Line::Blank => self.dispatch(here.take(), each),
            Line::Data(data) => {
                if self.event.kind == Kind::Bare {
                    self.dispatch(None, each);
                }
                match here.take() {
                    None if self.event.kind == Kind::None => *here = Some(data),
                    earlier => {
                        if let Some(earlier) = earlier {
                            self.event.add(Kind::Data, earlier, self.limit)?;
                        }
                        self.event.add(Kind::Data, data, self.limit)?;
                    }
                }
            }
            Line::Other(line) => {
                let begins = matches!(line.trim_ascii_start(), [b'{' | b'[', ..]);
                if self.event.kind == Kind::Bare {
                    self.event.add(Kind::Bare, line, self.limit)?;
                } else if begins {
                    self.dispatch(here.take(), each);
                    self.event.add(Kind::Bare, line, self.limit)?;
                }
            }
        }
        Ok(())
    }

    fn dispatch(&mut self, here: Option<&[u8]>, each: &mut impl FnMut(&[u8])) {
        let data = here.unwrap_or(&self.event.data);
        if !data.trim_ascii().is_empty() {
            each(data);
        }
        self.event.kind = Kind::None;
        self.event.data.clear();
        if self.event.data.capacity() > KEPT_BUFFER {
            self.event.data = Vec::new();
        }
    }
}

impl Event {
    fn add(&mut self, kind: Kind, data: &[u8], limit: usize) -> Result<(), TooLong> {
        if self.data.len() + data.len() >= limit {
            return Err(TooLong);
        }
        if self.kind == kind {
            self.data.push(b'\n');
        }
        self.kind = kind;
        self.data.extend_from_slice(data);
        Ok(())
    }
}

fn classify(line: &[u8]) -> Line<'_> {
    match line.strip_prefix(b"data") {
        _ if line.is_empty() => Line::Blank,
        Some([b':', b' ', data @ ..] | [b':', data @ ..]) => Line::Data(data),
        Some([]) => Line::Data(&[]),
        _ => Line::Other(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of a text cut into pieces of `size` bytes.
    fn events(text: &[u8], size: usize) -> Vec<String> {
        let mut reader = SseReader::default();
        let mut found = Vec::new();
        let mut each = |data: &[u8]| found.push(String::from_utf8(data.to_vec()).unwrap());
        for piece in text.chunks(size) {
            reader.push(piece, &mut each).unwrap();
        }
        reader.end(&mut each).unwrap();
        found
    }

    #[test]
    fn events_are_the_same_however_the_text_is_cut_and_its_lines_end() {
        for (text, expected) in [
            ("data: {1}\r\n\r\ndata: {2}\r\n\r\n", vec!["{1}", "{2}"]),
            ("data:{1}\n\ndata:  {2}\n\n", vec!["{1}", " {2}"]),
            ("data: a\rdata: b\r\rdata: c\r\r", vec!["a\nb", "c"]),
            ("data: a\r\ndata\r\ndata: c\r\n\r\n", vec!["a\n\nc"]),
            ("\u{feff}data: a\n\n", vec!["a"]),
            (": hello\nevent: x\nid: 7\nretry: 1\ndata: a\n: in between\n\n", vec!["a"]),
            ("data: without an end", vec!["without an end"]),
            ("data: without a blank line\n", vec!["without a blank line"]),
            ("data:\n\ndata: \n\n\n\n", vec![]),
            ("database: x\n\n<html>\n\n", vec![]),
        ] {
            for size in 1..=text.len() {
                assert_eq!(events(text.as_bytes(), size), expected, "{text:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn json_without_data_is_an_event() {
        let pretty = "{\n  \"error\": {\n    \"code\": 503\n  }\n}";
        for (text, expected) in [
            (format!("data: {{1}}\r\n\r\n{pretty}"), vec!["{1}", pretty]),
            (format!("data: {{1}}\n{pretty}\n\n"), vec!["{1}", pretty]),
            (format!("[{pretty}]\n\ndata: {{2}}\n\n"), vec![&*format!("[{pretty}]"), "{2}"]),
            (format!("{pretty}\ndata: {{2}}"), vec![pretty, "{2}"]),
        ] {
            for size in 1..=text.len() {
                assert_eq!(events(text.as_bytes(), size), expected, "{text:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn an_event_in_one_piece_is_not_copied() {
        let piece = b"data: {1}\n\ndata: {2}\n\n";
        let mut reader = SseReader::default();
        let mut places = Vec::new();
        reader.push(piece, |data| places.push(piece.as_ptr_range().contains(&data.as_ptr()))).unwrap();
        assert_eq!(places, [true, true]);
    }

    #[test]
    fn what_is_longer_than_the_limit_is_an_error_wherever_it_is_cut() {
        let read = |text: &str, size: usize| {
            let mut reader = SseReader::with_limit(20);
            let pushed: Result<Vec<()>, TooLong> =
                text.as_bytes().chunks(size).map(|piece| reader.push(piece, |_| ())).collect();
            pushed.and_then(|_| reader.end(|_| ()))
        };
        let joined = "data: 1234567890\ndata: 1234567890\n\n";
        let bare = "{ 34567890\n 234567890\n";
        for (text, expected) in [
            ("data: 12345678901234\n\ndata: 12345678901234\n\n", Ok(())),
            ("data: 123456789012345\n\n", Err(TooLong)),
            ("\u{feff}data: 123456789012\n\n", Err(TooLong)),
            ("data: 123456789012345", Err(TooLong)),
            (joined, Err(TooLong)),
            (bare, Err(TooLong)),
        ] {
            for size in 1..=text.len() {
                assert_eq!(read(text, size), expected, "{text:?} in pieces of {size}");
            }
        }
    }
}

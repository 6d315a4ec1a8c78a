//! What the upstream answers to one attempt, drawn from a seed: the bytes on the wire, how they are framed, and where
//! and how they are cut. Pure; it must not know sockets. Content names its request and attempt, so that a piece of
//! another answer is recognised wherever it turns up.

use std::io::Write;

use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `:streamGenerateContent?alt=sse`
    Sse,
    /// `:streamGenerateContent`
    Array,
    /// `:generateContent`
    Plain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framed {
    Length,
    Chunked,
    UntilClose,
}

/// What ends the answer; `at` counts bytes on the wire, head included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All is sent; the connection stays open where the framing allows.
    Kept,
    /// All is sent, then the connection is closed.
    Closed,
    Fin {
        at: usize,
    },
    Reset {
        at: usize,
    },
    /// All that is sent before a chunk size that is no number.
    BrokenChunk {
        at: usize,
    },
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub framed: Framed,
    pub ending: Ending,
    /// A 200 stream whose last piece is an error.
    pub error_at_end: bool,
    pub packed: bool,
    /// The product unpacks it for its client.
    pub unpacked: bool,
    pub wire: Vec<u8>,
    pub head: usize,
    /// What a client is to read when all goes well: unpacked where the product unpacks.
    pub content: Vec<u8>,
    /// Sizes of the writes; what is left then goes at once.
    pub pieces: Vec<usize>,
    /// The upstream has made what was asked for, whatever it answers.
    pub creates: bool,
    /// Acts once the head of the request is there, or only after the whole of it.
    pub reads_body: bool,
    /// Waits here, in bytes on the wire, until the other requests are through. Never at
    /// the end: another request may be sent over the connection then.
    pub pause: usize,
}

/// Who is answered.
#[derive(Clone, Copy, Debug)]
pub struct To {
    pub request: usize,
    pub attempt: usize,
    pub kind: Kind,
}

impl Answer {
    pub fn draw(to: To, rng: &mut Rng) -> Self {
        let status = *pick(rng, &[200, 200, 200, 200, 200, 200, 200, 500, 429, 404]);
        let streams = to.kind != Kind::Plain && status == 200;
        let error_at_end = streams && rng.u8(..5) == 0;
        let packed = rng.u8(..4) == 0;
        let texts = if status == 200 { texts(to, error_at_end, rng) } else { vec![refusal(to, status)] };
        let plain = texts.concat().into_bytes();
        let body = if packed { pack(&texts) } else { plain.clone() };
        let framed = *pick(rng, &[Framed::Length, Framed::Chunked, Framed::UntilClose]);
        let mut head = format!("HTTP/1.1 {status} Some Words\r\ncontent-type: {}\r\n", content_type(to.kind));
        head += &format!("x-attempt: {}\r\n", to.attempt);
        if packed {
            head += "content-encoding: gzip\r\n";
        }
        head += &match framed {
            Framed::Length => format!("content-length: {}\r\n\r\n", body.len()),
            Framed::Chunked => "transfer-encoding: chunked\r\n\r\n".to_owned(),
            Framed::UntilClose => "connection: close\r\n\r\n".to_owned(),
        };
        let mut wire = head.into_bytes();
        let head = wire.len();
        let chunks = append(&mut wire, &body, framed, rng);
        let ending = ending(wire.len(), head, framed, &chunks, rng);
        let unpacked = packed && (streams || status != 200);
        Self {
            status,
            framed,
            ending,
            error_at_end,
            packed,
            head,
            content: if packed && !unpacked { body } else { plain },
            unpacked,
            creates: false,
            reads_body: matches!(ending, Ending::Kept | Ending::Closed) || rng.u8(..4) > 0,
            pieces: (0..rng.usize(..30)).map(|_| piece(rng)).collect(),
            pause: rng.usize(..wire.len()),
            wire,
        }
    }

    /// What is sent before the answer ends, however it does.
    pub fn sent(&self) -> &[u8] {
        match self.ending {
            Ending::Kept | Ending::Closed => &self.wire,
            Ending::Fin { at } | Ending::Reset { at } | Ending::BrokenChunk { at } => &self.wire[..at],
        }
    }

    pub fn is_proper(&self) -> bool {
        matches!(self.ending, Ending::Kept | Ending::Closed)
    }

    /// Whether a reader could take what was sent for a whole answer.
    pub fn looks_whole(&self) -> bool {
        match (self.framed, self.ending) {
            (_, Ending::Kept | Ending::Closed) => true,
            (_, Ending::BrokenChunk { .. }) | (Framed::UntilClose, Ending::Reset { .. }) => false,
            // An end is all there is to go by.
            (Framed::UntilClose, Ending::Fin { at }) => at >= self.head,
            (_, Ending::Fin { at } | Ending::Reset { at }) => at == self.wire.len(),
        }
    }
}

/// What a stream ends in that fails late.
pub fn late_error(request: usize, attempt: usize) -> String {
    format!(r#"{{"error":{{"code":503,"status":"UNAVAILABLE","message":"late {request}/{attempt}"}}}}"#)
}

pub fn pick<'a, T>(rng: &mut Rng, from: &'a [T]) -> &'a T {
    &from[rng.usize(..from.len())]
}

fn piece(rng: &mut Rng) -> usize {
    match rng.u8(..4) {
        0 => rng.usize(1..20),
        1 => rng.usize(20..500),
        _ => rng.usize(500..20_000),
    }
}

fn content_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Sse => "text/event-stream",
        Kind::Array | Kind::Plain => "application/json; charset=UTF-8",
    }
}

fn refusal(to: To, status: u16) -> String {
    let name = match status {
        429 => "RESOURCE_EXHAUSTED",
        404 => "NOT_FOUND",
        _ => "INTERNAL",
    };
    let words = format!("refused {}/{}", to.request, to.attempt);
    format!(r#"{{"error":{{"code":{status},"status":"{name}","message":"{words}"}}}}"#)
}

/// The parts of the body; a stream's are its events.
fn texts(to: To, error_at_end: bool, rng: &mut Rng) -> Vec<String> {
    let count = if to.kind == Kind::Plain { 1 } else { rng.usize(1..6) };
    let part = |number: usize, rng: &mut Rng| {
        let filling = "x".repeat(piece(rng) / 2);
        let text = format!("{}/{}/{number} {filling}", to.request, to.attempt);
        format!(r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{text}"}}]}}}}]}}"#)
    };
    let mut values: Vec<String> = (0..count).map(|number| part(number, rng)).collect();
    if error_at_end {
        values.push(late_error(to.request, to.attempt));
    }
    let last = values.len() - 1;
    let dressed = values.into_iter().enumerate().map(|(at, value)| match to.kind {
        Kind::Sse => format!("data: {value}\r\n\r\n"),
        Kind::Array => {
            format!("{}{value}\n{}", if at == 0 { "[" } else { ",\r\n" }, if at == last { "]" } else { "" })
        }
        Kind::Plain => value,
    });
    dressed.collect()
}

/// Flushed after each part, as a server that streams does.
fn pack(texts: &[String]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for text in texts {
        encoder.write_all(text.as_bytes()).expect("into memory");
        encoder.flush().expect("into memory");
    }
    encoder.finish().expect("into memory")
}

/// Appends the framed body and answers where its chunks begin.
fn append(wire: &mut Vec<u8>, body: &[u8], framed: Framed, rng: &mut Rng) -> Vec<usize> {
    if framed != Framed::Chunked {
        wire.extend_from_slice(body);
        return Vec::new();
    }
    let mut starts = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(piece(rng).min(rest.len()));
        starts.push(wire.len());
        wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        wire.extend_from_slice(chunk);
        wire.extend_from_slice(b"\r\n");
        rest = after;
    }
    starts.push(wire.len());
    wire.extend_from_slice(b"0\r\n\r\n");
    starts
}

fn ending(length: usize, head: usize, framed: Framed, chunks: &[usize], rng: &mut Rng) -> Ending {
    // Before the head, in the head, in the body, and right at the edges.
    let at = match rng.u8(..8) {
        0 => 0,
        1 => rng.usize(..=head),
        2 => head,
        3 => length - 1,
        _ => rng.usize(head..=length),
    };
    match rng.u8(..6) {
        0 | 1 if framed == Framed::UntilClose => Ending::Closed,
        0 => Ending::Kept,
        1 => Ending::Closed,
        2 if !chunks.is_empty() => Ending::BrokenChunk { at: *pick(rng, chunks) },
        2 | 3 => Ending::Fin { at },
        _ => Ending::Reset { at },
    }
}

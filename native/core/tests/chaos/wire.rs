//! HTTP/1.1 over raw sockets, by the rules of RFC 9112 §6 and §7 and nothing more: reads heads and bodies and says
//! whether a body was whole. Both ends of the tests use it, so that neither hyper nor the product judges itself. It
//! must not know what any message means.

use std::collections::HashMap;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;

/// A proxy of the tests begins with this what it says to the upstream; no request does.
const TUNNEL: &str = "TUNNEL ";

/// A first line and the headers under lower-case names.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub first: String,
    headers: HashMap<String, String>,
}

impl Head {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default().to_owned();
        let pair = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        };
        Self { first, headers: lines.filter_map(pair).collect() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn status(&self) -> u16 {
        self.word(1).parse().unwrap_or(0)
    }

    /// A word of the first line: 0 is a request's method, 1 its target or an answer's status.
    pub fn word(&self, at: usize) -> &str {
        self.first.split(' ').nth(at).unwrap_or_default()
    }

    /// `without`: what no length means, nothing in a request and "until the end" in an answer.
    pub fn framing(&self, without: Framing) -> Framing {
        if self.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
            return Framing::Chunked;
        }
        self.header("content-length").parse().map_or(without, Framing::Length)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As its framing says.
    Whole,
    /// The connection ended, or broke a rule, before.
    Cut,
    /// The reader had enough.
    Stopped,
    /// Nothing came any more.
    Stuck,
}

/// A stream with what was read of it and not yet used.
pub struct Reader<S> {
    pub stream: S,
    held: Vec<u8>,
}

impl<S: AsyncRead + Unpin> Reader<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, held: Vec::new() }
    }

    /// The number of the tunnel that this connection is the end of; `None` when it is a client's own.
    pub async fn tunnel(&mut self) -> Option<usize> {
        while self.held.len() < TUNNEL.len() {
            self.more().await.ok()?;
        }
        if !self.held.starts_with(TUNNEL.as_bytes()) {
            return None;
        }
        self.line().await?.strip_prefix(TUNNEL)?.parse().ok()
    }

    /// `None` when the connection ended before a whole head.
    pub async fn head(&mut self) -> Option<Head> {
        loop {
            if let Some(at) = find(&self.held, b"\r\n\r\n") {
                let head = Head::parse(&self.held[..at]);
                self.held.drain(..at + 4);
                return Some(head);
            }
            self.more().await.ok()?;
        }
    }

    /// The body, at most `most` bytes of it.
    pub async fn body(&mut self, framing: Framing, most: usize) -> (Vec<u8>, End) {
        let mut body = Vec::new();
        let end = match framing {
            Framing::Length(length) => self.take(length, most, &mut body).await,
            Framing::Chunked => self.chunks(most, &mut body).await,
            Framing::UntilClose => self.rest(most, &mut body).await,
        };
        (body, end)
    }

    async fn chunks(&mut self, most: usize, body: &mut Vec<u8>) -> End {
        loop {
            let Some(line) = self.line().await else { return End::Cut };
            let Ok(size) = usize::from_str_radix(&line, 16) else { return End::Cut };
            if size > 0 {
                match self.take(size, most, body).await {
                    End::Whole => {}
                    other => return other,
                }
            }
            match self.line().await {
                Some(line) if line.is_empty() && size == 0 => return End::Whole,
                Some(line) if line.is_empty() => {}
                _ => return End::Cut,
            }
        }
    }

    /// `length` further bytes of the body, which is not to grow beyond `most`.
    async fn take(&mut self, length: usize, most: usize, body: &mut Vec<u8>) -> End {
        let mut left = length;
        while left > 0 {
            if body.len() >= most {
                return End::Stopped;
            }
            if self.held.is_empty() && self.more().await.is_err() {
                return End::Cut;
            }
            let part = left.min(self.held.len()).min(most - body.len());
            body.extend(self.held.drain(..part));
            left -= part;
        }
        End::Whole
    }

    async fn rest(&mut self, most: usize, body: &mut Vec<u8>) -> End {
        loop {
            body.append(&mut self.held);
            if body.len() >= most {
                body.truncate(most);
                return End::Stopped;
            }
            match self.more().await {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return End::Whole,
                Err(_) => return End::Cut,
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = find(&self.held, b"\r\n") {
                let line = String::from_utf8_lossy(&self.held[..at]).into_owned();
                self.held.drain(..at + 2);
                return Some(line);
            }
            self.more().await.ok()?;
        }
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.held).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// What `Reader::tunnel` reads.
pub fn announcement(tunnel: usize) -> Vec<u8> {
    format!("{TUNNEL}{tunnel}\r\n").into_bytes()
}

/// Closes with a reset instead of an end. What was not sent yet is lost, as with a crash.
pub fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
    drop(stream);
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

//! What two windows say to each other once both have proved themselves, as JSON lines, and how a line is read and
//! written. It must not know what the messages bring about.
//!
//! Invariant: no line is longer than its reader allows, so that nobody can make a window hold more.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use crate::events::Event;
use crate::views::Snapshot;

/// A vault or a snapshot of ten thousand keys has a few megabytes.
pub const LONGEST: usize = 64 * 1024 * 1024;
/// Before the proofs: enough for a nonce and a proof.
pub const LONGEST_UNPROVED: usize = 1_024;
/// Whoever takes nothing for this long is let go.
const STUCK: Duration = Duration::from_secs(10);

/// Holds secrets: neither printed nor logged.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToFollower {
    /// All of it, as named texts; the follower answers `VaultKept`. `wanted`: the endpoint is meant to listen, because
    /// nobody stopped it.
    Vault {
        number: u64,
        texts: HashMap<String, String>,
        wanted: bool,
    },
    Snapshot {
        snapshot: Box<Snapshot>,
    },
    Event {
        event: Arc<Event>,
    },
    /// JSON of a Reply or of an EndpointView.
    Reply {
        ticket: u64,
        reply: String,
    },
}

/// Holds secrets: neither printed nor logged.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToLeader {
    VaultKept {
        number: u64,
    },
    /// JSON of a Command.
    Command {
        ticket: u64,
        command: String,
    },
    Start {
        ticket: u64,
    },
    Stop {
        ticket: u64,
    },
}

pub struct Lines<R> {
    reader: BufReader<R>,
    longest: usize,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub fn new(reader: R, longest: usize) -> Self {
        Self { reader: BufReader::new(reader), longest }
    }

    pub fn allow(&mut self, longest: usize) {
        self.longest = longest;
    }

    /// The next line's message; `None` at the end. Not to be cancelled: what was read of a line would be lost.
    pub async fn next<T: for<'a> Deserialize<'a>>(&mut self) -> io::Result<Option<T>> {
        let mut line = Vec::new();
        loop {
            let read = self.reader.fill_buf().await?;
            if read.is_empty() {
                return if line.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            let end = memchr::memchr(b'\n', read);
            let taken = end.unwrap_or(read.len());
            if line.len() + taken > self.longest {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the line is too long"));
            }
            line.extend_from_slice(read.get(..taken).unwrap_or_default());
            self.reader.consume(end.map_or(taken, |end| end + 1));
            if end.is_some() {
                // Without the parser's words: they may quote a key.
                let parsed = serde_json::from_slice(&line);
                return parsed.map(Some).map_err(|_| io::ErrorKind::InvalidData.into());
            }
        }
    }
}

pub async fn send<W: AsyncWrite + Unpin>(writer: &mut W, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    let written = tokio::time::timeout(STUCK, writer.write_all(&line)).await;
    written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_come_one_by_one_and_none_longer_than_allowed() {
        let (mut ours, theirs) = tokio::io::duplex(64);
        let writing = tokio::spawn(async move {
            for ticket in 0..3 {
                let command = "x".repeat(40);
                send(&mut ours, &ToLeader::Command { ticket, command }).await.unwrap();
            }
            send(&mut ours, &ToLeader::Command { ticket: 3, command: "x".repeat(400) }).await
        });
        let mut lines = Lines::new(theirs, 200);
        for expected in 0..3 {
            let Some(ToLeader::Command { ticket, .. }) = lines.next().await.unwrap() else { panic!() };
            assert_eq!(ticket, expected);
        }
        assert!(lines.next::<ToLeader>().await.is_err());
        drop(lines);
        assert!(writing.await.unwrap().is_err());
    }

    #[tokio::test]
    async fn a_line_cut_off_is_an_error_and_an_end_between_lines_is_none() {
        let mut whole = Lines::new(&b"{\"kind\":\"start\",\"ticket\":1}\n"[..], 200);
        assert!(whole.next::<ToLeader>().await.unwrap().is_some());
        assert!(whole.next::<ToLeader>().await.unwrap().is_none());
        let mut cut = Lines::new(&b"{\"kind\":\"start\""[..], 200);
        assert!(cut.next::<ToLeader>().await.is_err());
    }
}

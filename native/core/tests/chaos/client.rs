//! A client on a raw socket: sends one request, reads the answer by the rules of HTTP framing, and may go away at any
//! moment. It tells what it saw; it must not know whether that is right.

use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::plan::Leave;
use crate::wire::{End, Framing, Head, Reader, reset};

pub const TOKEN: &str = "token-of-the-chaos-tests";
const CHUNK: usize = 16_384;

/// What the client got. `end` is `Stopped` when it went away itself.
#[derive(Debug)]
pub struct Seen {
    pub head: Option<Head>,
    pub content: Vec<u8>,
    pub end: End,
}

impl Seen {
    /// Of a client that waits for ever.
    pub fn stuck() -> Self {
        Self { head: None, content: Vec::new(), end: End::Stuck }
    }
}

/// One request as its client sends it.
pub struct Sending {
    pub number: usize,
    pub path: String,
    pub body: Vec<u8>,
    pub chunked: bool,
    pub gzip: bool,
    pub leave: Leave,
}

/// Sends the request; `upstream_has_it` is waited for by a client that leaves while waiting.
pub async fn ask(endpoint: SocketAddr, sending: &Sending, upstream_has_it: impl Future<Output = ()>) -> Seen {
    let gone = Seen { head: None, content: Vec::new(), end: End::Stopped };
    let mut stream = TcpStream::connect(endpoint).await.expect("the endpoint listens");
    let send = match sending.leave {
        Leave::InRequest { after, .. } => after,
        _ => sending.body.len(),
    };
    // An endpoint that answers early may close; the answer is read all the same.
    let _ = stream.write_all(&written(sending, endpoint, send)).await;
    if let Leave::InRequest { reset: hard, .. } = sending.leave {
        go(stream, hard);
        return gone;
    }
    let mut reader = Reader::new(stream);
    let head = match sending.leave {
        Leave::Waiting { reset: hard } => tokio::select! {
            head = reader.head() => head,
            () = upstream_has_it => {
                go(reader.stream, hard);
                return gone;
            }
        },
        _ => reader.head().await,
    };
    let Some(head) = head else { return Seen { end: End::Cut, ..gone } };
    let most = match sending.leave {
        Leave::InAnswer { after, .. } => after,
        _ => usize::MAX,
    };
    let (content, end) = reader.body(head.framing(Framing::UntilClose), most).await;
    if let Leave::InAnswer { reset: hard, .. } = sending.leave {
        go(reader.stream, hard);
    }
    Seen { head: Some(head), content, end }
}

fn go(stream: TcpStream, hard: bool) {
    if hard {
        reset(stream);
    }
}

/// Head and the first `send` bytes of the body, framed for the whole of it.
fn written(sending: &Sending, endpoint: SocketAddr, send: usize) -> Vec<u8> {
    let Sending { number, path, body, .. } = sending;
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: {endpoint}\r\n");
    head += &format!("x-goog-api-key: {TOKEN}\r\nx-request: {number}\r\n");
    if sending.gzip {
        head += "accept-encoding: gzip\r\n";
    }
    head += &match sending.chunked {
        true => "transfer-encoding: chunked\r\n\r\n".to_owned(),
        false => format!("content-length: {}\r\n\r\n", body.len()),
    };
    let mut written = head.into_bytes();
    if !sending.chunked {
        written.extend_from_slice(&body[..send]);
        return written;
    }
    for chunk in body[..send].chunks(CHUNK) {
        written.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        written.extend_from_slice(chunk);
        written.extend_from_slice(b"\r\n");
    }
    if send == body.len() {
        written.extend_from_slice(b"0\r\n\r\n");
    }
    written
}

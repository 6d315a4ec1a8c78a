//! One session under way: bytes in both directions between client and upstream until both are done. It carries the
//! attempt's lease and the request's record, and ends both exactly once. It opens no connection, and no silence ends a
//! session: a dead peer is found by TCP's own keepalive.
//!
//! Invariant: whoever ends the session first decides the outcome; an answer to a close, or bytes lost after it, change
//! nothing.

use std::future::Future;
use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::BytesMut;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::close::{Close, good_end};
use super::downward::Downward;
use super::frames::{CLOSE, FrameReader};
use super::opening::of_token;
use crate::dispatch::judge::Outcome;
use crate::dispatch::reply::Claim;
use crate::secret::Secret;

/// When one side has ended, the other may send what it still has for this long.
const LINGER: Duration = Duration::from_secs(10);
const CHUNK: usize = 16 * 1024;
/// A close frame of code 1001, going away.
const GOING_AWAY: [u8; 4] = [0x88, 0x02, 0x03, 0xe9];

/// What ended the session.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    ClientClosed,
    /// Without a close frame.
    ClientLeft,
    UpstreamClosed(Close),
    /// Without a close frame.
    UpstreamLost,
    /// The endpoint stops.
    Stopped,
}

pub struct Tunnel {
    upstream: OnUpgrade,
    key: Secret,
    /// The upstream saw a token of the client's and no key.
    without_key: bool,
    claim: Option<Claim>,
}

impl Tunnel {
    /// For an upstream that has answered 101.
    pub fn new(upstream: OnUpgrade, key: Secret, without_key: bool, claim: Claim) -> Self {
        Self { upstream, key, without_key, claim: Some(claim) }
    }

    /// Carries the session to its end. `stop` resolves when the endpoint no longer waits for it.
    pub async fn run(mut self, client: Upgraded, stop: impl Future<Output = ()>) {
        let Ok(upstream) = (&mut self.upstream).await else {
            return self.settle(Some(&End::UpstreamLost));
        };
        let (mut from_client, mut to_client) = tokio::io::split(TokioIo::new(client));
        let (mut from_upstream, mut to_upstream) = tokio::io::split(TokioIo::new(upstream));
        let mut downward = Downward::new(self.key.clone());
        let first = OnceLock::new();
        let mut up = pin!(pass_up(&mut from_client, &mut to_upstream, &first));
        let mut down = pin!(pass_down(&mut from_upstream, &mut to_client, &mut downward, &first, stop));
        // Settled before the rest is waited for: the key is free as soon as the session is over.
        tokio::select! {
            biased;
            () = &mut down => {
                self.settle(first.get());
                let _ = timeout(LINGER, up).await;
            }
            () = &mut up => {
                if first.get().is_some() {
                    self.settle(first.get());
                    let _ = timeout(LINGER, down).await;
                } else {
                    // The upstream takes no more bytes; what it says last tells why.
                    let _ = timeout(LINGER, down).await;
                    self.settle(first.get());
                }
            }
        }
    }

    fn settle(&mut self, end: Option<&End>) {
        let Some(claim) = self.claim.take() else { return };
        match end {
            Some(End::Stopped) => claim.release(Some("The endpoint was stopped during the session.")),
            // The key was not asked for, so its word stands: that a token was good does not prove a disabled key.
            Some(End::ClientClosed) if self.without_key => claim.release(None),
            Some(End::UpstreamClosed(close)) if self.without_key && close.error().is_none() => {
                claim.release(None);
            }
            Some(End::ClientClosed) => claim.settle(&good_end()),
            Some(End::ClientLeft) => claim.settle(&Outcome::CallerGone),
            Some(End::UpstreamClosed(close)) => {
                let outcome = close.outcome();
                let outcome = if self.without_key { of_token(outcome) } else { outcome };
                claim.settle_saying(&outcome, close.words());
            }
            Some(End::UpstreamLost) | None => {
                let words = "the upstream broke the session off without a close frame";
                claim.settle(&Outcome::Interrupted(words.to_owned()));
            }
        }
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        // Only where the client left before its 101, or the endpoint was ended by force.
        self.settle(Some(&End::ClientLeft));
    }
}

/// Client to upstream, every byte as it is. It notes the client's end before it passes it on.
async fn pass_up(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    first: &OnceLock<End>,
) {
    let mut frames = FrameReader::default();
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(CHUNK);
        if !matches!(from.read_buf(&mut buffer).await, Ok(1..)) {
            let _ = first.set(End::ClientLeft);
            let _ = to.shutdown().await;
            return;
        }
        let chunk = buffer.split();
        let mut rest = &chunk[..];
        while !rest.is_empty() {
            let part = frames.next(rest);
            if part.opcode == Some(CLOSE) {
                let _ = first.set(End::ClientClosed);
            }
            rest = &rest[part.length..];
        }
        if pass(to, &chunk).await.is_err() {
            return;
        }
    }
}

/// Upstream to client, clean of the key.
async fn pass_down(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    downward: &mut Downward,
    first: &OnceLock<End>,
    stop: impl Future<Output = ()>,
) {
    let mut stop = pin!(stop);
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(CHUNK);
        let read = tokio::select! {
            biased;
            () = &mut stop => {
                let _ = first.set(End::Stopped);
                if downward.is_between_frames() && downward.close().is_none() {
                    let _ = pass(to, &GOING_AWAY).await;
                }
                let _ = to.shutdown().await;
                return;
            }
            read = from.read_buf(&mut buffer) => read,
        };
        let ended = !matches!(read, Ok(1..));
        let chunk = if ended { downward.finish() } else { downward.push(buffer.split().freeze()) };
        if let Some(close) = downward.close() {
            let _ = first.set(End::UpstreamClosed(close.clone()));
        }
        if pass(to, &chunk).await.is_err() {
            let _ = first.set(End::ClientLeft);
            return;
        }
        if ended {
            let _ = first.set(End::UpstreamLost);
            let _ = to.shutdown().await;
            return;
        }
    }
}

async fn pass(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}

//! The client's request body, streamed to the first attempt as it arrives and kept, up to a cap, so that a second
//! attempt can send it again. It counts what passes against the limit and lets a rewriter change what passes; what the
//! bytes mean is not known here.
//!
//! Invariant: once the kept part overflowed its cap, or the body broke off, no further attempt may use it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;

use crate::forward::rewrite::Rewriter;

/// Kept for repetition, in bytes; a longer body streams on and is not repeated.
pub const REPLAY_CAP: usize = 32 * 1024 * 1024;

/// Why a body ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    TooLarge,
    CallerGone,
    /// An earlier attempt's reader after a later one began.
    Superseded,
}

impl std::fmt::Display for BodyFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the request body is too large",
            Self::CallerGone => "the client broke the request off",
            Self::Superseded => "another attempt took the request over",
        })
    }
}

impl std::error::Error for BodyFault {}

/// The client's body with the limit it is held to.
pub struct Replay<B> {
    shared: Arc<Mutex<Shared<B>>>,
    declared: Option<u64>,
}

struct Shared<B> {
    source: Option<B>,
    rewriter: Option<Rewriter>,
    kept: Vec<Bytes>,
    kept_bytes: usize,
    cap: usize,
    passed: u64,
    limit: u64,
    overflowed: bool,
    fault: Option<BodyFault>,
    reader: u64,
}

/// Where bytes that arrive go next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passing {
    ToAttempt,
    Ahead,
}

/// One attempt's reading of the body.
pub struct ReplayBody<B> {
    shared: Arc<Mutex<Shared<B>>>,
    reader: u64,
    next: usize,
    left: Option<u64>,
}

impl<B: Body<Data = Bytes> + Unpin> Replay<B> {
    /// `limit` in bytes; `cap` is how much is kept for repetition.
    pub fn new(source: B, limit: u64, cap: usize) -> Self {
        let declared = source.size_hint().exact();
        let shared = Shared {
            source: (!source.is_end_stream()).then_some(source),
            rewriter: None,
            kept: Vec::new(),
            kept_bytes: 0,
            cap,
            passed: 0,
            limit,
            overflowed: false,
            fault: None,
            reader: 0,
        };
        Self { shared: Arc::new(Mutex::new(shared)), declared }
    }

    /// Has all of the body pass through `rewriter`; before anything is read.
    pub fn rewriting(&self, rewriter: Rewriter) {
        self.shared.lock().rewriter = Some(rewriter);
    }

    /// The length to declare: the client's own, or, for a body that is rewritten, its new one once all of it was read.
    pub fn length(&self) -> Option<u64> {
        let shared = self.shared.lock();
        match shared.rewriter {
            None => self.declared,
            Some(_) if shared.source.is_none() => self.declared.and(Some(shared.kept_bytes as u64)),
            Some(_) => None,
        }
    }

    /// A reading from the beginning; any earlier one ends with an error.
    pub fn read(&self) -> ReplayBody<B> {
        let left = self.length();
        let mut shared = self.shared.lock();
        shared.reader += 1;
        ReplayBody { shared: Arc::clone(&self.shared), reader: shared.reader, next: 0, left }
    }

    /// Reads ahead, as much as is kept for repetition, and shows it to `look`; attempts begin with it. A body that
    /// breaks off says so to its first attempt.
    pub async fn read_ahead(&self, mut look: impl FnMut(&[u8])) {
        std::future::poll_fn(|context| {
            let mut shared = self.shared.lock();
            while !shared.overflowed && shared.kept_bytes < shared.cap {
                match ready!(shared.poll_source(context, Passing::Ahead)) {
                    Some(Ok(data)) => look(&data),
                    Some(Err(_)) | None => break,
                }
            }
            Poll::Ready(())
        })
        .await;
    }

    pub fn can_repeat(&self) -> bool {
        let shared = self.shared.lock();
        !shared.overflowed && shared.fault.is_none()
    }

    pub fn fault(&self) -> Option<BodyFault> {
        self.shared.lock().fault
    }
}

impl<B: Body<Data = Bytes> + Unpin> Shared<B> {
    fn poll_source(
        &mut self,
        context: &mut Context<'_>,
        passing: Passing,
    ) -> Poll<Option<Result<Bytes, BodyFault>>> {
        loop {
            let Some(source) = self.source.as_mut() else { return Poll::Ready(None) };
            match ready!(Pin::new(source).poll_frame(context)) {
                None => {
                    self.source = None;
                    let rest = self.rewriter.as_mut().map(Rewriter::finish).unwrap_or_default();
                    if !rest.is_empty() {
                        self.keep(&rest, passing);
                        return Poll::Ready(Some(Ok(rest)));
                    }
                }
                Some(Err(_)) => return Poll::Ready(Some(Err(self.fail(BodyFault::CallerGone)))),
                Some(Ok(frame)) => {
                    // Trailers of a request carry nothing Google asks for.
                    let Ok(data) = frame.into_data() else { continue };
                    self.passed += data.len() as u64;
                    if self.passed > self.limit {
                        return Poll::Ready(Some(Err(self.fail(BodyFault::TooLarge))));
                    }
                    let data = match self.rewriter.as_mut() {
                        Some(rewriter) => rewriter.push(data),
                        None => data,
                    };
                    if data.is_empty() {
                        continue;
                    }
                    self.keep(&data, passing);
                    return Poll::Ready(Some(Ok(data)));
                }
            }
        }
    }

    /// Invariant: what was read ahead is kept until an attempt has sent it, the piece that crosses the cap included.
    fn keep(&mut self, data: &Bytes, passing: Passing) {
        if self.overflowed {
            return;
        }
        self.kept_bytes += data.len();
        if self.kept_bytes > self.cap && passing == Passing::ToAttempt {
            self.overflowed = true;
            self.kept = Vec::new();
        } else {
            self.kept.push(data.clone());
        }
    }

    fn fail(&mut self, fault: BodyFault) -> BodyFault {
        self.fault = Some(fault);
        self.source = None;
        fault
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for ReplayBody<B> {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        let this = self.get_mut();
        let mut shared = this.shared.lock();
        if shared.reader != this.reader {
            return Poll::Ready(Some(Err(BodyFault::Superseded)));
        }
        if let Some(fault) = shared.fault {
            return Poll::Ready(Some(Err(fault)));
        }
        let data = match shared.kept.get(this.next) {
            Some(kept) => kept.clone(),
            None => match ready!(shared.poll_source(context, Passing::ToAttempt)) {
                None => return Poll::Ready(None),
                Some(Err(fault)) => return Poll::Ready(Some(Err(fault))),
                Some(Ok(data)) => data,
            },
        };
        this.next += 1;
        this.left = this.left.map(|left| left.saturating_sub(data.len() as u64));
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        let shared = self.shared.lock();
        shared.source.is_none() && shared.fault.is_none() && self.next >= shared.kept.len()
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, StreamBody};
    use tokio::sync::mpsc;

    use super::*;

    type Source = StreamBody<tokio_stream::wrappers::ReceiverStream<Result<Frame<Bytes>, std::io::Error>>>;

    async fn source(parts: &[&'static str]) -> Source {
        let (send, receive) = mpsc::channel(16);
        for part in parts {
            send.send(Ok(Frame::data(Bytes::from_static(part.as_bytes())))).await.unwrap();
        }
        StreamBody::new(tokio_stream::wrappers::ReceiverStream::new(receive))
    }

    async fn text(body: ReplayBody<Source>) -> Result<String, BodyFault> {
        Ok(String::from_utf8(body.collect().await?.to_bytes().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_second_attempt_reads_the_same_body_and_the_rest() {
        let replay = Replay::new(source(&["one ", "two ", "three"]).await, 100, 100);
        let mut first = replay.read();
        first.frame().await.unwrap().unwrap();
        assert_eq!(text(replay.read()).await.unwrap(), "one two three");
        assert_eq!(first.frame().await.unwrap().unwrap_err(), BodyFault::Superseded);
        assert!(replay.can_repeat());
    }

    #[tokio::test]
    async fn what_was_read_ahead_is_sent_all_the_same() {
        let replay = Replay::new(source(&["one ", "two ", "three"]).await, 100, 100);
        let mut seen = Vec::new();
        replay.read_ahead(|bytes| seen.extend_from_slice(bytes)).await;
        assert_eq!(seen, b"one two three");
        assert_eq!(text(replay.read()).await.unwrap(), "one two three");
        assert!(replay.can_repeat());
    }

    #[tokio::test]
    async fn reading_ahead_past_the_cap_loses_nothing() {
        let replay = Replay::new(source(&["12345", "67890", "abc"]).await, 100, 8);
        let mut seen = Vec::new();
        replay.read_ahead(|bytes| seen.extend_from_slice(bytes)).await;
        assert_eq!(seen, b"1234567890", "no further than the cap");
        assert_eq!(text(replay.read()).await.unwrap(), "1234567890abc");
        assert!(!replay.can_repeat());
    }

    fn to_google() -> Rewriter {
        let google = url::Url::parse("https://generativelanguage.googleapis.com").unwrap();
        crate::forward::rewrite::Addresses::new(&google).to_upstream("127.0.0.1:1")
    }

    #[tokio::test]
    async fn a_rewritten_body_is_repeated_with_its_new_length() {
        let whole = Bytes::from_static(b"\"http://127.0.0.1:1/v1/files/a\"");
        let replay = Replay::new(http_body_util::Full::new(whole), 100, 100);
        replay.rewriting(to_google());
        assert_eq!(replay.length(), None, "not known before all is read");
        replay.read_ahead(|_| {}).await;
        for _ in 0..2 {
            let body = replay.read();
            assert_eq!(body.size_hint().exact(), Some(54));
            let sent = body.collect().await.unwrap().to_bytes();
            assert_eq!(sent, "\"https://generativelanguage.googleapis.com/v1/files/a\"".as_bytes()[..]);
        }
    }

    #[tokio::test]
    async fn past_the_cap_a_body_is_rewritten_as_it_streams() {
        let parts = ["12345678 ", "http://127.0.0.1:", "1/v1/fi", "les/a ", "http://127.0.0.1:1/v1/files/b"];
        let replay = Replay::new(source(&parts).await, 100, 8);
        replay.rewriting(to_google());
        replay.read_ahead(|_| {}).await;
        let body = replay.read();
        assert_eq!(body.size_hint().exact(), None);
        let google = "https://generativelanguage.googleapis.com/v1/files";
        assert_eq!(text(body).await.unwrap(), format!("12345678 {google}/a {google}/b"));
        assert!(!replay.can_repeat());
    }

    #[tokio::test]
    async fn past_the_cap_it_streams_on_but_is_not_repeated() {
        let replay = Replay::new(source(&["12345", "67890", "abc"]).await, 100, 8);
        assert_eq!(text(replay.read()).await.unwrap(), "1234567890abc");
        assert!(!replay.can_repeat());
    }

    #[tokio::test]
    async fn past_the_limit_it_ends_in_an_error_that_stays() {
        let replay = Replay::new(source(&["12345", "67890"]).await, 8, 100);
        assert_eq!(text(replay.read()).await, Err(BodyFault::TooLarge));
        assert_eq!(replay.fault(), Some(BodyFault::TooLarge));
        assert!(!replay.can_repeat());
    }
}

//! The body of an answer on its way to the client: passed on as it arrives, watched and cleaned where the route
//! asks for it. It carries the attempt's lease and the request's record, and ends both exactly once: at the end,
//! on a failure in the middle, or on drop when the client has gone.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep};

use super::judge::Outcome;
use crate::affinity::ids::Learning;
use crate::dialect::ApiError;
use crate::dialect::gemini::Traits;
use crate::dialect::translation::StreamTranslation;
use crate::forward::answer_body::AnswerBody;
use crate::forward::gunzip::Gunzip;
use crate::forward::is_gzip;
use crate::forward::redact::Redactor;
use crate::forward::rewrite::Rewriter;
use crate::forward::tail::Tail;
use crate::forward::tee::Tee;
use crate::live::tunnel::Tunnel;
use crate::pools::Pick;
use crate::requests::{AttemptView, CLIENT_CLOSED, OpenRequest, TokensView};
use crate::state::Lease;
use crate::turn::POLLS_TO_WRITE;

/// What is done to the bytes of an answer on the way. What few answers need is boxed: this is moved with each of them.
#[derive(Default)]
pub struct Filters {
    pub gunzip: Option<Box<Gunzip>>,
    pub redactor: Option<Redactor>,
    pub tail: Option<Tail>,
    /// In place of all others, for answers that pass as they are.
    pub tee: Option<Tee>,
    pub learning: Option<Box<Learning>>,
    pub rewriter: Option<Rewriter>,
    /// Last of all: into the client's language.
    pub translation: Option<Box<dyn StreamTranslation>>,
}

impl Filters {
    /// For answers that are read on the way. An upstream that compresses unasked is unpacked, so that the key can be
    /// found in what it sends. `to_local` is for answers that name resources.
    pub fn for_answer(
        traits: &Traits,
        pick: &Pick,
        headers: &mut HeaderMap,
        to_local: impl FnOnce() -> Rewriter,
    ) -> Self {
        if !traits.read_here() {
            let tee = traits.counted.then(|| Tee::new(headers)).flatten();
            return Self { tee, ..Self::default() };
        }
        let packed = is_gzip(headers);
        if packed {
            headers.remove(header::CONTENT_ENCODING);
        }
        let empty = headers.get(header::CONTENT_LENGTH) == Some(&HeaderValue::from_static("0"));
        let rewritten = traits.resources && !empty;
        if packed || rewritten {
            headers.remove(header::CONTENT_LENGTH);
        }
        Self {
            gunzip: packed.then(Box::default),
            redactor: Some(Redactor::new(pick.secret.clone())),
            tail: Some(Tail::default()),
            tee: None,
            learning: traits.resources.then(|| Box::new(Learning::of(traits.bare_ids))),
            rewriter: rewritten.then(to_local),
            translation: None,
        }
    }

    fn changes_length(&self) -> bool {
        self.gunzip.is_some() || self.rewriter.is_some() || self.translation.is_some()
    }

    /// What the answer says it cost, as far as it has come.
    pub fn tokens(&self) -> Option<TokensView> {
        let seen = self.tail.as_ref().and_then(Tail::tokens);
        seen.or_else(|| self.tee.as_ref().and_then(Tee::tokens))
    }

    pub fn push(&mut self, data: Bytes) -> std::io::Result<Bytes> {
        if let Some(tee) = self.tee.as_mut()
            && !tee.push(&data)
        {
            self.tee = None;
        }
        let plain = match self.gunzip.as_mut() {
            Some(gunzip) => gunzip.push(&data)?,
            None => data,
        };
        if let Some(tail) = self.tail.as_mut() {
            tail.push(&plain);
        }
        if let Some(learning) = self.learning.as_mut() {
            learning.push(&plain);
        }
        let clean = match self.redactor.as_mut() {
            Some(redactor) => redactor.push(plain),
            None => plain,
        };
        let local = match self.rewriter.as_mut() {
            Some(rewriter) => rewriter.push(clean),
            None => clean,
        };
        Ok(self.translated(local))
    }

    fn translated(&mut self, bytes: Bytes) -> Bytes {
        match self.translation.as_mut() {
            Some(translation) => translation.push(&bytes),
            None => bytes,
        }
    }

    /// Whatever was still held back; an error when a compressed answer was cut short.
    pub fn finish(&mut self) -> std::io::Result<Bytes> {
        let mut rest = match self.gunzip.take() {
            Some(gunzip) => {
                let last = gunzip.finish()?;
                self.push(last)?.to_vec()
            }
            None => Vec::new(),
        };
        if let Some(redactor) = self.redactor.as_mut() {
            let clean = redactor.finish();
            let local = match self.rewriter.as_mut() {
                Some(rewriter) => [rewriter.push(clean), rewriter.finish()].concat().into(),
                None => clean,
            };
            rest.extend_from_slice(&self.translated(local));
        }
        if let Some(translation) = self.translation.as_mut() {
            rest.extend_from_slice(&translation.finish());
        }
        Ok(Bytes::from(rest))
    }
}

/// The lease and the record of the request, ended together.
pub struct Claim {
    pub lease: Lease,
    pub open: OpenRequest,
    pub status: u16,
    pub started: Instant,
}

impl Claim {
    pub fn settle(self, outcome: &Outcome) {
        self.settle_saying(outcome, String::new());
    }

    /// `words` are what the record says, where they are more than the verdict's reason.
    pub fn settle_saying(self, outcome: &Outcome, words: String) {
        let Self { lease, mut open, status, started } = self;
        let pick = Arc::clone(&lease.pick);
        let verdict = lease.settle(outcome);
        let words = if words.is_empty() { verdict.reason } else { words };
        let error = Some(words).filter(|words| !words.is_empty());
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        open.add_attempt(AttemptView::new(pick, Some(status), error.clone(), milliseconds));
        match outcome {
            Outcome::CallerGone => open.finish(CLIENT_CLOSED, error),
            _ => open.finish(status, error),
        }
    }

    /// Ended in a way that tells nothing of key and proxy. `words` say why, if it was no success.
    pub fn release(self, words: Option<&str>) {
        let Self { lease, mut open, status, started } = self;
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let pick = Arc::clone(&lease.pick);
        drop(lease);
        open.add_attempt(AttemptView::new(pick, Some(status), None, milliseconds));
        open.finish(status, words.map(str::to_owned));
    }
}

pub enum ReplyBody {
    Whole(Option<Bytes>),
    Flowing(Box<Flowing>),
    /// Made here, piece by piece, for as long as the client listens.
    Told(mpsc::Receiver<Bytes>),
    /// Not a body: after this head the connection is a tunnel. The server takes it out.
    Switched(Option<Box<Tunnel>>),
}

pub struct Flowing {
    inner: AnswerBody,
    filters: Filters,
    claim: Option<Claim>,
    silence: Duration,
    /// Set from the first time that nothing is there: most answers are whole at once, and need none.
    deadline: Option<Pin<Box<Sleep>>>,
    ended: bool,
    broken: Option<Breaking>,
}

/// An error that is told after so many more polls that give nothing.
struct Breaking {
    error: BrokenOff,
    polls: u8,
}

/// Why an answer broke off; the client sees its connection end.
#[derive(Debug)]
pub struct BrokenOff(pub String);

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BrokenOff {}

impl ReplyBody {
    pub fn whole(bytes: Bytes) -> Self {
        Self::Whole(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    /// The tunnel behind a 101, once.
    pub fn take_tunnel(&mut self) -> Option<Box<Tunnel>> {
        match self {
            Self::Switched(tunnel) => tunnel.take(),
            Self::Whole(_) | Self::Flowing(_) | Self::Told(_) => None,
        }
    }

    pub fn flowing(inner: AnswerBody, filters: Filters, claim: Claim, silence: Duration) -> Self {
        Self::Flowing(Box::new(Flowing {
            inner,
            filters,
            claim: Some(claim),
            silence,
            deadline: None,
            ended: false,
            broken: None,
        }))
    }
}

impl Flowing {
    fn settle(&mut self, outcome: &Outcome) {
        if let Some(mut claim) = self.claim.take() {
            claim.open.used(self.filters.tokens());
            claim.settle(outcome);
        }
    }

    /// In a translated stream the error is its last event; the connection ends in order. Else it is told a little later:
    /// hyper ends the connection on an error with whatever it had not written yet, and writes when a body has nothing at the
    /// moment. So the client gets all that came before the break.
    fn break_off(
        &mut self,
        context: &Context<'_>,
        outcome: Outcome,
        words: String,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if let Some(translation) = self.filters.translation.as_mut() {
            let last = translation.fail(&broken_off(&outcome, &words));
            self.settle(&outcome);
            self.ended = true;
            return Poll::Ready(Some(last).filter(|last| !last.is_empty()).map(|last| Ok(Frame::data(last))));
        }
        self.settle(&outcome);
        self.broken = Some(Breaking { error: BrokenOff(words), polls: POLLS_TO_WRITE });
        self.poll_broken(context)
    }

    fn poll_broken(&mut self, context: &Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if let Some(breaking) = self.broken.as_mut().filter(|breaking| breaking.polls > 0) {
            breaking.polls -= 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.ended = true;
        Poll::Ready(self.broken.take().map(|breaking| Err(breaking.error)))
    }

    fn learn_signatures(&mut self) {
        let signatures = self.filters.translation.as_mut().map(|translation| translation.signatures());
        if let (Some(signatures), Some(claim)) = (signatures, &self.claim) {
            claim.lease.learn_signatures(signatures);
        }
    }

    fn complete(&mut self) {
        let error = self.filters.tail.as_ref().and_then(Tail::error);
        let status = self.claim.as_ref().map_or(200, |claim| claim.status);
        if let (Some(learning), Some(claim), 200..300) = (self.filters.learning.take(), &self.claim, status) {
            claim.lease.learn(learning.finish());
        }
        let translated = self.filters.translation.as_ref().and_then(|translation| translation.outcome());
        let outcome = match (translated, error) {
            (Some(outcome), _) => outcome,
            (None, Some(error)) => Outcome::StreamError(Box::new(error)),
            (None, None) => Outcome::Answered { status, error: None, retry_after: None },
        };
        self.settle(&outcome);
    }

    fn poll_data(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if self.broken.is_some() {
            return self.poll_broken(context);
        }
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            let frame = match Pin::new(&mut self.inner).poll_frame(context) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    let silence = self.silence;
                    let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(silence)));
                    ready!(deadline.as_mut().poll(context));
                    let words = "the upstream stayed silent in the middle of its answer".to_owned();
                    return self.break_off(context, Outcome::TimedOut, words);
                }
            };
            if let Some(deadline) = self.deadline.as_mut() {
                deadline.as_mut().reset(tokio::time::Instant::now() + self.silence);
            }
            let passed = match frame {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.filters.push(data),
                    Err(_) => continue,
                },
                None => {
                    self.ended = true;
                    self.filters.finish()
                }
                Some(Err(_)) => {
                    let words = "the upstream broke its answer off".to_owned();
                    return self.break_off(context, Outcome::Interrupted(words.clone()), words);
                }
            };
            match passed {
                Err(error) => {
                    let words = format!("the upstream's compressed answer is damaged: {error}");
                    return self.break_off(context, Outcome::Interrupted(words.clone()), words);
                }
                Ok(bytes) => {
                    self.learn_signatures();
                    if self.ended {
                        self.complete();
                    }
                    if !bytes.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(bytes))));
                    }
                }
            }
        }
    }
}

/// The error that ends a translated stream which broke off.
fn broken_off(outcome: &Outcome, words: &str) -> ApiError {
    let status = match outcome {
        Outcome::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_GATEWAY,
    };
    ApiError::new(status, format!("The answer is incomplete: {words}. Please send the request again."))
}

impl Drop for Flowing {
    fn drop(&mut self) {
        // An answer of known length is not polled past its last byte: that is an end, not a client that left. HTTP/2
        // marks its end apart from the last byte, so that the mark may not be here yet.
        if self.inner.is_end_stream() || self.inner.size_hint().exact() == Some(0) {
            self.complete();
        } else {
            self.settle(&Outcome::CallerGone);
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Flowing(flowing) => flowing.poll_data(context),
            Self::Told(pieces) => {
                pieces.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
            }
            Self::Switched(_) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Flowing(flowing) => flowing.ended,
            Self::Told(_) => false,
            Self::Switched(_) => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Switched(_) => SizeHint::with_exact(0),
            // What is unpacked or rewritten here has no length known beforehand.
            Self::Flowing(flowing) if flowing.filters.changes_length() => SizeHint::default(),
            Self::Flowing(flowing) => flowing.inner.size_hint(),
            Self::Told(_) => SizeHint::default(),
        }
    }
}

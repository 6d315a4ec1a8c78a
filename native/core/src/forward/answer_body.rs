//! The body of an upstream's answer. It holds the connection that the answer comes over, moves it along while it is read,
//! and hands it back at the end. What the bytes mean is not known here.
//!
//! Invariant: a connection whose answer was not read to its end is closed, never used again.

use std::pin::Pin;
use std::sync::Weak;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::lines::{Line, Shared};

pub struct AnswerBody {
    incoming: Incoming,
    /// `None` after the end, and for HTTP/2.
    line: Option<(Line, Weak<Shared>)>,
}

impl AnswerBody {
    /// Over a connection that moves along by itself.
    pub(super) fn common(incoming: Incoming) -> Self {
        Self { incoming, line: None }
    }

    pub(super) fn own(incoming: Incoming, line: Line, home: Weak<Shared>) -> Self {
        let mut body = Self { incoming, line: Some((line, home)) };
        if body.incoming.is_end_stream() {
            body.hand_back();
        }
        body
    }

    fn hand_back(&mut self) {
        let Some((line, home)) = self.line.take() else { return };
        if let Some(home) = home.upgrade() {
            home.hand_back(line);
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let Some((line, _)) = this.line.as_mut() else {
            return Pin::new(&mut this.incoming).poll_frame(context);
        };
        // Bytes come only when the connection is polled, which is done right here: nobody has to be woken for them.
        line.expect_polls();
        let mut silent = Context::from_waker(Waker::noop());
        let mut frame = Pin::new(&mut this.incoming).poll_frame(&mut silent);
        if frame.is_pending() {
            line.advance(context);
            frame = Pin::new(&mut this.incoming).poll_frame(&mut silent);
        }
        let broke = matches!(frame, Poll::Ready(Some(Err(_))));
        if broke {
            this.line = None;
        } else if matches!(frame, Poll::Ready(None)) || this.incoming.is_end_stream() {
            this.hand_back();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

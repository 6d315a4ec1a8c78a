//! The client's request body, and what becomes of the part that nobody reads. A refusal is answered while the
//! client still sends; closing the connection then would reset it, and the client would see a broken connection
//! in place of the answer. So the rest is read and thrown away for a while. What the bytes mean is not known here.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// A client that reads its answer stops sending long before; one that does not must not hold its place for good.
const LINGER: Duration = Duration::from_secs(30);

pub struct ClientBody(Source);

enum Source {
    Client(Option<Incoming>),
    /// Made here from what the client sent.
    Made(VecDeque<Bytes>),
}

impl ClientBody {
    pub fn new(body: Incoming) -> Self {
        Self(Source::Client(Some(body)))
    }

    pub fn made(pieces: Vec<Bytes>) -> Self {
        Self(Source::Made(pieces.into()))
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.get_mut().0 {
            Source::Client(Some(body)) => Pin::new(body).poll_frame(context),
            Source::Client(None) => Poll::Ready(None),
            Source::Made(pieces) => Poll::Ready(pieces.pop_front().map(|piece| Ok(Frame::data(piece)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Client(body) => body.as_ref().is_none_or(Body::is_end_stream),
            Source::Made(pieces) => pieces.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Client(body) => body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint),
            Source::Made(pieces) => SizeHint::with_exact(pieces.iter().map(|piece| piece.len() as u64).sum()),
        }
    }
}

impl Drop for ClientBody {
    fn drop(&mut self) {
        let Source::Client(body) = &mut self.0 else { return };
        let unread = body.take().filter(|body| !body.is_end_stream());
        // Outside the runtime the connection is gone as well.
        if let (Some(body), Ok(runtime)) = (unread, tokio::runtime::Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(LINGER, discard(body)));
        }
    }
}

async fn discard(mut body: Incoming) {
    while let Some(Ok(_)) = body.frame().await {}
}

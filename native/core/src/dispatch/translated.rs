//! The replies of requests in another dialect: an answer read whole and turned into the client's language, a refusal of
//! Google's in its words, the head of a stream. What the language is only the `Translation` knows.

use std::time::Instant;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};

use super::gather::gather;
use super::judge::Outcome;
use super::reply::{Claim, ReplyBody};
use super::{Call, Failure, mark};
use crate::dialect::translation::{Translated, Translation};
use crate::forward::answer_body::AnswerBody;
use crate::forward::tail::tokens;
use crate::forward::{GoogleApiForwarder, Refused};
use crate::requests::{OpenRequest, TokensView};
use crate::state::Lease;

/// An answer that is translated whole, unpacked, in bytes: many times the largest image.
const MOST_TRANSLATED: usize = 256 * 1024 * 1024;

/// Reads an answer whole and turns it into the client's language. What fails here may be asked for again: the client
/// has seen nothing.
pub(super) async fn translate(
    translation: &dyn Translation,
    call: &Call,
    lease: &Lease,
    response: Response<AnswerBody>,
    forwarder: &GoogleApiForwarder,
) -> Result<Counted, Failure> {
    let to_local = forwarder.addresses().to_local(&call.origin);
    let read = gather(forwarder, &call.traits, &lease.pick, response, to_local, MOST_TRANSLATED).await;
    let body = read.map_err(Failure::NoAnswer)?.ok_or_else(|| {
        Failure::NoAnswer(Outcome::Interrupted("the upstream's answer is larger than 256 MiB".to_owned()))
    })?;
    let translated = translation.whole(&body);
    let translated = translated.map_err(|answer| Failure::Untranslatable(Box::new(answer)))?;
    Ok(Counted { translated, tokens: tokens(&body) })
}

/// An answer in the client's language, with what it cost.
pub(super) struct Counted {
    translated: Translated,
    tokens: Option<TokensView>,
}

/// A translated answer, whole, as the client's.
pub(super) fn give(
    Counted { translated, tokens }: Counted,
    lease: Lease,
    mut open: OpenRequest,
    started: Instant,
) -> Response<ReplyBody> {
    open.used(tokens);
    lease.learn_signatures(translated.signatures);
    let mut reply = json_reply(translated.body);
    mark(reply.headers_mut(), open.id(), Some(&lease.pick), open.attempts() + 1);
    let claim = Claim { lease, open, status: StatusCode::OK.as_u16(), started };
    claim.settle(&Outcome::Answered { status: StatusCode::OK.as_u16(), error: None, retry_after: None });
    reply
}

pub(super) fn json_reply(body: Bytes) -> Response<ReplyBody> {
    let mut reply = Response::new(ReplyBody::whole(body));
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

/// Google's refusal in the client's words, with the wait where its own clients look for it.
pub(super) fn translated_refusal(translation: &dyn Translation, refused: &Refused) -> (HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let delay = refused.error.as_ref().and_then(|error| error.retry_delay);
    let named = delay.map(|delay| HeaderValue::from(delay.as_secs_f64().ceil().max(1.0) as u64));
    if let Some(wait) = refused.headers.get(header::RETRY_AFTER).cloned().or(named) {
        headers.insert(header::RETRY_AFTER, wait);
    }
    let status = refused.status.as_u16();
    // A load balancer's page, say: OpenAI's clients show nothing but the message.
    let unread = format!(
        "The upstream answered with status {status} and no error that can be read. Please try again."
    );
    let body = translation.refusal(status, refused.error.as_ref(), &unread);
    (headers, body)
}

/// Of a translated stream, in place of the upstream's.
pub(super) fn stream_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers
}

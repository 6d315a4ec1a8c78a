//! RequestDispatcher: the only attempt loop. It takes a lease, hands it to the forwarder for one attempt, has the
//! outcome judged, and replies or goes round once more with another key. It opens no connection, reads no body,
//! decides no blame itself, and leaves whether and when to go on to `search`.
//!
//! Invariant: nothing is retried after the first byte has gone to the client, nor when the request body can not be
//! replayed, nor when a call that creates something may have been processed.

mod gather;
pub mod judge;
mod lists;
mod pages;
pub mod replay;
pub mod reply;
pub mod search;
mod translated;
pub mod upstream_error;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{Either, Empty};
use parking_lot::RwLock;
use smol_str::SmolStr;

use crate::clock::Millis;
use crate::dialect::gemini::Traits;
use crate::dialect::translation::{Translation, Untranslatable};
use crate::dialect::{ApiError, Dialect};
use crate::forward::answer_body::AnswerBody;
use crate::forward::rewrite::Rewriter;
use crate::forward::{Answer, GoogleApiForwarder, Outbound, Refused, headers};
use crate::ids::KeyId;
use crate::live::opening::Opening;
use crate::live::tunnel::Tunnel;
use crate::pools::{NoKey, Pick, PickedProxy};
use crate::refusal;
use crate::requests::{AttemptView, OpenRequest};
use crate::server::client_body::ClientBody;
use crate::server::uploads::Uploads;
use crate::state::{Lease, State};
use judge::{Outcome, Verdict};
use replay::{Replay, ReplayBody};
use reply::{Claim, Filters, ReplyBody};
use search::{Asked, Attempted, Next, Search};
use translated::{give, json_reply, stream_headers, translate, translated_refusal};

/// The body of an attempt: the client's, or none for requests made here.
pub type RequestBody = Either<ReplayBody<ClientBody>, Empty<Bytes>>;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-aggregator-request-id");
/// Which key serves; asked for by a client, said in an answer.
pub const KEY: HeaderName = HeaderName::from_static("x-aggregator-key");
const PROXY: HeaderName = HeaderName::from_static("x-aggregator-proxy");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-aggregator-attempts");

/// One request of a client, decoded as far as routing needs it.
pub struct Call {
    pub dialect: Dialect,
    pub traits: Traits,
    pub outbound: Outbound,
    /// Whose quota it uses: a model, as a rule.
    pub subject: Option<SmolStr>,
    /// Key id or name that must serve.
    pub pinned: Option<String>,
    /// The key that this conversation was held with so far: it serves when it can.
    pub preferred: Option<KeyId>,
    /// What the conversation is recognised by when it goes on.
    pub conversation: Option<u64>,
    /// How answers become the client's language; `None` when it speaks Gemini's.
    pub translation: Option<Arc<dyn Translation>>,
    /// `http://host:port` or `https://host:port` as the client reached this endpoint.
    pub origin: String,
}

pub struct RequestDispatcher {
    state: Arc<State>,
    forwarder: CurrentForwarder,
    uploads: Arc<Uploads>,
}

/// The forwarder in force, replaced whole when the upstream's settings change; requests under way keep theirs.
pub type CurrentForwarder = Arc<RwLock<Arc<GoogleApiForwarder>>>;

/// What an attempt without a flowing answer leaves behind.
enum Failure {
    Refused(Box<Refused>),
    NoAnswer(Outcome),
    /// It was answered, and the answer is none in the client's language.
    Untranslatable(Box<Untranslatable>),
}

impl RequestDispatcher {
    pub fn new(state: Arc<State>, forwarder: CurrentForwarder, uploads: Arc<Uploads>) -> Self {
        Self { state, forwarder, uploads }
    }

    /// Turns addresses of files here into the upstream's, for the body of a request sent to `host`.
    pub fn to_upstream(&self, host: &str) -> Rewriter {
        self.forwarder.read().addresses().to_upstream(host)
    }

    pub async fn dispatch(
        &self,
        call: &Call,
        body: Replay<ClientBody>,
        mut open: OpenRequest,
    ) -> Response<ReplyBody> {
        let forwarder = self.forwarder.read().clone();
        let asked = Asked {
            request: Some(open.id().clone()),
            pinned: call.pinned.clone(),
            preferred: call.preferred.clone(),
            model: call.subject.clone(),
            creates: call.traits.creates,
        };
        let mut now = self.state.now();
        let mut search = Search::new(asked, &self.state.settings(), now);
        let mut last: Option<(Failure, Arc<Pick>)> = None;
        loop {
            let mut lease = match self.state.lease(search.wish(), now) {
                Ok(lease) => lease,
                Err(NoKey::AllTried) if self.reroute(&mut search, last.as_ref()) => continue,
                Err(no_key) => {
                    let returns = self.state.earliest_return(search.wish());
                    match (search.without_key(&no_key, returns, now), last.take()) {
                        (Next::Again(at), kept) => {
                            last = kept;
                            now = self.wait_until(at).await;
                            continue;
                        }
                        (Next::GiveUp, Some((failure, pick)))
                            if no_key == NoKey::AllTried || !search.quotas_are_the_reason() =>
                        {
                            return give_up(call, failure, &pick, open);
                        }
                        (Next::GiveUp, _) => {
                            return refuse(call.dialect, &refusal::no_key(&no_key, now), open);
                        }
                    }
                }
            };
            let started = Instant::now();
            let answer = forwarder.attempt(&lease.pick, &call.outbound, Either::Left(body.read())).await;
            if let Ok(answer) = &answer {
                lease.answered(started.elapsed());
                now = self.state.now();
                self.state.date_passes(answer.headers(), now);
            }
            if let (Ok(Answer::Flowing(_)), Some(opening)) = (&answer, call.conversation) {
                self.state.signatures.held(opening, &lease.pick.key, now);
            }
            let failure = match answer {
                Ok(Answer::Flowing(response)) => match call.translation.as_deref() {
                    Some(translation) if !translation.streams() => {
                        match Box::pin(translate(translation, call, &lease, response, &forwarder)).await {
                            Ok(translated) => return give(translated, lease, open, started),
                            Err(failure) => failure,
                        }
                    }
                    _ => {
                        open.answer_begins(now);
                        return self.flow(call, response, lease, open, started, &forwarder);
                    }
                },
                Ok(Answer::Refused(refused)) => Failure::Refused(Box::new(refused)),
                Err(outcome) => Failure::NoAnswer(body.fault().map_or(outcome, Outcome::from)),
            };
            let outcome = failure.outcome();
            let pick = lease.pick.clone();
            let verdict = lease.settle(&outcome);
            open.add_attempt(attempt_view(&pick, &failure, &verdict, started));
            told_failed(open.id(), &pick, &verdict);
            let failed = Attempted {
                pick: &pick,
                outcome: &outcome,
                verdict: &verdict,
                repeatable: body.can_repeat(),
            };
            match self.state.after_failure(&mut search, failed) {
                Next::GiveUp => return give_up(call, failure, &pick, open),
                Next::Again(at) => {
                    tracing::debug!(request = open.id().as_str(), "The request is tried once more.");
                    last = Some((failure, pick));
                    now = self.wait_until(at).await;
                }
            }
        }
    }

    /// Nobody else is left, and it is its proxy that failed the last key: it may go on by another way.
    fn reroute(&self, search: &mut Search, last: Option<&(Failure, Arc<Pick>)>) -> bool {
        let Some((_, pick)) = last.filter(|_| search.wants_another_route()) else { return false };
        let again = self.state.reroute(pick, search.wish());
        if again {
            search.rerouted(&pick.key);
        }
        again
    }

    /// A client that leaves meanwhile drops this future, and the wait with it. Answers what time it is then.
    async fn wait_until(&self, at: Millis) -> Millis {
        let now = self.state.now();
        let left = at.saturating_sub(now);
        if left == 0 {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(left)).await;
        self.state.now()
    }

    /// The answer flows to the client; the lease and the record travel inside its body.
    fn flow(
        &self,
        call: &Call,
        mut response: Response<AnswerBody>,
        mut lease: Lease,
        open: OpenRequest,
        started: Instant,
        forwarder: &GoogleApiForwarder,
    ) -> Response<ReplyBody> {
        let switched =
            (response.status() == StatusCode::SWITCHING_PROTOCOLS).then(|| hyper::upgrade::on(&mut response));
        let (parts, body) = response.into_parts();
        let mut reply_headers = headers::for_client(parts.headers, &lease.pick.secret);
        let addresses = forwarder.addresses();
        let to_local = || addresses.to_local(&call.origin);
        let mut filters = Filters::for_answer(&call.traits, &lease.pick, &mut reply_headers, to_local);
        if let Some(stream) = call.translation.as_deref().and_then(Translation::stream) {
            reply_headers = stream_headers();
            filters.translation = Some(stream);
        }
        if call.traits.upload {
            let here = (addresses.as_ref(), call.origin.as_str());
            self.uploads.rewrite(&mut reply_headers, &lease.pick.key, here, self.state.now());
        }
        mark(&mut reply_headers, open.id(), Some(&lease.pick), open.attempts() + 1);
        if parts.status == StatusCode::NO_CONTENT {
            // A length may not be said here; an upstream that says one would cost the client its connection.
            reply_headers.remove(header::CONTENT_LENGTH);
        }
        let status = parts.status.as_u16();
        let key = lease.pick.secret.clone();
        let without_key = call.outbound.opening.as_ref().is_some_and(Opening::is_without_key);
        if switched.is_some() && !without_key {
            lease.taken();
        }
        let claim = Claim { lease, open, status, started };
        let mut reply = Response::new(match switched {
            Some(upstream) => {
                headers::set_upgrade(&mut reply_headers);
                ReplyBody::Switched(Some(Box::new(Tunnel::new(upstream, key, without_key, claim))))
            }
            None => ReplyBody::flowing(body, filters, claim, forwarder.silence()),
        });
        *reply.status_mut() = parts.status;
        *reply.headers_mut() = reply_headers;
        reply
    }
}

impl Failure {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Refused(refused) => refused.outcome(),
            Self::NoAnswer(outcome) => outcome.clone(),
            Self::Untranslatable(answer) => answer.outcome.clone(),
        }
    }
}

fn told_failed(request: &str, pick: &Pick, verdict: &Verdict) {
    let proxy = pick.proxy.as_ref().map_or("direct", |proxy| proxy.name.as_str());
    let (key, blame, reason) = (pick.key_name.as_str(), verdict.blame, verdict.reason.as_str());
    tracing::debug!(request, key, proxy, ?blame, reason, "An attempt failed.");
}

fn attempt_view(pick: &Arc<Pick>, failure: &Failure, verdict: &Verdict, started: Instant) -> AttemptView {
    let status = match failure {
        Failure::Refused(refused) => Some(refused.status.as_u16()),
        Failure::NoAnswer(_) => None,
        Failure::Untranslatable(_) => Some(StatusCode::OK.as_u16()),
    };
    let words = match failure {
        Failure::Untranslatable(answer) => &answer.message,
        Failure::Refused(_) | Failure::NoAnswer(_) => &verdict.reason,
    };
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    AttemptView::new(Arc::clone(pick), status, Some(words.clone()), milliseconds)
}

/// The last failure, as the client's answer.
fn give_up(call: &Call, failure: Failure, pick: &Pick, open: OpenRequest) -> Response<ReplyBody> {
    let attempts = open.attempts();
    match failure {
        Failure::Untranslatable(answer) => {
            let mut reply = json_reply(answer.body);
            *reply.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
            mark(reply.headers_mut(), open.id(), Some(pick), attempts);
            open.finish(answer.status, Some(answer.message));
            reply
        }
        Failure::Refused(refused) => {
            let (mut reply_headers, body) = match call.translation.as_deref() {
                Some(translation) => translated_refusal(translation, &refused),
                None => (refused.headers, refused.body),
            };
            mark(&mut reply_headers, open.id(), Some(pick), attempts);
            let status = refused.status;
            let words = refused.error.map(|error| error.message).unwrap_or_default();
            open.finish(status.as_u16(), Some(words).filter(|words| !words.is_empty()));
            let mut reply = Response::new(ReplyBody::whole(body));
            *reply.status_mut() = status;
            *reply.headers_mut() = reply_headers;
            reply
        }
        Failure::NoAnswer(outcome) => {
            let error = refusal::no_answer(&outcome, pick);
            let mut reply = encode(call.dialect, &error);
            mark(reply.headers_mut(), open.id(), Some(pick), attempts);
            open.finish(error.status.as_u16(), Some(error.message));
            reply
        }
    }
}

/// An error made here, before any attempt.
pub fn refuse(dialect: Dialect, error: &ApiError, open: OpenRequest) -> Response<ReplyBody> {
    finish_refused(encode(dialect, error), error.status, &error.message, open)
}

/// The end of a request that was refused with a body of its own.
pub fn finish_refused(
    mut reply: Response<ReplyBody>,
    status: StatusCode,
    message: &str,
    open: OpenRequest,
) -> Response<ReplyBody> {
    mark(reply.headers_mut(), open.id(), None, open.attempts());
    open.finish(status.as_u16(), Some(message.to_owned()));
    reply
}

pub fn encode(dialect: Dialect, error: &ApiError) -> Response<ReplyBody> {
    error.encode(dialect).map(ReplyBody::whole)
}

fn mark(headers: &mut HeaderMap, id: &str, pick: Option<&Pick>, attempts: usize) {
    let attempts = match attempts {
        1 => HeaderValue::from_static("1"),
        _ => HeaderValue::from(attempts),
    };
    headers.insert(ATTEMPTS, attempts);
    let mut set = |name: HeaderName, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    set(REQUEST_ID, id);
    if let Some(pick) = pick {
        set(KEY, header_name_of(&pick.key_name, pick.key.as_str()));
        set(PROXY, pick.proxy.as_ref().map_or("direct", proxy_header));
    }
}

fn proxy_header(proxy: &PickedProxy) -> &str {
    header_name_of(&proxy.name, proxy.id.as_str())
}

/// The name where it can travel in a header, else the id.
fn header_name_of<'a>(name: &'a str, id: &'a str) -> &'a str {
    if name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') { name } else { id }
}

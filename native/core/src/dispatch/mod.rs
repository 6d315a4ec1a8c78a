//! RequestDispatcher: the only attempt loop. It takes a lease, hands it to the forwarder for one attempt, has the
//! outcome judged, and replies or goes round once more with another key. It opens no connection, reads no body
//! and decides no blame itself.
//!
//! Invariant: nothing is retried after the first byte has gone to the client, nor when the request body can not be
//! replayed, nor when a call that creates something may have been processed.

pub mod judge;
pub mod replay;
pub mod reply;
pub mod upstream_error;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Response};
use http_body_util::{Either, Empty};
use hyper::body::Incoming;
use parking_lot::RwLock;

use crate::affinity::names::NameScanner;
use crate::clock::Millis;
use crate::dialect::gemini::Traits;
use crate::dialect::{ApiError, Dialect};
use crate::forward::gunzip::Gunzip;
use crate::forward::redact::Redactor;
use crate::forward::tail::Tail;
use crate::forward::{Answer, GoogleApiForwarder, Outbound, Refused, headers, is_gzip};
use crate::pools::{NoKey, Pick, PickedProxy, Wish};
use crate::refusal;
use crate::requests::{AttemptView, OpenRequest};
use crate::server::client_body::ClientBody;
use crate::server::uploads::Uploads;
use crate::state::{Lease, State};
use judge::{Outcome, Verdict};
use replay::{Replay, ReplayBody};
use reply::{Claim, Filters, ReplyBody};

/// The body of an attempt: the client's, or none for requests made here.
pub type RequestBody = Either<ReplayBody<ClientBody>, Empty<Bytes>>;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-aggregator-request-id");
const KEY: HeaderName = HeaderName::from_static("x-aggregator-key");
const PROXY: HeaderName = HeaderName::from_static("x-aggregator-proxy");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-aggregator-attempts");

/// One request of a client, decoded as far as routing needs it.
pub struct Call {
    pub dialect: Dialect,
    pub traits: Traits,
    pub outbound: Outbound,
    /// Key id or name that must serve.
    pub pinned: Option<String>,
    /// `http://host:port` as the client reached this endpoint.
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
}

/// The search for a key that serves one request, from attempt to attempt.
struct Search {
    wish: Wish,
    last: Option<(Failure, Pick)>,
    asked_again: bool,
    /// The latest return of a key that is worth waiting for.
    waiting_ends: Millis,
}

impl Search {
    /// With no key to be had now, whether another round may find one.
    async fn goes_on(&mut self, no_key: &NoKey, state: &State) -> bool {
        let again = self.asks_once_more(no_key) || self.waits_for_return(state).await;
        if again {
            self.wish.tried.clear();
        }
        again
    }

    /// The last attempt's connection ended before an answer: often an idle one that the other side was just closing.
    /// With nobody else left, the same keys may ask again, once.
    fn asks_once_more(&mut self, no_key: &NoKey) -> bool {
        let broke_off = matches!(&self.last, Some((Failure::NoAnswer(Outcome::Interrupted(_)), _)));
        let again = *no_key == NoKey::AllTried && broke_off && !self.asked_again;
        self.asked_again |= again;
        again
    }

    /// Waits for the earliest key whose quota returns in time; whether there was one. A client that leaves meanwhile
    /// drops this future, and the wait with it.
    async fn waits_for_return(&self, state: &State) -> bool {
        if self.waiting_ends <= state.now() {
            return false;
        }
        let returns = state.earliest_return(&self.wish).filter(|until| *until <= self.waiting_ends);
        let Some(until) = returns else { return false };
        tokio::time::sleep(Duration::from_millis(until.saturating_sub(state.now()))).await;
        true
    }
}

impl RequestDispatcher {
    pub fn new(state: Arc<State>, forwarder: CurrentForwarder, uploads: Arc<Uploads>) -> Self {
        Self { state, forwarder, uploads }
    }

    pub async fn dispatch(
        &self,
        call: &Call,
        body: Replay<ClientBody>,
        mut open: OpenRequest,
    ) -> Response<ReplyBody> {
        let settings = self.state.settings();
        let most = settings.max_attempts as usize;
        let forwarder = self.forwarder.read().clone();
        let wish =
            Wish { pinned: call.pinned.clone(), model: open.model().map(str::to_owned), ..Wish::default() };
        let waiting_ends = self.state.now().saturating_add(settings.max_wait_seconds * 1_000);
        let mut search = Search { wish, last: None, asked_again: false, waiting_ends };
        loop {
            let lease = match self.state.lease(&search.wish) {
                Ok(lease) => lease,
                Err(no_key) if search.goes_on(&no_key, &self.state).await => continue,
                Err(no_key) => {
                    return match search.last {
                        Some((failure, pick)) => give_up(call, failure, &pick, open),
                        None => refuse(call.dialect, &refusal::no_key(&no_key, self.state.now()), open),
                    };
                }
            };
            let started = Instant::now();
            let failure =
                match forwarder.attempt(&lease.pick, &call.outbound, Either::Left(body.read())).await {
                    Ok(Answer::Flowing(response)) => {
                        return self.flow(call, response, lease, open, started, forwarder.silence());
                    }
                    Ok(Answer::Refused(refused)) => Failure::Refused(Box::new(refused)),
                    Err(outcome) => Failure::NoAnswer(body.fault().map_or(outcome, Outcome::from)),
                };
            let outcome = failure.outcome();
            let pick = lease.pick.clone();
            let verdict = lease.settle(&outcome);
            open.add_attempt(attempt_view(&pick, &failure, &verdict, started));
            let again = verdict.retry
                && open.attempts() < most
                && body.can_repeat()
                && (!call.traits.creates || provably_unprocessed(&outcome));
            if !again {
                return give_up(call, failure, &pick, open);
            }
            search.wish.tried.push(pick.key.clone());
            if let (Outcome::Proxy(_), Some(proxy)) = (&outcome, &pick.proxy) {
                search.wish.failed_proxies.push(proxy.id.clone());
            }
            search.last = Some((failure, pick));
        }
    }

    /// The answer flows to the client; the lease and the record travel inside its body.
    fn flow(
        &self,
        call: &Call,
        response: Response<Incoming>,
        lease: Lease,
        open: OpenRequest,
        started: Instant,
        silence: Duration,
    ) -> Response<ReplyBody> {
        let (parts, body) = response.into_parts();
        let mut reply_headers = headers::for_client(&parts.headers, &lease.pick.secret);
        let filters = filters(&call.traits, &lease.pick, &mut reply_headers);
        if call.traits.upload {
            self.uploads.rewrite(&mut reply_headers, &lease.pick.key, &call.origin, self.state.now());
        }
        mark(&mut reply_headers, open.id(), Some(&lease.pick), open.attempts() + 1);
        let status = parts.status.as_u16();
        let claim = Claim { lease, open, status, started };
        let mut reply = Response::new(ReplyBody::flowing(body, filters, claim, silence));
        *reply.status_mut() = parts.status;
        *reply.headers_mut() = reply_headers;
        reply
    }
}

/// For answers that are read on the way. An upstream that compresses unasked is unpacked, so that the key can be
/// found in what it sends.
fn filters(traits: &Traits, pick: &Pick, reply_headers: &mut HeaderMap) -> Filters {
    if !traits.read_here() {
        return Filters::default();
    }
    let packed = is_gzip(reply_headers);
    if packed {
        reply_headers.remove(header::CONTENT_ENCODING);
        reply_headers.remove(header::CONTENT_LENGTH);
    }
    Filters {
        gunzip: packed.then(Gunzip::default),
        redactor: Some(Redactor::new(pick.secret.clone())),
        tail: Some(Tail::default()),
        names: traits.resources.then(NameScanner::default),
    }
}

impl Failure {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Refused(refused) => refused.outcome(),
            Self::NoAnswer(outcome) => outcome.clone(),
        }
    }
}

/// No byte was sent, or the upstream refused the request by its status. A 5xx proves nothing.
fn provably_unprocessed(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Proxy(_) | Outcome::Unreachable(_) => true,
        Outcome::Answered { status, .. } => (400..500).contains(status),
        _ => false,
    }
}

fn attempt_view(pick: &Pick, failure: &Failure, verdict: &Verdict, started: Instant) -> AttemptView {
    let status = match failure {
        Failure::Refused(refused) => Some(refused.status.as_u16()),
        Failure::NoAnswer(_) => None,
    };
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    AttemptView::new(pick, status, Some(verdict.reason.clone()), milliseconds)
}

/// The last failure, as the client's answer.
fn give_up(call: &Call, failure: Failure, pick: &Pick, open: OpenRequest) -> Response<ReplyBody> {
    let attempts = open.attempts();
    match failure {
        Failure::Refused(refused) => {
            let mut reply_headers = refused.headers;
            mark(&mut reply_headers, open.id(), Some(pick), attempts);
            let status = refused.status;
            let words = refused.error.map(|error| error.message).unwrap_or_default();
            open.finish(status.as_u16(), Some(words).filter(|words| !words.is_empty()));
            let mut reply = Response::new(ReplyBody::whole(refused.body));
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
    let mut reply = encode(dialect, error);
    mark(reply.headers_mut(), open.id(), None, open.attempts());
    open.finish(error.status.as_u16(), Some(error.message.clone()));
    reply
}

pub fn encode(dialect: Dialect, error: &ApiError) -> Response<ReplyBody> {
    error.encode(dialect).map(ReplyBody::whole)
}

fn mark(headers: &mut HeaderMap, id: &str, pick: Option<&Pick>, attempts: usize) {
    let mut set = |name: HeaderName, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    set(REQUEST_ID, id);
    set(ATTEMPTS, &attempts.to_string());
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

//! The endpoint: accepts connections on the local port and takes each request through guard and route to the
//! dispatcher. It owns the listener and the order in which it stops; keys and proxies it does not know.

pub mod admin;
pub mod client_body;
pub mod connection;
pub mod guard;
mod openai;
pub mod route;
pub mod tls;
pub mod uploads;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use parking_lot::Mutex;
use smol_str::{SmolStr, format_smolstr};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::affinity::names::NameScanner;
use crate::clock::Millis;
use crate::dialect::{ApiError, Dialect, gemini};
use crate::dispatch::replay::{BodyFault, REPLAY_CAP, Replay};
use crate::dispatch::reply::ReplyBody;
use crate::dispatch::{self, Call, RequestDispatcher, encode, refuse};
use crate::events::{Event, EventType, Level};
use crate::forward::{Outbound, headers};
use crate::health;
use crate::ids::KeyId;
use crate::line::CommandLine;
use crate::live::opening::{EphemeralToken, Opening, asks_for_websocket};
use crate::refusal;
use crate::requests::{Asking, OpenRequest, client_of};
use crate::settings::ServerSettings;
use crate::state::State;
use client_body::ClientBody;
use connection::{Connections, Stage};
use guard::Guard;
use route::{Route, dialect_of, route};
use uploads::Uploads;

/// Connections at once; more wait in the system's backlog.
const MOST_CONNECTIONS: usize = 4_096;
/// After the grace, Live sessions are told so; a client that does not take it is left.
const FAREWELL: Duration = Duration::from_secs(1);
/// Whoever waits in the backlog is accepted faster than this.
const AT_ONCE: Duration = Duration::from_millis(2);
/// The log hears at most this often of clients that dial TLS where there is none.
const TLS_HINT_EVERY: Millis = 60_000;
const MIB: u64 = 1024 * 1024;

/// What every request needs; one per endpoint.
pub struct Service {
    pub state: Arc<State>,
    pub guard: Guard,
    pub dispatcher: RequestDispatcher,
    pub uploads: Arc<Uploads>,
    pub limits: Limits,
    /// Unguessable start of this run's request ids, so that ids of two runs never meet in one log.
    pub run: String,
    pub count: AtomicU64,
    /// When the log was last told of a client that dials TLS where there is none.
    pub tls_hint: Mutex<Option<Millis>>,
    /// What an admin wants changed goes this way.
    pub line: CommandLine,
    /// The endpoint has begun to stop: answers without an end of their own end now.
    pub closing: watch::Sender<bool>,
}

/// The largest bodies taken, in MiB. Read for every request, changed while the endpoint is open.
pub struct Limits {
    body: AtomicU64,
    upload: AtomicU64,
}

impl Limits {
    pub fn of(settings: &ServerSettings) -> Self {
        Self { body: AtomicU64::new(settings.max_body_mb), upload: AtomicU64::new(settings.max_upload_mb) }
    }

    pub fn set(&self, settings: &ServerSettings) {
        self.body.store(settings.max_body_mb, Ordering::Relaxed);
        self.upload.store(settings.max_upload_mb, Ordering::Relaxed);
    }

    /// In bytes.
    fn of_path(&self, path: &str) -> u64 {
        let mib = if gemini::is_upload(path) { &self.upload } else { &self.body };
        mib.load(Ordering::Relaxed).saturating_mul(MIB)
    }
}

/// An endpoint that listens, until stopped or dropped.
pub struct Endpoint {
    pub addr: SocketAddr,
    pub service: Arc<Service>,
    connections: Arc<Connections>,
    stop: Option<oneshot::Sender<Duration>>,
    task: JoinHandle<()>,
}

impl Endpoint {
    /// Serves `listener`, which is bound already, so that a taken port is the caller's error to word. With `tls`, TLS
    /// and plain HTTP alike.
    pub fn serve(
        listener: TcpListener,
        addr: SocketAddr,
        service: Service,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let service = Arc::new(service);
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::new(Connections::new(Arc::clone(&service), tls));
        let task = tokio::spawn(accept_loop(listener, Arc::clone(&shared), Arc::clone(&service), stopped));
        Self { addr, service, connections: shared, stop: Some(stop), task }
    }

    /// For connections from now on: a renewed certificate, or none any more.
    pub fn set_tls(&self, tls: Option<TlsAcceptor>) {
        self.connections.set_tls(tls);
    }

    /// Stops accepting, lets requests under way finish for `grace`, then ends them.
    pub async fn stop(self, grace: Duration) {
        self.leave(grace).await;
    }

    /// The same: the stop begins with the call, its end is awaited.
    pub fn leave(mut self, grace: Duration) -> impl Future<Output = ()> + Send + 'static {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(grace);
        }
        async move {
            let _ = (&mut self.task).await;
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept_loop(
    listener: TcpListener,
    shared: Arc<Connections>,
    service: Arc<Service>,
    mut stopped: oneshot::Receiver<Duration>,
) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let (stage, watched) = watch::channel(Stage::Open);
    let mut connections = JoinSet::new();
    let grace = loop {
        // A full house must hear the stop, too.
        let place = tokio::select! {
            grace = &mut stopped => break grace.unwrap_or(Duration::ZERO),
            place = Arc::clone(&places).acquire_owned() => match place {
                Ok(place) => place,
                Err(_) => return,
            },
        };
        let stream = tokio::select! {
            grace = &mut stopped => break grace.unwrap_or(Duration::ZERO),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of descriptors, say: the next accept may work, and a busy loop would not help it.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        begin(&shared, stream, &watched, place, &mut connections);
        while connections.try_join_next().is_some() {}
    };
    stage.send_replace(Stage::Draining);
    service.closing.send_replace(true);
    take_waiting(listener, &shared, &watched, &places, &mut connections).await;
    let _ = tokio::time::timeout(grace, all_ended(&mut connections)).await;
    stage.send_replace(Stage::Over);
    let _ = tokio::time::timeout(FAREWELL, all_ended(&mut connections)).await;
    connections.shutdown().await;
}

fn begin(
    shared: &Arc<Connections>,
    stream: TcpStream,
    watched: &watch::Receiver<Stage>,
    place: OwnedSemaphorePermit,
    connections: &mut JoinSet<()>,
) {
    let (shared, watched) = (Arc::clone(shared), watched.clone());
    connections.spawn(async move {
        shared.serve(stream, watched).await;
        drop(place);
    });
}

/// Clients whose connection the system took before the stop may have sent a request already; closing the listener would
/// reset them.
async fn take_waiting(
    listener: TcpListener,
    shared: &Arc<Connections>,
    watched: &watch::Receiver<Stage>,
    places: &Arc<Semaphore>,
    connections: &mut JoinSet<()>,
) {
    // New ones may come faster than these are taken.
    let last = tokio::time::Instant::now() + 10 * AT_ONCE;
    while let (Ok(place), true) = (Arc::clone(places).try_acquire_owned(), tokio::time::Instant::now() < last)
    {
        match tokio::time::timeout(AT_ONCE, listener.accept()).await {
            Ok(Ok((stream, _))) => begin(shared, stream, watched, place, connections),
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

async fn all_ended(connections: &mut JoinSet<()>) {
    while connections.join_next().await.is_some() {}
}

impl Service {
    /// `secure`: the client came over TLS. Ways that few requests take are boxed: the future is moved once per request,
    /// as large as its largest way.
    async fn answer(&self, parts: Parts, body: ClientBody, secure: bool) -> Response<ReplyBody> {
        let (path, query) = gemini::canonical_target(parts.uri.path(), parts.uri.query());
        let route = route(&path, &parts.headers);
        let dialect = dialect_of(&route, &path);
        let host = match self.guard.check_source(&parts) {
            Ok(host) => host,
            Err(error) => return encode(dialect, &error),
        };
        if route == Route::Health {
            return health::reply(&self.state);
        }
        if route == Route::Admin {
            return Box::pin(self.administer(&parts, &path, body)).await;
        }
        let (id, client) = (self.next_id(), client_of(&parts.headers));
        let asking = Asking { id, dialect, method: &parts.method, path: &path, client };
        let open = OpenRequest::begin(&self.state, asking);
        let token = (route == Route::Live).then(|| self.own_token(&parts)).flatten();
        let announced = announced_length(&parts.headers);
        let token_of = token.as_ref().map(|(_, owner)| owner);
        let pinned = match self.admit(&parts, &route, (&path, announced), token_of) {
            Ok(pinned) => pinned,
            Err(error) => return refuse(dialect, &error, open),
        };
        let origin = [if secure { "https://" } else { "http://" }, &*host].concat();
        if let Route::OpenAi(endpoint) = route {
            let incoming = openai::Incoming { parts, body, host, origin, pinned };
            return Box::pin(self.answer_openai(endpoint, incoming, open)).await;
        }
        let body = Replay::new(body, self.body_limit(&path), REPLAY_CAP);
        let owner = match self.look_ahead(&path, &host, &body, pinned.is_some()).await {
            Ok(owner) => owner,
            Err(error) => return refuse(dialect, &error, open),
        };
        let opening = (route == Route::Live).then(|| match token {
            Some((token, _)) => token.opening(),
            None => (None, Opening::WithKey),
        });
        let mut call =
            Self::call(parts, (path, query.as_deref()), dialect, pinned.or(owner), origin, opening);
        if announced != body.length() {
            call.outbound.headers.remove(header::CONTENT_LENGTH);
        }
        if self.dispatcher.is_shared_list(&call) {
            return Box::pin(self.dispatcher.list(&call, open)).await;
        }
        self.dispatcher.dispatch(&call, body, open).await
    }

    /// The key whose resources the path and the body name; a pin needs none. Addresses of files here that the body
    /// names become the upstream's on the way. While nothing is owned, nothing is read ahead.
    async fn look_ahead(
        &self,
        path: &str,
        host: &str,
        body: &Replay<ClientBody>,
        pinned: bool,
    ) -> Result<Option<String>, ApiError> {
        if self.state.affinity.is_empty() {
            return Ok(None);
        }
        let mut names = NameScanner::default();
        // Some clients escape the slash of a name.
        names.push(&percent_encoding::percent_decode_str(path).collect::<Vec<u8>>());
        names.push(b" ");
        if !gemini::is_upload(path) {
            body.rewriting(self.dispatcher.to_upstream(host));
            body.read_ahead(|bytes| names.push(bytes)).await;
            if body.fault() == Some(BodyFault::TooLarge) {
                return Err(refusal::body_too_large());
            }
        }
        if pinned {
            return Ok(None);
        }
        let owner = self.state.affinity.owner(&names.finish(), self.state.now());
        let pools = self.state.pools.lock();
        let owner = owner.map_err(|both| refusal::two_owners(&both, |key| pools.keys.name(key)))?;
        Ok(owner.map(|key| key.to_string()))
    }

    /// Token, route and announced size. Answers the key that must serve, if one must.
    /// `token_of` is the key that made the ephemeral token it opens a session with.
    fn admit(
        &self,
        parts: &Parts,
        route: &Route,
        (path, announced): (&str, Option<u64>),
        token_of: Option<&KeyId>,
    ) -> Result<Option<String>, ApiError> {
        let started_by = match gemini::is_upload(path) {
            true => self.uploads.owner(parts.uri.query(), self.state.now()),
            false => token_of.cloned(),
        };
        if started_by.is_none() {
            self.guard.check_token(parts)?;
        }
        if let Route::NotServed(_, words) = route {
            return Err(ApiError::new(StatusCode::NOT_FOUND, *words));
        }
        if parts.method == Method::CONNECT {
            return Err(ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "This endpoint is not a proxy; use it as the base URL.",
            ));
        }
        if *route == Route::Live && !asks_for_websocket(parts) {
            return Err(refusal::not_a_websocket());
        }
        if announced.is_some_and(|length| length > self.body_limit(path)) {
            return Err(refusal::body_too_large());
        }
        let pin = parts.headers.get(dispatch::KEY).and_then(|value| value.to_str().ok());
        Ok(started_by.map(|key| key.to_string()).or_else(|| pin.map(str::to_owned)))
    }

    /// The ephemeral token of a session's opening, if it was made through this endpoint, with the key that made it.
    fn own_token(&self, parts: &Parts) -> Option<(EphemeralToken, KeyId)> {
        let token = EphemeralToken::of(parts)?;
        let owner = self.state.affinity.owner_of(&token.name, self.state.now())?;
        Some((token, owner))
    }

    fn call(
        parts: Parts,
        (path, query): (String, Option<&str>),
        dialect: Dialect,
        pinned: Option<String>,
        origin: String,
        opening: Option<(Option<String>, Opening)>,
    ) -> Call {
        let (traits, subject) = (gemini::traits(&parts.method, &path), gemini::quota_subject(&path));
        let (credential, opening) = opening.map_or((None, None), |(part, opening)| (part, Some(opening)));
        let query = query.and_then(headers::without_credentials);
        let query: Vec<String> = query.into_iter().chain(credential).collect();
        let encoding = headers::encoding_for(&parts.headers, traits.read_here());
        let target = match query.is_empty() {
            true => path,
            false => format!("{path}?{}", query.join("&")),
        };
        let parsed = parts.uri.path_and_query().filter(|written| written.as_str() == target).cloned();
        let (method, headers) = (parts.method, parts.headers);
        Call {
            subject,
            dialect,
            traits,
            outbound: Outbound { method, target, parsed, headers, encoding, opening },
            pinned,
            preferred: None,
            conversation: None,
            translation: None,
            origin,
        }
    }

    /// A client dials TLS and there is none: what it sees says nothing, so the log must.
    fn tell_of_tls(&self) {
        let now = self.state.now();
        {
            let mut told = self.tls_hint.lock();
            // A clock that was set back must not silence it for good.
            if told.is_some_and(|at| at <= now && now - at < TLS_HINT_EVERY) {
                return;
            }
            *told = Some(now);
        }
        let words = "A client dialled https:// or wss:// on a port that serves http:// only. Google's Python SDK does so for \
                     the Live API, whatever base URL it is given. Set server.tls with certFile and keyFile (in the editor: \
                     geminiAggregator.tls.certFile and geminiAggregator.tls.keyFile) and let the client trust that \
                     certificate, or use http:// or ws:// in the client.";
        self.state.events.publish(Event::new(EventType::StateWarning, Level::Warn, now, words));
    }

    fn body_limit(&self, path: &str) -> u64 {
        self.limits.of_path(path)
    }

    fn next_id(&self) -> SmolStr {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        format_smolstr!("{}-{number}", self.run)
    }
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A JSON answer made here.
pub fn json(status: StatusCode, value: &serde_json::Value) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::whole(Bytes::from(value.to_string())));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json; charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

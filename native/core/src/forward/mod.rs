//! GoogleApiForwarder: exactly one attempt of one request with one key through one egress. It judges nothing and
//! retries nothing; whatever comes back is handed over as an `Answer` or as the `Outcome` of a failure.
//!
//! Invariant: this is the one egress path; requests, key tests and proxy probes all leave through `connect`.
//! Invariant: no redirect is followed, so no key can be sent to a host the user did not choose.

pub mod answer_body;
pub mod clients;
pub mod connect;
pub mod gunzip;
pub mod headers;
mod lines;
mod origin;
pub mod redact;
pub mod rewrite;
pub mod tail;
pub mod tee;
pub mod tls;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;

use crate::dispatch::RequestBody;
use crate::dispatch::judge::Outcome;
use crate::dispatch::upstream_error::UpstreamError;
use crate::figures::meter::{Meter, Meters};
use crate::live::opening::{Opening, of_token};
use crate::pools::Pick;
use crate::proxies::url::ProxyUrl;
use crate::settings::{Http2, UpstreamSettings, parse_base_url};
use answer_body::AnswerBody;
use clients::Clients;
use connect::{DialError, Route, Trace, dial};
use headers::Encoding;
use lines::{Answered, Failed, Lines};
use origin::Origin;
use rewrite::Addresses;
use tls::{TlsConfigs, TlsRoots};

/// Error bodies are read whole, up to this many bytes packed and unpacked.
const MOST_ERROR_BODY: usize = 256 * 1024;

/// What every attempt of one request shares.
pub struct Outbound {
    pub method: Method,
    /// Path and query without credentials, as the client wrote them.
    pub target: String,
    /// The same as it was read, where nothing had to be changed.
    pub parsed: Option<PathAndQuery>,
    /// The client's headers, untouched.
    pub headers: HeaderMap,
    pub encoding: Encoding,
    /// The request opens a Live session.
    pub opening: Option<Opening>,
}

pub enum Answer {
    /// Headers are here and the body flows on.
    Flowing(Response<AnswerBody>),
    /// An error, read whole and clean of the key.
    Refused(Refused),
}

impl Answer {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Flowing(response) => response.status(),
            Self::Refused(refused) => refused.status,
        }
    }

    pub fn headers(&self) -> &HeaderMap {
        match self {
            Self::Flowing(response) => response.headers(),
            Self::Refused(refused) => &refused.headers,
        }
    }
}

pub struct Refused {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub error: Option<UpstreamError>,
    /// What was refused is a token of the client's, not the key.
    pub without_key: bool,
}

impl Refused {
    pub fn outcome(&self) -> Outcome {
        let retry_after =
            self.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let outcome = Outcome::Answered {
            status: self.status.as_u16(),
            error: self.error.clone().map(Box::new),
            retry_after: retry_after.map(Duration::from_secs),
        };
        if self.without_key { of_token(outcome) } else { outcome }
    }
}

/// Why the forwarder cannot be built from the settings, in words.
#[derive(Debug)]
pub struct ForwarderError {
    pub path: &'static str,
    pub message: String,
}

/// A probe's tunnel: how long it took to open, and where it leaves the proxy, if that told it.
pub struct Tunnelled {
    pub after: Duration,
    pub exit: Option<IpAddr>,
}

pub struct GoogleApiForwarder {
    origin: Arc<Origin>,
    addresses: Arc<Addresses>,
    clients: Clients,
    tls: TlsConfigs,
    allow_h2: bool,
    connect_timeout: Duration,
    silence: Duration,
}

impl GoogleApiForwarder {
    /// Reads certificates from disk: not for the request path.
    pub fn new(settings: &UpstreamSettings, roots: &TlsRoots) -> Result<Self, ForwarderError> {
        let base = parse_base_url(&settings.base_url)
            .map_err(|message| ForwarderError { path: "upstream.baseUrl", message })?;
        let tls = roots
            .configs()
            .map_err(|error| ForwarderError { path: "upstream.caFile", message: error.to_string() })?;
        let origin = Origin::new(&base)
            .map(Arc::new)
            .map_err(|fault| ForwarderError { path: "upstream.baseUrl", message: fault.words() })?;
        let allow_h2 = settings.http2 == Http2::Auto;
        let connect_timeout = Duration::from_secs(settings.connect_timeout_seconds);
        Ok(Self {
            addresses: Arc::new(Addresses::new(&base)),
            clients: Clients::new(origin.clone(), tls.clone(), allow_h2, connect_timeout),
            origin,
            tls,
            allow_h2,
            connect_timeout,
            silence: Duration::from_secs(settings.request_timeout_seconds),
        })
    }

    /// Longest silence allowed before the first byte and between bytes.
    pub fn silence(&self) -> Duration {
        self.silence
    }

    /// How the upstream calls its own files.
    pub fn addresses(&self) -> &Arc<Addresses> {
        &self.addresses
    }

    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// One attempt. `Err` means that no answer came.
    pub fn attempt<'a>(
        &'a self,
        pick: &'a Pick,
        call: &'a Outbound,
        body: RequestBody,
    ) -> impl Future<Output = Result<Answer, Outcome>> + 'a {
        let lines = self.clients.for_pick(pick, call.opening.is_some());
        self.send(lines, pick, call, body)
    }

    /// One attempt for which a connection is opened, step by step on `trace`.
    /// Invariant: it takes the way that this key's requests take, only no connection that is open already.
    pub async fn attempt_traced(
        &self,
        pick: &Pick,
        call: &Outbound,
        body: RequestBody,
        trace: &Trace,
    ) -> Result<Answer, Outcome> {
        self.send(self.clients.fresh(pick, trace), pick, call, body).await
    }

    async fn send(
        &self,
        lines: Lines,
        pick: &Pick,
        call: &Outbound,
        body: RequestBody,
    ) -> Result<Answer, Outcome> {
        let request = self.request(pick, call, body)?;
        let Answered { response, reused } =
            lines.request(request, self.silence).await.map_err(|failed| failure(&failed))?;
        if reused {
            pick.meters.reused();
        }
        if response.status() == StatusCode::SWITCHING_PROTOCOLS && call.opening.is_none() {
            let words = "the upstream switched to another protocol, which nobody asked for";
            return Err(Outcome::Interrupted(words.to_owned()));
        }
        if response.status().as_u16() < 400 || call.method == Method::HEAD {
            return Ok(Answer::Flowing(response));
        }
        let without_key = call.opening.as_ref().is_some_and(Opening::is_without_key);
        let refused = Box::pin(self.read_refusal(pick, response)).await?;
        Ok(Answer::Refused(Refused { without_key, ..refused }))
    }

    /// Opens a tunnel through `proxy` to the upstream's own host, TLS included, and closes it again.
    /// What passed counts on `meter`; `trace` records the steps.
    pub async fn probe(
        &self,
        proxy: &Arc<ProxyUrl>,
        meter: Arc<Meter>,
        trace: &Trace,
    ) -> Result<Tunnelled, DialError> {
        let started = Instant::now();
        let route = Route::Proxy(proxy.clone());
        let meters = Meters { key: None, way: Some(meter) };
        let (h2, limit) = (self.allow_h2, self.connect_timeout);
        let dialed = dial(&route, &self.origin.target, &self.tls, h2, limit, &meters, trace).await?;
        meters.opened();
        Ok(Tunnelled { after: started.elapsed(), exit: dialed.exit() })
    }

    /// Whether TLS is spoken to the upstream.
    pub fn speaks_tls(&self) -> bool {
        self.origin.target.tls
    }

    fn request(
        &self,
        pick: &Pick,
        call: &Outbound,
        body: RequestBody,
    ) -> Result<Request<RequestBody>, Outcome> {
        let unusable = |what: &str| Outcome::Unreachable(format!("the request could not be built: {what}"));
        let uri = self
            .origin
            .uri(&call.target, call.parsed.as_ref())
            .ok_or_else(|| unusable("its path is not valid"))?;
        let headers = match &call.opening {
            Some(opening) => headers::for_opening(&call.headers, &pick.secret, opening),
            None => headers::for_upstream(&call.headers, &pick.secret, call.encoding),
        };
        let mut headers = headers.ok_or_else(|| unusable("the key cannot travel in a header"))?;
        headers.insert(header::HOST, self.origin.host.clone());
        let mut request = Request::new(body);
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }

    async fn read_refusal(&self, pick: &Pick, response: Response<AnswerBody>) -> Result<Refused, Outcome> {
        let (parts, body) = response.into_parts();
        let packed =
            tokio::time::timeout(self.silence, read_bounded(body)).await.map_err(|_| Outcome::TimedOut)??;
        let plain = if is_gzip(&parts.headers) {
            gunzip::gunzip_whole(&packed, MOST_ERROR_BODY).unwrap_or_default()
        } else {
            packed
        };
        let body = redact::redact_once(&plain, &pick.secret).map_or(plain, Bytes::from);
        let mut headers = headers::for_client(parts.headers, &pick.secret);
        headers.remove(header::CONTENT_ENCODING);
        headers.remove(header::CONTENT_LENGTH);
        let error = UpstreamError::parse(&body);
        Ok(Refused { status: parts.status, headers, error, body, without_key: false })
    }
}

pub fn is_gzip(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_ENCODING).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"gzip"))
}

/// In any way at all.
pub fn is_packed(headers: &HeaderMap) -> bool {
    let plain = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    headers.get(header::CONTENT_ENCODING).is_some_and(|value| !plain(value))
}

/// The beginning of the body, up to the limit: an error longer than that is not one of Google's.
async fn read_bounded(mut body: AnswerBody) -> Result<Bytes, Outcome> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Outcome::Interrupted(words_of(&error)))?;
        if let Ok(data) = frame.into_data() {
            read.extend_from_slice(&data[..data.len().min(MOST_ERROR_BODY - read.len())]);
        }
        if read.len() == MOST_ERROR_BODY {
            break;
        }
    }
    Ok(read.freeze())
}

fn failure(failed: &Failed) -> Outcome {
    match failed {
        Failed::Dial(DialError::Proxy(fault)) => Outcome::Proxy(fault.clone()),
        Failed::Dial(DialError::Upstream(fault)) => Outcome::Unreachable(fault.words()),
        Failed::Http(error) => Outcome::Interrupted(words_of(error)),
        Failed::Silent => Outcome::TimedOut,
    }
}

/// The innermost cause: hyper's outer texts ("error sending request") say nothing a user can act on.
fn words_of(error: &(dyn std::error::Error + 'static)) -> String {
    let innermost = std::iter::successors(Some(error), |&error| error.source()).last();
    let cause = innermost.map(ToString::to_string).unwrap_or_default();
    format!("the connection to the upstream ended before a whole answer ({cause})")
}

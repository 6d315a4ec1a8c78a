//! The CONNECT exchange with an HTTP proxy over a connection that is already there, spoken by hyper itself.
//! It must not know whether TLS lies beneath. A tunnel is asked for plain-http upstreams too, so that an HTTP proxy
//! never sees a request or a key.

use std::error::Error;
use std::io::{self, Cursor};
use std::pin::pin;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use http::{Method, Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use tokio::io::AsyncReadExt;

use super::deadline::Deadline;
use super::stream::BoxedIo;
use super::target::Target;
use super::tunnel::Tunnel;
use crate::proxies::exit;
use crate::proxies::fault::{ProxyFault, ProxyStage};
use crate::proxies::url::ProxyUrl;

const STAGE: ProxyStage = ProxyStage::Handshake;

pub(super) async fn ask(
    io: BoxedIo,
    proxy: &ProxyUrl,
    target: &Target,
    deadline: Deadline,
) -> Result<Tunnel, ProxyFault> {
    let request = connect_request(proxy, target)?;
    let has_credentials = request.headers().contains_key(PROXY_AUTHORIZATION);
    let late = |after| ProxyFault::Timeout { stage: STAGE, after };
    deadline.bound(exchange(io, request, has_credentials), late).await?
}

/// Drives hyper's connection by hand instead of spawning it, so that dropping the dial closes the socket at once and
/// the raw stream comes back without an upgrade's indirection.
async fn exchange(
    io: BoxedIo,
    request: Request<Empty<Bytes>>,
    has_credentials: bool,
) -> Result<Tunnel, ProxyFault> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(io)).await.map_err(|error| fault_of(&error))?;
    let mut connection = pin!(connection.without_shutdown());
    let mut answer = pin!(sender.send_request(request));
    let mut ended = None;
    let response = tokio::select! {
        response = &mut answer => response,
        end = &mut connection => {
            ended = Some(end);
            answer.await
        }
    };
    let response = response.map_err(|error| fault_of(&error))?;
    check_status(response.status(), has_credentials)?;
    let parts = match ended {
        Some(end) => end,
        None => connection.await,
    }
    .map_err(|error| fault_of(&error))?;
    let io = with_read_ahead(parts.io.into_inner(), parts.read_buf);
    Ok(Tunnel { io, exit: exit::told_in(response.headers()) })
}

fn connect_request(proxy: &ProxyUrl, target: &Target) -> Result<Request<Empty<Bytes>>, ProxyFault> {
    let authority = target.authority();
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(authority.as_str())
        .header(HOST, authority.as_str())
        .body(Empty::new())
        .map_err(unsendable)?;
    if let Some(user) = proxy.username() {
        let password = proxy.password().map(|secret| secret.expose_secret()).unwrap_or_default();
        let pair = Zeroizing::new(format!("{user}:{password}"));
        let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut value = HeaderValue::from_str(&basic).map_err(unsendable)?;
        value.set_sensitive(true);
        request.headers_mut().insert(PROXY_AUTHORIZATION, value);
    }
    Ok(request)
}

/// The text of an error made from user input is not kept: it could repeat that input.
fn unsendable<E>(_: E) -> ProxyFault {
    let reason = "the upstream's host name or the credentials cannot be sent in a CONNECT request".to_owned();
    ProxyFault::Unreachable { stage: STAGE, reason }
}

fn check_status(status: StatusCode, has_credentials: bool) -> Result<(), ProxyFault> {
    match status.as_u16() {
        200 => Ok(()),
        // Some proxies answer a wrong password with 401, though 407 is the proxy's status.
        401 | 407 if has_credentials => Err(ProxyFault::AuthRejected),
        401 | 407 => Err(ProxyFault::AuthRequired),
        status => Err(ProxyFault::ConnectStatus { status }),
    }
}

fn fault_of(error: &hyper::Error) -> ProxyFault {
    if error.is_parse() {
        return ProxyFault::Protocol { expected: "HTTP" };
    }
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    match causes.filter_map(|cause| cause.downcast_ref::<io::Error>()).last() {
        Some(cause) => ProxyFault::from_io(STAGE, cause),
        None => ProxyFault::Closed { stage: STAGE },
    }
}

/// Bytes that came together with the proxy's answer belong to the tunnel already.
fn with_read_ahead(io: BoxedIo, read_ahead: Bytes) -> BoxedIo {
    if read_ahead.is_empty() {
        return io;
    }
    let (reader, writer) = tokio::io::split(io);
    Box::new(tokio::io::join(Cursor::new(read_ahead).chain(reader), writer))
}

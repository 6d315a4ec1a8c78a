//! The life of one accepted connection: told apart by its first byte into plain HTTP and TLS, served, and, where a
//! request switched it to a Live session, carried on as that tunnel. It knows stages of a stop, no requests.
//!
//! Invariant: a connection's place is taken until its tunnel has ended, too.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderValue};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::{Mutex, RwLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::Service;
use super::client_body::ClientBody;
use crate::dispatch::reply::ReplyBody;
use crate::gate::Gated;
use crate::joined::Joined;
use crate::live::tunnel::Tunnel;
use crate::turn::{Turn, UnderWay};

/// A head must be complete after this long, and so must a TLS handshake; an idle kept-alive connection ends then, too.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
const MOST_HEADER_BYTES: usize = 64 * 1024;
/// The first byte of a TLS handshake; no HTTP method begins with it.
const TLS_HANDSHAKE: u8 = 0x16;
/// A dead client of a silent Live session is found within a few minutes.
const KEEPALIVE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// From the stop to the closing of idle connections: what a client sent before is on its way, and the system may not have
/// told of it yet. Longer than that takes, too short to be noticed.
const LINGER: Duration = Duration::from_millis(100);

/// How far a stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Open,
    /// What is under way may finish; idle connections close.
    Draining,
    /// The grace is over.
    Over,
}

/// What all connections of one endpoint share.
pub struct Connections {
    service: Arc<Service>,
    http: http1::Builder,
    tls: RwLock<Option<TlsAcceptor>>,
    /// Requests whose answers have not begun.
    asking: UnderWay,
}

/// A request that asked to switch, and the tunnel that its answer opened.
type Switched = Arc<Mutex<Option<(OnUpgrade, Box<Tunnel>)>>>;

impl Connections {
    pub fn new(service: Arc<Service>, tls: Option<TlsAcceptor>) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MOST_HEADER_BYTES);
        Self { service, http, tls: RwLock::new(tls), asking: UnderWay::default() }
    }

    pub fn set_tls(&self, tls: Option<TlsAcceptor>) {
        *self.tls.write() = tls;
    }

    /// Serves `stream` to its end. An error is the client's leaving or a malformed head; both end the connection and
    /// concern nobody else.
    pub async fn serve(&self, stream: TcpStream, stage: watch::Receiver<Stage>) {
        let _ = stream.set_nodelay(true);
        keep_alive(&stream);
        let first = tokio::select! {
            biased;
            first = timeout(HEADER_TIMEOUT, first_byte(&stream)) => first,
            () = lingered(stage.clone()) => return,
        };
        let tls = self.tls.read().clone();
        match (first, tls) {
            (Ok(Ok(Some(TLS_HANDSHAKE))), Some(tls)) => {
                let secured = tokio::select! {
                    biased;
                    secured = timeout(HEADER_TIMEOUT, tls.accept(stream)) => secured,
                    () = lingered(stage.clone()) => return,
                };
                if let Ok(Ok(secured)) = secured {
                    self.serve_http(secured, true, stage).await;
                }
            }
            (Ok(Ok(Some(first))), _) => {
                if first == TLS_HANDSHAKE {
                    self.service.tell_of_tls();
                }
                self.serve_http(stream, false, stage).await;
            }
            _ => {}
        }
    }

    async fn serve_http<I>(&self, io: I, secure: bool, stage: watch::Receiver<Stage>)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let switched = Switched::default();
        {
            let ends = || *stage.borrow() >= Stage::Draining;
            let answer = service_fn(|request| self.answer(request, secure, &switched, ends));
            let connection = self
                .http
                .serve_connection(TokioIo::new(Joined::new(io, Turn::after(&self.asking))), answer)
                .with_upgrades();
            let mut connection = pin!(connection);
            tokio::select! {
                biased;
                _ = connection.as_mut() => {}
                () = Gated::new(lingered(stage.clone())) => {
                    connection.as_mut().graceful_shutdown();
                    tokio::select! {
                        biased;
                        _ = connection.as_mut() => {}
                        () = reached(stage.clone(), Stage::Over) => return,
                    }
                }
            }
        }
        let Some((client, tunnel)) = switched.lock().take() else { return };
        if let Ok(client) = client.await {
            tunnel.run(client, reached(stage, Stage::Over)).await;
        }
    }

    async fn answer(
        &self,
        mut request: Request<Incoming>,
        secure: bool,
        switched: &Switched,
        ends: impl Fn() -> bool,
    ) -> Result<Response<ReplyBody>, Infallible> {
        let _asking = self.asking.begin();
        let websocket = request
            .headers()
            .get(header::UPGRADE)
            .is_some_and(|wanted| wanted.as_bytes().eq_ignore_ascii_case(b"websocket"));
        let client = hyper::upgrade::on(&mut request);
        let (parts, body) = request.into_parts();
        let mut reply = self.service.answer(parts, ClientBody::new(body), secure).await;
        if let Some(tunnel) = reply.body_mut().take_tunnel() {
            *switched.lock() = Some((client, tunnel));
        } else if websocket || ends() {
            // Clients of a refused WebSocket read to the end of the connection and never use it again; others must not
            // send another request to an endpoint that closes.
            reply.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(reply)
    }
}

/// Resolves when the stop has come that far; also when nobody is left to tell.
async fn reached(mut stage: watch::Receiver<Stage>, wanted: Stage) {
    let _ = stage.wait_for(|stage| *stage >= wanted).await;
}

/// Resolves when idle connections close. A request that was sent before the stop has been read by then, and is under way.
async fn lingered(stage: watch::Receiver<Stage>) {
    reached(stage, Stage::Draining).await;
    tokio::time::sleep(LINGER).await;
}

/// Without taking it; `None` when the client ended the connection instead.
async fn first_byte(stream: &TcpStream) -> io::Result<Option<u8>> {
    let mut first = [0];
    let count = stream.peek(&mut first).await?;
    Ok((count > 0).then_some(first[0]))
}

fn keep_alive(stream: &TcpStream) {
    let probes = socket2::TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE_INTERVAL);
    // A system without it serves all the same.
    let _ = socket2::SockRef::from(stream).set_tcp_keepalive(&probes);
}

//! The connector and the connections it opens: reuse, counting, errors handed on, and sessions kept apart.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Either, Empty, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::HandshakeKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::*;
use crate::dispatch::RequestBody;
use crate::figures::meter::{Meter, Meters, Reading};
use crate::forward::connect::{Connector, DialError, Route, Target};
use crate::forward::lines::{Failed, Lines};
use crate::forward::origin::Origin;
use crate::forward::tls::TlsConfigs;
use crate::proxies::fault::ProxyFault;

const PATIENCE: Duration = Duration::from_secs(60);

fn connector(route: Route, tls: &TlsConfigs) -> (Connector, Arc<Meter>) {
    let meter = Arc::<Meter>::default();
    let meters = Meters { key: None, way: Some(Arc::clone(&meter)) };
    (Connector::new(route, tls, true, LIMIT, meters), meter)
}

/// With nothing open yet.
fn lines(connector: Connector, base: &str) -> Lines {
    let base = base.parse().expect("base URL");
    Lines::new(connector, Arc::new(Origin::new(&base).expect("origin")), true)
}

fn get(path: &str) -> Request<RequestBody> {
    let request = Request::builder().uri(path).header("host", "localhost");
    request.body(Either::Right(Empty::new())).expect("request")
}

/// An HTTP upstream that answers the request target it was given.
async fn http_upstream() -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((io, _)) = listener.accept().await {
            let service = service_fn(|request: http::Request<hyper::body::Incoming>| async move {
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(request.uri().to_string()))))
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(io), service),
            );
        }
    });
    address
}

/// Answers every request after that time, but for `/never`.
async fn slow_upstream(after: Duration) -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((io, _)) = listener.accept().await {
            let service = service_fn(move |request: http::Request<hyper::body::Incoming>| async move {
                let never = request.uri().path() == "/never";
                tokio::time::sleep(if never { PATIENCE } else { after }).await;
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"late"))))
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(io), service),
            );
        }
    });
    address
}

#[tokio::test]
async fn each_request_of_a_connection_is_waited_for_as_long_as_the_first() {
    let upstream = slow_upstream(Duration::from_millis(600)).await;
    let (connector, meter) = connector(Route::Direct, &no_tls());
    let lines = lines(connector, &format!("http://{upstream}"));
    // Together they take longer than each may.
    let patience = Duration::from_millis(1_500);
    for _ in 0..3 {
        let answered = lines.request(get("/late"), patience).await.expect("within its time");
        answered.response.into_body().collect().await.expect("body");
    }
    assert!(matches!(lines.request(get("/never"), patience).await, Err(Failed::Silent)));
    assert_eq!(meter.read().opened, 1);
}

/// A CONNECT proxy for any number of tunnels.
async fn connect_proxy(upstream: SocketAddr) -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((mut io, _)) = listener.accept().await {
            tokio::spawn(async move {
                read_head(&mut io).await;
                io.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("grant");
                join_to(&mut io, upstream).await;
            });
        }
    });
    address
}

/// On several threads, where a connection becomes idle while the next request is already asking for one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_requests_in_a_row_share_a_tunnel_and_go_in_origin_form() {
    let upstream = http_upstream().await;
    let proxy = connect_proxy(upstream).await;
    let (connector, meter) = connector(through(&format!("http://{proxy}")), &no_tls());
    let (mut bytes, mut reused) = (0, 0);
    let lines = lines(connector, &format!("http://localhost:{}", upstream.port()));
    for number in 0..1000 {
        let answered = lines.request(get(&format!("/v1/{number}")), PATIENCE).await.expect("answer");
        reused += u64::from(answered.reused);
        let body = answered.response.into_body().collect().await.expect("body").to_bytes();
        assert_eq!(body, format!("/v1/{number}"));
        bytes += body.len() as u64;
    }
    let read = meter.read();
    assert_eq!((read.opened, reused), (1, 999), "a request finds the tunnel of the one before");
    // Heads and the proxy's own words come on top of what the requests said.
    assert!(read.received > bytes && read.sent > bytes, "{read:?}");
}

#[tokio::test]
async fn an_answer_that_is_not_read_to_its_end_takes_its_connection_along() {
    let upstream = http_upstream().await;
    let (connector, meter) = connector(Route::Direct, &no_tls());
    let lines = lines(connector, &format!("http://localhost:{}", upstream.port()));
    drop(lines.request(get("/first"), PATIENCE).await.expect("answer"));
    let answered = lines.request(get("/second"), PATIENCE).await.expect("answer");
    assert!(!answered.reused);
    assert_eq!(meter.read().opened, 2);
}

/// The upstream closes each connection after its first answer, without saying so.
#[tokio::test]
async fn a_connection_that_was_closed_while_idle_costs_no_request() {
    let (listener, address) = listen().await;
    let (closed, mut was_closed) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut io, _)) = listener.accept().await {
            read_head(&mut io).await;
            io.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.expect("answer");
            drop(io);
            closed.send(()).expect("the test waits");
        }
    });
    let (connector, meter) = connector(Route::Direct, &no_tls());
    let lines = lines(connector, &format!("http://localhost:{}", address.port()));
    for opened in 1..=20 {
        let answered = lines.request(get("/"), PATIENCE).await.expect("answer");
        let body = answered.response.into_body().collect().await.expect("body").to_bytes();
        assert_eq!((&body[..], meter.read().opened, answered.reused), (&b"ok"[..], opened, false));
        was_closed.recv().await.expect("closed");
        // The runtime hears of it when it next asks the system.
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// One connection is busy, the next cannot be opened: the request goes out on the first as soon as that is free.
#[tokio::test]
async fn whoever_dials_takes_a_connection_that_becomes_idle_meanwhile() {
    let (listener, address) = listen().await;
    let (go, goes) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(async move {
        let (mut io, _) = listener.accept().await.expect("the first");
        // Taken and never answered, as by a proxy that hangs.
        let _hangs = tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok(more) = listener.accept().await {
                kept.push(more);
            }
        });
        io.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("grant");
        read_head(&mut io).await;
        let mut goes = Some(goes);
        loop {
            read_head(&mut io).await;
            if let Some(goes) = goes.take() {
                goes.await.expect("go");
            }
            io.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.expect("answer");
        }
    });
    let (connector, meter) = connector(through(&format!("http://{address}")), &no_tls());
    let lines = lines(connector, "http://upstream.test");
    let ask = |lines: Lines| async move {
        let answered = lines.request(get("/"), PATIENCE).await.expect("answer");
        answered.response.into_body().collect().await.expect("body").to_bytes();
        answered.reused
    };
    let first = tokio::spawn(ask(lines.clone()));
    while meter.read().opened == 0 {
        tokio::task::yield_now().await;
    }
    let mut second = pin!(ask(lines.clone()));
    // Its dial is under way.
    assert!(futures_poll(second.as_mut()).await.is_pending());
    go.send(()).expect("the upstream waits");
    assert!(!first.await.expect("first"));
    assert!(second.await, "the second waits for no dial");
}

async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context))).await
}

#[tokio::test]
async fn the_dial_error_is_handed_on() {
    let proxy = closed_port().await;
    let (connector, meter) = connector(through(&format!("http://user:canary@{proxy}")), &no_tls());
    let Err(failed) = lines(connector, "http://upstream.test").request(get("/"), PATIENCE).await else {
        panic!("must fail")
    };
    assert!(matches!(&failed, Failed::Dial(DialError::Proxy(ProxyFault::Refused))), "{failed:?}");
    assert!(!format!("{failed:?}").contains("canary"));
    assert_eq!(meter.read(), Reading::default());
}

#[tokio::test]
async fn tls_sessions_are_resumed_by_the_same_connector_only() {
    let ca = TestCa::new();
    let tls = ca.trusted();
    let (upstream, mut handshakes) = ca.echo_upstream(&["http/1.1"]).await;
    let target = Target { host: "localhost".to_owned(), port: upstream.port(), tls: true };
    let (first, _) = connector(Route::Direct, &tls);
    let (second, _) = connector(Route::Direct, &tls);
    let mut kinds = Vec::new();
    for connector in [&first.clone(), &first, &second] {
        let mut io = connector.open(&target).await.expect("dial");
        // The ticket arrives with the first bytes after the handshake.
        assert_echoes(&mut io).await;
        io.shutdown().await.expect("shutdown");
        drop(io.read_to_end(&mut Vec::new()).await);
        kinds.push(handshakes.recv().await.expect("handshake"));
    }
    assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Full]);
}

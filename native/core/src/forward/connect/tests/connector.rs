//! The connector inside hyper-util's client: reuse, counting, errors found again, and sessions kept apart.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Response, Uri};
use http_body_util::{BodyExt, Empty, Full};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::HandshakeKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower_service::Service;

use super::support::*;
use crate::figures::meter::{Meter, Meters, Reading};
use crate::forward::connect::{Connector, DialError, Route, Used, dial_error_of};
use crate::forward::tls::TlsConfigs;
use crate::proxies::fault::ProxyFault;

fn connector(route: Route, tls: &TlsConfigs) -> (Connector, Arc<Meter>) {
    let meter = Arc::<Meter>::default();
    let meters = Meters { key: None, way: Some(Arc::clone(&meter)) };
    (Connector::new(route, tls, true, LIMIT, meters), meter)
}

fn client(connector: Connector) -> Client<Connector, Empty<Bytes>> {
    Client::builder(TokioExecutor::new()).build(connector)
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
    let client = client(connector);
    for number in 0..1000 {
        let uri: Uri = format!("http://localhost:{}/v1/{number}", upstream.port()).parse().expect("uri");
        let answer = client.get(uri).await.expect("answer");
        reused += u64::from(answer.extensions().get::<Used>().expect("a connection").again());
        let body = answer.into_body().collect().await.expect("body").to_bytes();
        assert_eq!(body, format!("/v1/{number}"));
        bytes += body.len() as u64;
    }
    let read = meter.read();
    assert!((1..=3).contains(&read.opened), "{} tunnels", read.opened);
    assert_eq!(reused, 1000 - read.opened, "a request either opens a tunnel or finds one open");
    // Heads and the proxy's own words come on top of what the requests said.
    assert!(read.received > bytes && read.sent > bytes, "{read:?}");
}

#[tokio::test]
async fn the_dial_error_is_found_inside_the_clients_error() {
    let proxy = closed_port().await;
    let (connector, meter) = connector(through(&format!("http://user:canary@{proxy}")), &no_tls());
    let error =
        client(connector).get(Uri::from_static("http://upstream.test/")).await.expect_err("must fail");
    assert_eq!(dial_error_of(&error), Some(&DialError::Proxy(ProxyFault::Refused)));
    assert!(!format!("{error:?}").contains("canary"));
    assert_eq!(meter.read(), Reading::default());
}

#[tokio::test]
async fn tls_sessions_are_resumed_by_the_same_connector_only() {
    let ca = TestCa::new();
    let tls = ca.trusted();
    let (upstream, mut handshakes) = ca.echo_upstream(&["http/1.1"]).await;
    let uri: Uri = format!("https://localhost:{}/", upstream.port()).parse().expect("uri");
    let (mut first, _) = connector(Route::Direct, &tls);
    let (mut second, _) = connector(Route::Direct, &tls);
    let mut kinds = Vec::new();
    for connector in [&mut first.clone(), &mut first, &mut second] {
        let mut io = connector.call(uri.clone()).await.expect("dial").into_inner();
        // The ticket arrives with the first bytes after the handshake.
        assert_echoes(&mut io).await;
        io.shutdown().await.expect("shutdown");
        drop(io.read_to_end(&mut Vec::new()).await);
        kinds.push(handshakes.recv().await.expect("handshake"));
    }
    assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Full]);
}

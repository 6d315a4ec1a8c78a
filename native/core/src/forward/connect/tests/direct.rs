//! Direct connections: what is negotiated with the upstream, and the upstream's own faults.

use super::support::*;
use crate::figures::meter::Meters;
use crate::forward::connect::{DialError, Route, Target, Trace, UpstreamFault, UpstreamStage, dial};

fn upstream_fault(error: DialError) -> UpstreamFault {
    match error {
        DialError::Upstream(fault) => fault,
        DialError::Proxy(fault) => panic!("a direct connection has no proxy to blame: {fault}"),
    }
}

#[tokio::test]
async fn a_plain_upstream_is_reached() {
    let upstream = echo_upstream().await;
    let mut io = dial_via(&Route::Direct, &target(upstream, false), &no_tls()).await.expect("dial");
    assert!(!io.is_h2());
    assert_echoes(&mut io).await;
}

#[tokio::test]
async fn h2_is_spoken_only_when_both_sides_want_it() {
    let ca = TestCa::new();
    let tls = ca.trusted();
    for (offered, allowed, h2) in [
        (["h2", "http/1.1"], true, true),
        (["h2", "http/1.1"], false, false),
        (["http/1.1", "x"], true, false),
    ] {
        let (upstream, _handshakes) = ca.echo_upstream(&offered).await;
        let dialed = dial(
            &Route::Direct,
            &named(upstream, true),
            &tls,
            allowed,
            LIMIT,
            &Meters::default(),
            &Trace::off(),
        )
        .await;
        let mut io = dialed.expect("dial");
        assert_eq!(io.is_h2(), h2, "{offered:?}, allowed: {allowed}");
        assert_echoes(&mut io).await;
    }
}

#[tokio::test]
async fn nothing_listening_is_a_refusal() {
    let error = fault(&Route::Direct, &target(closed_port().await, false), &no_tls()).await;
    assert_eq!(upstream_fault(error), UpstreamFault::Refused);
}

#[tokio::test]
async fn an_unknown_name_is_a_dns_fault() {
    // A label of more than 63 bytes: the resolver refuses it without asking the network.
    let target = Target { host: format!("{}.test", "a".repeat(64)), port: 443, tls: true };
    let error = upstream_fault(fault(&Route::Direct, &target, &no_tls()).await);
    assert!(matches!(error, UpstreamFault::Dns { through_proxy: false, .. }), "{error:?}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let (upstream, _handshakes) = TestCa::new().echo_upstream(&[]).await;
    let error = upstream_fault(fault(&Route::Direct, &named(upstream, true), &no_tls()).await);
    assert!(matches!(error, UpstreamFault::Tls { through_proxy: false, .. }), "{error:?}");
    assert!(error.words().contains("not trusted"), "{error}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let ca = TestCa::new();
    let (upstream, _handshakes) = ca.echo_upstream(&[]).await;
    let target = Target { host: "127.0.0.2".to_owned(), port: upstream.port(), tls: true };
    let relay = relay_from("127.0.0.2", upstream).await;
    let error = upstream_fault(fault(&Route::Direct, &Target { port: relay, ..target }, &ca.trusted()).await);
    assert!(
        matches!(&error, UpstreamFault::Tls { reason, .. } if reason.contains("for another host name")),
        "{error:?}"
    );
}

async fn relay_from(ip: &str, upstream: std::net::SocketAddr) -> u16 {
    let listener = tokio::net::TcpListener::bind((ip, 0)).await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    tokio::spawn(async move {
        let (mut io, _) = listener.accept().await.expect("accept");
        join_to(&mut io, upstream).await;
    });
    port
}

#[tokio::test]
async fn an_upstream_without_tls_is_told_apart_from_one_that_closes() {
    let plain = answering(1, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let error = upstream_fault(fault(&Route::Direct, &target(plain, true), &no_tls()).await);
    assert!(matches!(&error, UpstreamFault::Tls { reason, .. } if reason.contains("not TLS")), "{error:?}");

    let closing = answering(1, b"").await;
    let error = upstream_fault(fault(&Route::Direct, &target(closing, true), &no_tls()).await);
    assert_eq!(error, UpstreamFault::Closed { stage: UpstreamStage::Tls });
}

#[tokio::test]
async fn a_silent_upstream_times_out_with_its_stage() {
    let (upstream, heard) = silent_after(1).await;
    let dialing =
        tokio::spawn(async move { fault(&Route::Direct, &target(upstream, true), &no_tls()).await });
    heard.await.expect("the handshake began");
    tokio::time::pause();
    let error = upstream_fault(dialing.await.expect("dial"));
    assert_eq!(error, UpstreamFault::Timeout { stage: UpstreamStage::Tls, after: LIMIT });
}

#[test]
fn a_target_comes_from_a_uri() {
    for (uri, host, port, tls) in [
        ("https://api.example", "api.example", 443, true),
        ("http://api.example/v1?x=y", "api.example", 80, false),
        ("http://[::1]:8080/", "::1", 8080, false),
    ] {
        let target = Target::from_uri(&uri.parse().expect(uri)).expect(uri);
        assert_eq!(target, Target { host: host.to_owned(), port, tls });
    }
    for uri in ["/v1/models", "ftp://api.example/", "api.example:443"] {
        let fault = Target::from_uri(&uri.parse().expect(uri)).expect_err(uri);
        assert!(matches!(fault, UpstreamFault::BadTarget { .. }), "{uri}: {fault:?}");
    }
}

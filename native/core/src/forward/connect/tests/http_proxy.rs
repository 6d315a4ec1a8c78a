//! HTTP and https proxies: the CONNECT they get to see, the tunnel that follows, and each way they can fail.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

use super::support::*;
use crate::forward::connect::{DialError, Target, UpstreamFault};
use crate::proxies::fault::{ProxyFault, ProxyStage};

/// Grants one tunnel in HTTP/1.0, as tinyproxy does, and hands back the head that it received.
async fn granting(upstream: SocketAddr) -> (SocketAddr, oneshot::Receiver<String>) {
    let (asked, head) = oneshot::channel();
    let (proxy, _) = scripted(move |mut io| async move {
        let _ = asked.send(read_head(&mut io).await);
        io.write_all(b"HTTP/1.0 200 Connection established\r\nProxy-agent: t\r\n\r\n").await.expect("grant");
        join_to(&mut io, upstream).await;
    })
    .await;
    (proxy, head)
}

/// Reads the CONNECT, then says `answer` and closes.
async fn replying(answer: &'static [u8]) -> SocketAddr {
    scripted(move |mut io| async move {
        read_head(&mut io).await;
        io.write_all(answer).await.expect("answer");
        io.shutdown().await.expect("shutdown");
        drop(io.read_to_end(&mut Vec::new()).await);
    })
    .await
    .0
}

/// Somewhere that no test reaches.
fn elsewhere(tls: bool) -> Target {
    Target { host: "upstream.test".to_owned(), port: 443, tls }
}

async fn proxy_fault(url: &str, target: &Target) -> ProxyFault {
    match fault(&through(url), target, &no_tls()).await {
        DialError::Proxy(fault) => fault,
        DialError::Upstream(fault) => panic!("the proxy must be blamed, not the upstream: {fault}"),
    }
}

#[tokio::test]
async fn a_plain_upstream_is_tunnelled_and_the_proxy_sees_only_the_connect() {
    let upstream = echo_upstream().await;
    let (proxy, head) = granting(upstream).await;
    let route = through(&format!("http://user:pa%3Ass@{proxy}"));
    let mut io = dial_via(&route, &named(upstream, false), &no_tls()).await.expect("dial");
    assert_echoes(&mut io).await;

    let head = head.await.expect("head");
    let authority = format!("localhost:{}", upstream.port());
    assert!(head.starts_with(&format!("CONNECT {authority} HTTP/1.1\r\n")), "{head}");
    let mut fields: Vec<String> =
        head.lines().skip(1).map(str::to_ascii_lowercase).filter(|l| !l.is_empty()).collect();
    fields.sort();
    let authorization = "proxy-authorization: basic dxnlcjpwytpzcw=="; // user:pa:ss, lower-cased with the line
    assert_eq!(fields, [format!("host: {authority}"), authorization.to_owned()]);
}

#[tokio::test]
async fn without_credentials_none_are_sent() {
    let upstream = echo_upstream().await;
    let (proxy, head) = granting(upstream).await;
    dial_via(&through(&format!("http://{proxy}")), &target(upstream, false), &no_tls()).await.expect("dial");
    assert!(!head.await.expect("head").to_ascii_lowercase().contains("authorization"));
}

#[tokio::test]
async fn a_token_without_password_is_sent_with_an_empty_one() {
    let upstream = echo_upstream().await;
    let (proxy, head) = granting(upstream).await;
    dial_via(&through(&format!("http://token@{proxy}")), &target(upstream, false), &no_tls())
        .await
        .expect("dial");
    assert!(head.await.expect("head").contains("Basic dG9rZW46\r\n"));
}

#[tokio::test]
async fn an_ipv6_upstream_is_named_in_brackets() {
    let (proxy, head) = granting(echo_upstream().await).await;
    let target = Target { host: "2001:db8::1".to_owned(), port: 443, tls: false };
    dial_via(&through(&format!("http://{proxy}")), &target, &no_tls()).await.expect("dial");
    assert!(head.await.expect("head").starts_with("CONNECT [2001:db8::1]:443 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn tls_through_the_tunnel_stays_on_http_1() {
    let ca = TestCa::new();
    let (upstream, _handshakes) = ca.echo_upstream(&["h2", "http/1.1"]).await;
    let (proxy, _head) = granting(upstream).await;
    let dialed = dial_via(&through(&format!("http://{proxy}")), &named(upstream, true), &ca.trusted()).await;
    let mut io = dialed.expect("dial");
    assert!(!io.is_h2());
    assert_echoes(&mut io).await;
}

#[tokio::test]
async fn an_https_proxy_carries_tls_inside_tls() {
    let ca = TestCa::new();
    let (upstream, _handshakes) = ca.echo_upstream(&["http/1.1"]).await;
    let acceptor = ca.acceptor(&["h2", "http/1.1"]);
    let (proxy, seen) = scripted(move |io| async move {
        let mut io = acceptor.accept(io).await.expect("TLS");
        let name = io.get_ref().1.server_name().map(str::to_owned);
        let alpn = io.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        read_head(&mut io).await;
        io.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("grant");
        tokio::spawn(async move { join_to(&mut io, upstream).await });
        (name, alpn)
    })
    .await;
    let route = through(&format!("https://user:pass@localhost:{}", proxy.port()));
    let mut io = dial_via(&route, &named(upstream, true), &ca.trusted()).await.expect("dial");
    assert_echoes(&mut io).await;
    assert_eq!(seen.await.expect("proxy"), (Some("localhost".to_owned()), Some(b"http/1.1".to_vec())));
}

#[tokio::test]
async fn an_https_proxy_that_is_not_trusted_gets_no_credentials() {
    let acceptor = TestCa::new().acceptor(&[]);
    let (proxy, accepted) = scripted(move |io| async move { acceptor.accept(io).await.is_ok() }).await;
    let url = format!("https://user:pass@localhost:{}", proxy.port());
    let fault = proxy_fault(&url, &elsewhere(true)).await;
    assert!(matches!(&fault, ProxyFault::Tls { reason } if reason.contains("not trusted")), "{fault:?}");
    assert!(!accepted.await.expect("proxy"));
}

#[tokio::test]
async fn an_http_proxy_written_as_https_is_named_as_such() {
    let proxy = answering(1, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let fault = proxy_fault(&format!("https://{proxy}"), &elsewhere(true)).await;
    assert!(matches!(&fault, ProxyFault::Tls { reason } if reason.contains("not TLS")), "{fault:?}");
    assert!(fault.words().contains("http://"));
}

#[tokio::test]
async fn each_refusal_is_its_own_fault() {
    let status = |status| ProxyFault::ConnectStatus { status };
    for (credentials, answer, expected) in [
        (
            "",
            &b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\nno!\n"[..],
            ProxyFault::AuthRequired,
        ),
        ("user:canary@", b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", ProxyFault::AuthRejected),
        ("user:canary@", b"HTTP/1.0 401 Unauthorized\r\n\r\nbody", ProxyFault::AuthRejected),
        ("", b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n", status(403)),
        ("", b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100\r\n\r\n", status(502)),
        ("", b"HTTP/1.1 204 No Content\r\n\r\n", status(204)),
        ("", b"HTTP/1.1 302 Found\r\nLocation: http://login.test/\r\n\r\n", status(302)),
        ("", b"SSH-2.0-OpenSSH_9\r\n", ProxyFault::Protocol { expected: "HTTP" }),
        ("", b"\x05\xff", ProxyFault::Protocol { expected: "HTTP" }),
        ("", b"", ProxyFault::Closed { stage: ProxyStage::Handshake }),
        ("", b"HTTP/1.1 200 Conn", ProxyFault::Closed { stage: ProxyStage::Handshake }),
    ] {
        let proxy = replying(answer).await;
        let fault = proxy_fault(&format!("http://{credentials}{proxy}"), &elsewhere(true)).await;
        assert_eq!(fault, expected, "{}", String::from_utf8_lossy(answer));
        assert!(!fault.words().contains("canary"));
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let (proxy, _) = scripted(|mut io| async move {
        read_head(&mut io).await;
        while io.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    let fault = proxy_fault(&format!("http://{proxy}"), &elsewhere(true)).await;
    assert_eq!(fault, ProxyFault::Protocol { expected: "HTTP" });
}

#[tokio::test]
async fn bytes_that_follow_the_grant_at_once_are_kept() {
    let (proxy, _) = scripted(|mut io| async move {
        read_head(&mut io).await;
        io.write_all(b"HTTP/1.1 200 OK\r\n\r\nearly").await.expect("grant");
        let bytes = read(&mut io, 4).await;
        io.write_all(&bytes).await.expect("echo");
        drop(io.read_to_end(&mut Vec::new()).await);
    })
    .await;
    let dialed = dial_via(&through(&format!("http://{proxy}")), &elsewhere(false), &no_tls()).await;
    let mut io = dialed.expect("dial");
    assert_eq!(read(&mut io, 5).await, b"early");
    assert_echoes(&mut io).await;
}

#[tokio::test]
async fn the_exit_that_the_grant_names_goes_with_the_connection() {
    let ca = TestCa::new();
    let (upstream, _handshakes) = ca.echo_upstream(&["http/1.1"]).await;
    for (field, expected) in [
        ("X-BRD-IP: 2001:db8::7\r\n", Some("2001:db8::7")),
        ("X-BRD-IP: r2d29b70ff2044\r\n", None),
        ("X-BRD-IP: é\r\n", None),
        ("", None),
    ] {
        for tls in [true, false] {
            let (proxy, _) = scripted(move |mut io| async move {
                read_head(&mut io).await;
                io.write_all(format!("HTTP/1.1 200 OK\r\n{field}\r\n").as_bytes()).await.expect("grant");
                join_to(&mut io, upstream).await;
            })
            .await;
            let route = through(&format!("http://{proxy}"));
            let dialed = dial_via(&route, &named(upstream, tls), &ca.trusted()).await.expect("dial");
            assert_eq!(dialed.exit().map(|exit| exit.to_string()).as_deref(), expected, "{field}");
        }
    }
}

#[tokio::test]
async fn nothing_listening_is_a_refusal() {
    let fault = proxy_fault(&format!("http://{}", closed_port().await), &elsewhere(true)).await;
    assert_eq!(fault, ProxyFault::Refused);
}

#[tokio::test]
async fn a_silent_proxy_times_out_with_its_stage() {
    for (scheme, stage) in [("http", ProxyStage::Handshake), ("https", ProxyStage::Tls)] {
        let (proxy, heard) = silent_after(1).await;
        let url = format!("{scheme}://{proxy}");
        let dialing = tokio::spawn(async move { proxy_fault(&url, &elsewhere(true)).await });
        heard.await.expect("the exchange began");
        tokio::time::pause();
        assert_eq!(dialing.await.expect("dial"), ProxyFault::Timeout { stage, after: LIMIT });
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_tunnel_lost_before_the_upstream_answered_may_be_either_side() {
    let closing = replying(b"HTTP/1.1 200 OK\r\n\r\n").await;
    let fault = proxy_fault(&format!("http://{closing}"), &elsewhere(true)).await;
    assert_eq!(fault, ProxyFault::Closed { stage: ProxyStage::Tunnel });
    assert!(fault.may_be_upstream());

    let (granted, was_granted) = oneshot::channel();
    let (silent, _) = scripted(|mut io| async move {
        read_head(&mut io).await;
        io.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("grant");
        read(&mut io, 1).await;
        let _ = granted.send(());
        drop(io.read_to_end(&mut Vec::new()).await);
    })
    .await;
    let dialing =
        tokio::spawn(async move { proxy_fault(&format!("http://{silent}"), &elsewhere(true)).await });
    was_granted.await.expect("the upstream's handshake began");
    tokio::time::pause();
    let fault = dialing.await.expect("dial");
    assert_eq!(fault, ProxyFault::Timeout { stage: ProxyStage::Tunnel, after: LIMIT });
    assert!(fault.may_be_upstream());
}

#[tokio::test]
async fn a_bad_certificate_behind_the_tunnel_is_the_upstreams() {
    let (upstream, _handshakes) = TestCa::new().echo_upstream(&[]).await;
    let (proxy, _head) = granting(upstream).await;
    let error = fault(&through(&format!("http://{proxy}")), &named(upstream, true), &no_tls()).await;
    assert!(
        matches!(error, DialError::Upstream(UpstreamFault::Tls { through_proxy: true, .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn giving_up_closes_the_connection_to_the_proxy() {
    let (asked, was_asked) = oneshot::channel();
    let (proxy, closed) = scripted(|mut io| async move {
        read_head(&mut io).await;
        let _ = asked.send(());
        io.read_to_end(&mut Vec::new()).await.is_ok()
    })
    .await;
    let dialing =
        tokio::spawn(async move { proxy_fault(&format!("http://{proxy}"), &elsewhere(true)).await });
    was_asked.await.expect("asked");
    dialing.abort();
    assert!(closed.await.expect("the proxy sees the end"));
}

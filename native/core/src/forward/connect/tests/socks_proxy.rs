//! SOCKS proxies: the very bytes they are sent, the tunnel that follows, and each way they can refuse.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::*;
use crate::forward::connect::{DialError, Target, UpstreamFault};
use crate::proxies::fault::{ProxyFault, ProxyStage, SocksReply};

const GRANTED_4: &[u8] = &[0, 0x5a, 0, 0, 0, 0, 0, 0];
const GRANTED_5: &[u8] = &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

/// Plays the turns (read exactly these bytes, answer those) and then joins the tunnel to the upstream.
async fn expecting(turns: Vec<(Vec<u8>, &'static [u8])>, upstream: SocketAddr) -> SocketAddr {
    let (proxy, _) = scripted(move |mut io| async move {
        for (expected, answer) in turns {
            let got = read(&mut io, expected.len()).await;
            if got != expected {
                return; // the dial then fails on a closed connection
            }
            io.write_all(answer).await.expect("answer");
        }
        join_to(&mut io, upstream).await;
    })
    .await;
    proxy
}

/// Answers each listed number of bytes with the bytes beside it, then closes.
async fn replying(turns: Vec<(usize, Vec<u8>)>) -> SocketAddr {
    let (proxy, _) = scripted(move |mut io| async move {
        for (count, answer) in turns {
            read(&mut io, count).await;
            io.write_all(&answer).await.expect("answer");
        }
        io.shutdown().await.expect("shutdown");
        drop(io.read_to_end(&mut Vec::new()).await);
    })
    .await;
    proxy
}

fn ip4_port(address: SocketAddr) -> Vec<u8> {
    [&[127, 0, 0, 1][..], &address.port().to_be_bytes()].concat()
}

fn port_ip4(address: SocketAddr) -> Vec<u8> {
    [&address.port().to_be_bytes()[..], &[127, 0, 0, 1]].concat()
}

fn elsewhere() -> Target {
    Target { host: "127.0.0.9".to_owned(), port: 443, tls: true }
}

async fn proxy_fault(url: &str, target: &Target) -> ProxyFault {
    match fault(&through(url), target, &no_tls()).await {
        DialError::Proxy(fault) => fault,
        DialError::Upstream(fault) => panic!("the proxy must be blamed, not the upstream: {fault}"),
    }
}

async fn assert_tunnels(url: &str, upstream: SocketAddr) {
    let dialed = dial_via(&through(url), &named(upstream, false), &no_tls()).await;
    let mut io = dialed.unwrap_or_else(|fault| panic!("{url}: {fault:?}"));
    assert_echoes(&mut io).await;
}

#[tokio::test]
async fn socks5_resolves_here_and_socks5h_sends_the_name() {
    let upstream = echo_upstream().await;
    let by_address = [&[5, 1, 0, 1][..], &ip4_port(upstream)].concat();
    let by_name = [&[5, 1, 0, 3, 9][..], b"localhost", &upstream.port().to_be_bytes()].concat();
    for (scheme, request) in [("socks", by_address.clone()), ("socks5", by_address), ("socks5h", by_name)] {
        let proxy = expecting(vec![(vec![5, 1, 0], &[5, 0]), (request, GRANTED_5)], upstream).await;
        assert_tunnels(&format!("{scheme}://{proxy}"), upstream).await;
    }
}

#[tokio::test]
async fn socks5_sends_the_decoded_user_and_password() {
    let upstream = echo_upstream().await;
    let login = [&[1, 4][..], b"us@r", &[4], b"p:ss"].concat();
    let request = [&[5, 1, 0, 1][..], &ip4_port(upstream)].concat();
    let turns = vec![(vec![5, 2, 0, 2], &[5, 2][..]), (login, &[1, 0]), (request, GRANTED_5)];
    let proxy = expecting(turns, upstream).await;
    assert_tunnels(&format!("socks5://us%40r:p%3Ass@{proxy}"), upstream).await;
}

#[tokio::test]
async fn socks4_resolves_here_and_socks4a_sends_the_name_both_with_the_user_id() {
    let upstream = echo_upstream().await;
    let head = [&[4, 1][..], &port_ip4(upstream)].concat();
    let head_4a = [&[4, 1][..], &upstream.port().to_be_bytes(), &[0, 0, 0, 1]].concat();
    for (url, request) in [
        ("socks4://", [&head[..], b"\0"].concat()),
        ("socks4://user-id@", [&head[..], b"user-id\0"].concat()),
        ("socks4a://", [&head_4a[..], b"\0localhost\0"].concat()),
        ("socks4a://user-id@", [&head_4a[..], b"user-id\0localhost\0"].concat()),
    ] {
        let proxy = expecting(vec![(request, GRANTED_4)], upstream).await;
        assert_tunnels(&format!("{url}{proxy}"), upstream).await;
    }
}

#[tokio::test]
async fn tls_runs_through_a_socks_tunnel_on_http_1() {
    let ca = TestCa::new();
    let (upstream, _handshakes) = ca.echo_upstream(&["h2", "http/1.1"]).await;
    let request = [&[5, 1, 0, 1][..], &ip4_port(upstream)].concat();
    let proxy = expecting(vec![(vec![5, 1, 0], &[5, 0]), (request, GRANTED_5)], upstream).await;
    let dialed =
        dial_via(&through(&format!("socks5://{proxy}")), &named(upstream, true), &ca.trusted()).await;
    let mut io = dialed.expect("dial");
    assert!(!io.is_h2());
    assert_echoes(&mut io).await;
}

#[tokio::test]
async fn each_socks5_refusal_is_its_own_fault() {
    use SocksReply::*;
    for (code, reply) in [
        (1, GeneralFailure),
        (2, NotAllowed),
        (3, NetworkUnreachable),
        (4, HostUnreachable),
        (5, ConnectionRefused),
        (6, TtlExpired),
        (7, CommandNotSupported),
        (8, AddressTypeNotSupported),
        (99, Other),
    ] {
        let proxy = replying(vec![(3, vec![5, 0]), (10, vec![5, code, 0, 1, 0, 0, 0, 0, 0, 0])]).await;
        let fault = proxy_fault(&format!("socks5://{proxy}"), &elsewhere()).await;
        assert_eq!(fault, ProxyFault::SocksRefused { reply }, "code {code}");
    }
}

#[tokio::test]
async fn each_socks4_refusal_is_its_own_fault() {
    let general = ProxyFault::SocksRefused { reply: SocksReply::GeneralFailure };
    let other = ProxyFault::SocksRefused { reply: SocksReply::Other };
    for (code, user, expected) in [
        (0x5b, "", general),
        (0x5c, "", ProxyFault::AuthRequired),
        (0x5d, "", ProxyFault::AuthRequired),
        (0x5d, "u@", ProxyFault::AuthRejected),
        (0x70, "", other),
    ] {
        let request = 9 + user.len().saturating_sub(1);
        let proxy = replying(vec![(request, vec![0, code, 0, 0, 0, 0, 0, 0])]).await;
        let fault = proxy_fault(&format!("socks4://{user}{proxy}"), &elsewhere()).await;
        assert_eq!(fault, expected, "code {code:#x} with user id \"{user}\"");
    }
}

#[tokio::test]
async fn credentials_missing_or_wrong_are_told_apart() {
    let wants_login = replying(vec![(3, vec![5, 0xff])]).await;
    assert_eq!(proxy_fault(&format!("socks5://{wants_login}"), &elsewhere()).await, ProxyFault::AuthRequired);

    let refuses = replying(vec![(4, vec![5, 2]), (13, vec![1, 1])]).await;
    let fault = proxy_fault(&format!("socks5://user:canary@{refuses}"), &elsewhere()).await;
    assert_eq!(fault, ProxyFault::AuthRejected);
    assert!(!fault.words().contains("canary"));
}

#[tokio::test]
async fn a_peer_that_is_no_socks_proxy_is_named_as_such() {
    for (scheme, sent) in [("socks5", 3), ("socks4", 9)] {
        let proxy = answering(sent, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let fault = proxy_fault(&format!("{scheme}://{proxy}"), &elsewhere()).await;
        assert_eq!(fault, ProxyFault::Protocol { expected: "SOCKS" }, "{scheme}");

        let closing = answering(sent, b"").await;
        let fault = proxy_fault(&format!("{scheme}://{closing}"), &elsewhere()).await;
        assert_eq!(fault, ProxyFault::Closed { stage: ProxyStage::Handshake }, "{scheme}");
    }
}

#[tokio::test]
async fn a_silent_proxy_times_out_with_its_stage() {
    let (proxy, heard) = silent_after(3).await;
    let dialing = tokio::spawn(async move { proxy_fault(&format!("socks5://{proxy}"), &elsewhere()).await });
    heard.await.expect("the exchange began");
    tokio::time::pause();
    let expected = ProxyFault::Timeout { stage: ProxyStage::Handshake, after: LIMIT };
    assert_eq!(dialing.await.expect("dial"), expected);
}

/// The accept queue is filled first, so that the kernel ignores the dial's connection attempt.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_proxy_that_does_not_accept_times_out_while_connecting() {
    let socket = tokio::net::TcpSocket::new_v4().expect("socket");
    socket.bind("127.0.0.1:0".parse().expect("address")).expect("bind");
    let listener = socket.listen(1).expect("listen");
    let proxy = listener.local_addr().expect("address");
    let mut waiting = Vec::new();
    for _ in 0..2 {
        waiting.push(tokio::net::TcpStream::connect(proxy).await.expect("queued"));
    }
    tokio::time::pause();
    let fault = proxy_fault(&format!("socks5://{proxy}"), &elsewhere()).await;
    assert_eq!(fault, ProxyFault::Timeout { stage: ProxyStage::Connect, after: LIMIT });
}

#[tokio::test]
async fn socks4_cannot_carry_ipv6_and_does_not_bother_the_proxy() {
    let (listener, proxy) = listen().await;
    let target = Target { host: "::1".to_owned(), port: 443, tls: true };
    for scheme in ["socks4", "socks4a"] {
        let fault = proxy_fault(&format!("{scheme}://{proxy}"), &target).await;
        assert_eq!(fault, ProxyFault::NoIpv4, "{scheme}");
    }
    let ours = tokio::net::TcpStream::connect(proxy).await.expect("connect");
    let (_, first_to_arrive) = listener.accept().await.expect("accept");
    assert_eq!(first_to_arrive, ours.local_addr().expect("address"));
}

#[tokio::test]
async fn a_name_that_this_machine_cannot_resolve_is_not_the_proxys_fault() {
    let target = Target { host: format!("{}.test", "a".repeat(64)), port: 443, tls: true };
    for scheme in ["socks4", "socks5"] {
        let route = through(&format!("{scheme}://{}", closed_port().await));
        let error = fault(&route, &target, &no_tls()).await;
        let expected = matches!(error, DialError::Upstream(UpstreamFault::Dns { through_proxy: true, .. }));
        assert!(expected, "{scheme}: {error:?}");
    }
}

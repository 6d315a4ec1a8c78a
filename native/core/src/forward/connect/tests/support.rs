//! The peers that the tests dial: echoing upstreams, scripted proxies and a certificate authority made on the spot.
//! It must not know what any single test expects.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{HandshakeKind, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsAcceptor;

use crate::figures::meter::Meters;
use crate::forward::connect::{DialError, Dialed, Io, Route, Target, Trace, dial};
use crate::forward::tls::{TlsConfigs, TlsRoots};
use crate::proxies::url::ProxyUrl;

/// Long enough never to pass in real time: only a paused clock reaches it.
pub const LIMIT: Duration = Duration::from_secs(30);

pub fn target(address: SocketAddr, tls: bool) -> Target {
    Target { host: address.ip().to_string(), port: address.port(), tls }
}

/// The same upstream under the name that its certificate carries.
pub fn named(address: SocketAddr, tls: bool) -> Target {
    Target { host: "localhost".to_owned(), port: address.port(), tls }
}

pub fn through(url: &str) -> Route {
    Route::Proxy(Arc::new(ProxyUrl::parse(url).expect(url)))
}

pub fn no_tls() -> TlsConfigs {
    TestCa::new().trusted()
}

/// Dials with h2 allowed, so that a test fails when h2 appears where it must not.
pub async fn dial_via(route: &Route, target: &Target, tls: &TlsConfigs) -> Result<Dialed, DialError> {
    dial(route, target, tls, true, LIMIT, &Meters::default(), &Trace::off()).await
}

pub async fn fault(route: &Route, target: &Target, tls: &TlsConfigs) -> DialError {
    dial_via(route, target, tls).await.err().expect("the dial must fail")
}

pub async fn assert_echoes(io: &mut impl Io) {
    io.write_all(b"ping").await.expect("write");
    io.flush().await.expect("flush");
    let mut answer = [0; 4];
    io.read_exact(&mut answer).await.expect("read");
    assert_eq!(&answer, b"ping");
}

pub async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("bind");
    let address = listener.local_addr().expect("address");
    (listener, address)
}

/// A port on which nothing listens.
pub async fn closed_port() -> SocketAddr {
    listen().await.1
}

/// A listener that runs `script` once for its first connection and hands its result back.
pub async fn scripted<T, F>(
    script: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> (SocketAddr, oneshot::Receiver<T>)
where
    T: Send + 'static,
    F: Future<Output = T> + Send,
{
    let (listener, address) = listen().await;
    let (done, result) = oneshot::channel();
    tokio::spawn(async move {
        let (io, _) = listener.accept().await.expect("accept");
        let _ = done.send(script(io).await);
    });
    (address, result)
}

/// A peer that reads `count` bytes, answers `answer` and closes its half.
pub async fn answering(count: usize, answer: &'static [u8]) -> SocketAddr {
    scripted(move |mut io| async move {
        read(&mut io, count).await;
        io.write_all(answer).await.expect("answer");
        io.shutdown().await.expect("shutdown");
        // Kept until the peer is done: closing with unread bytes would reset the connection.
        drop(io.read_to_end(&mut Vec::new()).await);
    })
    .await
    .0
}

/// A peer that reads `count` bytes and then says nothing; the receiver reports that it has read them.
pub async fn silent_after(count: usize) -> (SocketAddr, oneshot::Receiver<()>) {
    let (heard, was_heard) = oneshot::channel();
    let (address, _) = scripted(move |mut io| async move {
        read(&mut io, count).await;
        let _ = heard.send(());
        drop(io.read_to_end(&mut Vec::new()).await);
    })
    .await;
    (address, was_heard)
}

pub async fn read(io: &mut (impl Io + ?Sized), count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    io.read_exact(&mut bytes).await.expect("the expected bytes");
    bytes
}

/// An HTTP head up to and including its empty line.
pub async fn read_head(io: &mut (impl Io + ?Sized)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.expect("a whole head"));
    }
    String::from_utf8(head).expect("text")
}

pub async fn join_to(io: &mut (impl Io + ?Sized), upstream: SocketAddr) {
    let mut upstream = TcpStream::connect(upstream).await.expect("upstream");
    drop(tokio::io::copy_bidirectional(io, &mut upstream).await);
}

async fn echo(io: impl Io) {
    let (mut reader, mut writer) = tokio::io::split(io);
    drop(tokio::io::copy(&mut reader, &mut writer).await);
}

pub async fn echo_upstream() -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((io, _)) = listener.accept().await {
            tokio::spawn(echo(io));
        }
    });
    address
}

/// A certificate authority, made for one test.
pub struct TestCa(CertifiedIssuer<'static, KeyPair>);

impl TestCa {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("params");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Two authorities of one name would fail on the signature, not on trust.
        static AUTHORITIES: AtomicU32 = AtomicU32::new(0);
        let number = AUTHORITIES.fetch_add(1, Ordering::Relaxed);
        params.distinguished_name.push(DnType::CommonName, format!("test authority {number}"));
        let key = KeyPair::generate().expect("key");
        Self(CertifiedIssuer::self_signed(params, key).expect("certificate authority"))
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Client settings that trust this authority, loaded from a file as users load theirs.
    pub fn trusted(&self) -> TlsConfigs {
        static FILES: AtomicU32 = AtomicU32::new(0);
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("egress-ca-{}-{number}.pem", std::process::id()));
        std::fs::write(&path, self.pem()).expect("write the certificate authority");
        let roots = TlsRoots::load(std::slice::from_ref(&path)).expect("load the certificate authority");
        std::fs::remove_file(&path).expect("remove the file");
        roots.configs().expect("TLS settings")
    }

    /// A server for localhost and 127.0.0.1, signed by this authority.
    pub fn acceptor(&self, alpn: &[&str]) -> TlsAcceptor {
        let key = KeyPair::generate().expect("key");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate =
            CertificateParams::new(names).expect("params").signed_by(&key, &self.0).expect("signed");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("server certificate");
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }

    /// A TLS upstream that echoes; the receiver tells of each handshake whether a session was resumed.
    pub async fn echo_upstream(&self, alpn: &[&str]) -> (SocketAddr, mpsc::UnboundedReceiver<HandshakeKind>) {
        let acceptor = self.acceptor(alpn);
        let (listener, address) = listen().await;
        let (kinds, handshakes) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((io, _)) = listener.accept().await {
                let Ok(io) = acceptor.accept(io).await else {
                    continue;
                };
                let _ = kinds.send(io.get_ref().1.handshake_kind().expect("a finished handshake"));
                tokio::spawn(echo(io));
            }
        });
        (address, handshakes)
    }
}

//! A tiny CONNECT proxy that spoils some of its tunnels: refuses them, hangs up, or cuts them after some bytes in
//! either direction. An end passes as an end and a reset as a reset. It tells the upstream first which tunnel this is,
//! and must not know what travels inside.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fastrand::Rng;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::answer::pick;
use crate::wire::{Reader, announcement, reset};

/// Who is behind a connection that the upstream sees.
#[derive(Clone, Copy, Debug)]
pub struct Tunnel {
    pub proxy: usize,
    pub cut: Cut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    No,
    /// With an end, as if the upstream had nothing more to say.
    Ended,
    Reset,
}

/// Every tunnel that was opened, by number. Not by its port: that is another connection's as soon as it is reset.
#[derive(Default)]
pub struct Tunnels(Mutex<Vec<Tunnel>>);

impl Tunnels {
    pub fn get(&self, number: usize) -> Option<Tunnel> {
        self.0.lock().get(number).copied()
    }

    fn add(&self, proxy: usize) -> usize {
        let mut tunnels = self.0.lock();
        tunnels.push(Tunnel { proxy, cut: Cut::No });
        tunnels.len() - 1
    }

    fn cut(&self, number: usize, cut: Cut) {
        self.0.lock()[number].cut = cut;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Serve,
    Refuse(u16),
    HangUp { hard: bool },
    CutDown { after: usize, hard: bool },
    CutUp { after: usize, hard: bool },
}

pub struct Proxy {
    pub address: SocketAddr,
    number: usize,
    tunnels: Arc<Tunnels>,
    /// Of ten tunnels, how many are spoilt.
    spoils: u8,
    seed: Box<dyn Fn(usize) -> Rng + Send + Sync>,
    asked: AtomicUsize,
    refused: AtomicUsize,
}

impl Proxy {
    /// `seed` gives the generator for the nth tunnel.
    pub async fn start(
        number: usize,
        spoils: u8,
        tunnels: Arc<Tunnels>,
        seed: Box<dyn Fn(usize) -> Rng + Send + Sync>,
        tasks: &mut JoinSet<()>,
    ) -> Arc<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (asked, refused) = Default::default();
        let this = Arc::new(Self { address, number, tunnels, spoils, seed, asked, refused });
        tasks.spawn(Arc::clone(&this).accept(listener));
        this
    }

    /// How many tunnels it did not grant.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let mut rng = (self.seed)(self.asked.fetch_add(1, Ordering::SeqCst));
            let deed = if rng.u8(..10) < self.spoils { spoil(&mut rng) } else { Deed::Serve };
            connections.spawn(Arc::clone(&self).serve(stream, deed));
            while connections.try_join_next().is_some() {}
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, deed: Deed) {
        let mut reader = Reader::new(stream);
        let Some(head) = reader.head().await else { return };
        let mut client = reader.stream;
        if matches!(deed, Deed::Refuse(_) | Deed::HangUp { .. }) {
            self.refused.fetch_add(1, Ordering::SeqCst);
        }
        match deed {
            Deed::Refuse(status) => {
                let words = format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n");
                let _ = client.write_all(words.as_bytes()).await;
                return;
            }
            Deed::HangUp { hard } => {
                if hard {
                    reset(client);
                }
                return;
            }
            Deed::Serve | Deed::CutDown { .. } | Deed::CutUp { .. } => {}
        }
        let Ok(mut upstream) = TcpStream::connect(head.word(1)).await else { return };
        let _ = upstream.set_nodelay(true);
        let tunnel = self.tunnels.add(self.number);
        let granted = client.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        if upstream.write_all(&announcement(tunnel)).await.is_err() || granted.await.is_err() {
            return;
        }
        self.relay(client, upstream, tunnel, deed).await;
    }

    async fn relay(&self, mut client: TcpStream, mut upstream: TcpStream, tunnel: usize, deed: Deed) {
        let (mut up, mut down) = (vec![0; 16_384], vec![0; 16_384]);
        let (mut up_left, mut down_left, hard) = match deed {
            Deed::CutUp { after, hard } => (after, usize::MAX, hard),
            Deed::CutDown { after, hard } => (usize::MAX, after, hard),
            _ => (usize::MAX, usize::MAX, false),
        };
        let (mut up_open, mut down_open) = (true, true);
        let mut broken = false;
        while (up_open || down_open) && !broken {
            let moved = tokio::select! {
                read = client.read(&mut up), if up_open => {
                    pass(read, &up, &mut upstream, &mut up_open, &mut up_left).await
                }
                read = upstream.read(&mut down), if down_open => {
                    pass(read, &down, &mut client, &mut down_open, &mut down_left).await
                }
            };
            if up_left == 0 || down_left == 0 {
                let cut = if hard { Cut::Reset } else { Cut::Ended };
                self.tunnels.cut(tunnel, cut);
                broken = hard;
                break;
            }
            broken = moved.is_err();
        }
        if broken {
            reset(client);
            reset(upstream);
        }
    }
}

/// Passes on what was read, at most `left` bytes of it.
async fn pass(
    read: io::Result<usize>,
    from: &[u8],
    to: &mut TcpStream,
    open: &mut bool,
    left: &mut usize,
) -> io::Result<()> {
    let part = read?.min(*left);
    if part == 0 {
        *open = false;
        return to.shutdown().await;
    }
    *left -= part;
    to.write_all(&from[..part]).await
}

fn spoil(rng: &mut Rng) -> Deed {
    let hard = rng.bool();
    match rng.u8(..6) {
        0 => Deed::Refuse(*pick(rng, &[403, 407, 502, 503])),
        1 => Deed::HangUp { hard },
        2 => Deed::CutUp { after: rng.usize(1..4_000), hard },
        3 => Deed::CutDown { after: rng.usize(1..200), hard },
        _ => Deed::CutDown { after: rng.usize(1..8_000), hard },
    }
}

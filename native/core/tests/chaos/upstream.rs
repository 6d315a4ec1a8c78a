//! The upstream: a raw TCP server that keeps a ledger of every request that reached it, answers as the test decides
//! and ends its connections in every way there is. While it holds requests it compares the counters of the core
//! with what it knows to be under way. What the client makes of an answer is not known here.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use aggregator_core::state::State;
use parking_lot::Mutex;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::answer::{Answer, Ending};
use crate::proxy::Tunnels;
use crate::wire::{End, Framing, Head, Reader, reset};

/// One request that reached the upstream, its head at least.
#[derive(Clone)]
pub struct Arrival {
    pub request: usize,
    /// How many of the same request came before.
    pub attempt: usize,
    /// The credential it came with.
    pub key: String,
    /// The tunnel it came through; `None` is a direct connection.
    pub tunnel: Option<usize>,
    /// Since the upstream started.
    pub after: Duration,
    pub answer: Arc<Answer>,
    /// Its body came whole and as it was sent.
    pub received: bool,
    /// Something was made for it.
    pub created: bool,
    /// How much of the answer went out, in bytes on the wire.
    pub sent: usize,
}

/// What the upstream asks the test.
pub trait Script: Send + Sync {
    fn answer(&self, request: usize, attempt: usize) -> Answer;
    fn body(&self, request: usize) -> Vec<u8>;
    /// Answers to it wait until those that do not wait are through.
    fn pauses(&self, request: usize) -> bool;
    /// Its client waits for the end of the answer, whatever comes.
    fn stays(&self, request: usize) -> bool;
}

pub struct Upstream {
    pub address: SocketAddr,
    pub tunnels: Arc<Tunnels>,
    /// Wakes whoever waits for an arrival.
    pub arrived: watch::Sender<()>,
    /// Whether the requests that do not pause are through.
    pub go_on: watch::Sender<bool>,
    /// Wrong counters, in words.
    pub wrong: Mutex<Vec<String>>,
    started: Instant,
    script: Box<dyn Script>,
    ledger: Mutex<Vec<Arrival>>,
    watched: OnceLock<Arc<State>>,
    waiting: Mutex<HashMap<String, u32>>,
}

impl Arrival {
    /// The whole head of the answer went out.
    pub fn answered(&self) -> bool {
        self.sent >= self.answer.head
    }
}

impl Upstream {
    pub async fn start(script: Box<dyn Script>, tasks: &mut JoinSet<()>) -> Arc<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let this = Arc::new(Self {
            address: listener.local_addr().expect("an address"),
            tunnels: Arc::default(),
            arrived: watch::channel(()).0,
            go_on: watch::channel(false).0,
            wrong: Mutex::default(),
            started: Instant::now(),
            script,
            ledger: Mutex::default(),
            watched: OnceLock::new(),
            waiting: Mutex::default(),
        });
        tasks.spawn(Arc::clone(&this).accept(listener));
        this
    }

    /// From now on the counters of this core are compared.
    pub fn watch(&self, state: &Arc<State>) {
        let _ = self.watched.set(Arc::clone(state));
    }

    pub fn ledger(&self) -> Vec<Arrival> {
        self.ledger.lock().clone()
    }

    /// Until the request has reached the upstream.
    pub async fn has(&self, request: usize) {
        let mut arrived = self.arrived.subscribe();
        while !self.ledger.lock().iter().any(|arrival| arrival.request == request) {
            let _ = arrived.changed().await;
        }
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            connections.spawn(Arc::clone(&self).serve(stream));
            while connections.try_join_next().is_some() {}
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) {
        let mut reader = Reader::new(stream);
        let tunnel = reader.tunnel().await;
        while let Some(head) = reader.head().await {
            let (place, arrival) = self.arrive(&head, tunnel);
            let held = self.hold(&arrival);
            let answer = &arrival.answer;
            if answer.reads_body {
                let (body, end) = reader.body(head.framing(Framing::Length(0)), usize::MAX).await;
                if end != End::Whole {
                    return;
                }
                let expected = self.script.body(arrival.request);
                let noted = &mut self.ledger.lock()[place];
                noted.received = body == expected;
                noted.created = answer.creates;
            }
            self.pause(&arrival, 0).await;
            drop(held);
            if !self.send(&mut reader.stream, &arrival, place).await {
                return;
            }
            match answer.ending {
                Ending::Kept => {}
                Ending::Reset { .. } => return reset(reader.stream),
                Ending::BrokenChunk { .. } => {
                    let _ = reader.stream.write_all(b"zz\r\n").await;
                    return;
                }
                Ending::Closed | Ending::Fin { .. } => {
                    let _ = reader.stream.shutdown().await;
                    return;
                }
            }
        }
    }

    fn arrive(&self, head: &Head, tunnel: Option<usize>) -> (usize, Arrival) {
        let request = head.header("x-request").parse().expect("the client's header");
        let mut ledger = self.ledger.lock();
        let attempt = ledger.iter().filter(|arrival| arrival.request == request).count();
        let answer = Arc::new(self.script.answer(request, attempt));
        let key = head.header("x-goog-api-key").to_owned();
        let after = self.started.elapsed();
        let arrival = Arrival {
            request,
            attempt,
            key,
            tunnel,
            after,
            answer,
            received: false,
            created: false,
            sent: 0,
        };
        ledger.push(arrival.clone());
        self.arrived.send_replace(());
        (ledger.len() - 1, arrival)
    }

    /// Counts the request as under way until the first byte of its answer. Only those whose way and client are sure
    /// to stand: the core must count at least as many.
    fn hold<'a>(&'a self, arrival: &Arrival) -> Option<Held<'a>> {
        let sure = self.script.stays(arrival.request) && arrival.tunnel.is_none();
        let state = self.watched.get().filter(|_| sure)?;
        let mut waiting = self.waiting.lock();
        let count = waiting.entry(arrival.key.clone()).or_default();
        *count += 1;
        let pools = state.pools.lock();
        let key = pools.keys.iter().find(|key| key.entered.secret.expose() == arrival.key);
        let counted = key.map_or(0, |key| key.learned.in_flight);
        if counted < *count {
            let words = format!("{count} requests under way on {}, counted {counted}", arrival.key);
            self.wrong.lock().push(words);
        }
        Some(Held { upstream: self, key: arrival.key.clone() })
    }

    /// `false` when the other side is gone.
    async fn send(&self, stream: &mut TcpStream, arrival: &Arrival, place: usize) -> bool {
        let answer = &arrival.answer;
        let (sent, mut at) = (answer.sent(), 0);
        let mut sizes = answer.pieces.iter();
        while at < sent.len() {
            let size = sizes.next().copied().unwrap_or(sent.len());
            let mut next = sent.len().min(at + size);
            if at < answer.pause && answer.pause < next {
                next = answer.pause;
            }
            // Noted before: the other side may act on it at once.
            self.ledger.lock()[place].sent = next;
            if stream.write_all(&sent[at..next]).await.is_err() {
                return false;
            }
            at = next;
            self.pause(arrival, at).await;
            tokio::task::yield_now().await;
        }
        true
    }

    async fn pause(&self, arrival: &Arrival, at: usize) {
        if at == arrival.answer.pause && self.script.pauses(arrival.request) {
            let _ = self.go_on.subscribe().wait_for(|go_on| *go_on).await;
        }
    }
}

struct Held<'a> {
    upstream: &'a Upstream,
    key: String,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.upstream.waiting.lock().get_mut(&self.key) {
            *count -= 1;
        }
    }
}

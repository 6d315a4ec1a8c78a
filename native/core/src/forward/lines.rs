//! The connections of one key and egress: lent to a request, idle between two, closed when idle for long. A request takes
//! an idle one, or dials; one that becomes idle meanwhile goes to whoever is still dialling. HTTP/2, which only a direct
//! connection may speak, is shared by all. It must not know keys or proxies, nor what a request says.
//!
//! Invariant: an HTTP/1.1 connection has no task of its own: whoever holds it moves it along. Handing a request to such a
//! task and its answer back cost more than all that is decided about it here.
//! Invariant: a request goes out a second time only if no byte of it was written, on a connection that had been idle.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use http::header::HOST;
use http::{Request, Response, StatusCode};
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::answer_body::AnswerBody;
use super::connect::{Connector, DialError};
use super::origin::Origin;
use crate::dispatch::RequestBody;

/// Idle tunnels are closed after this long; common proxies and Google keep them for longer.
const IDLE: Duration = Duration::from_secs(60);
const MOST_IDLE: usize = 32;
/// How often idle connections are looked through for those that are old or were closed by the other side.
const SWEEP: Duration = Duration::from_secs(5);

/// Why no answer came.
#[derive(Debug)]
pub enum Failed {
    Dial(DialError),
    Http(hyper::Error),
}

/// An answer, and whether it came over a connection that an earlier request had opened.
pub struct Answered {
    pub response: Response<AnswerBody>,
    pub reused: bool,
}

/// Clones share the connections.
#[derive(Clone)]
pub struct Lines(Arc<Shared>);

pub(super) struct Shared {
    connector: Connector,
    origin: Arc<Origin>,
    /// Zero: every connection ends with its answer.
    most_idle: usize,
    pool: Mutex<Pool>,
}

#[derive(Default)]
struct Pool {
    /// The last one used is the last.
    idle: Vec<Line>,
    waiting: VecDeque<oneshot::Sender<Lent>>,
    http2: Option<(http2::SendRequest<RequestBody>, Instant)>,
    swept: bool,
}

/// What a request goes out on.
enum Lent {
    Own(Line),
    Common { sender: http2::SendRequest<RequestBody>, reused: bool },
}

/// One HTTP/1.1 connection.
pub(super) struct Line {
    sender: http1::SendRequest<RequestBody>,
    /// `None` once it has ended.
    connection: Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>,
    used: bool,
    idle_since: Instant,
}

impl Lines {
    /// Without `pooled`, every connection ends with its answer.
    pub fn new(connector: Connector, origin: Arc<Origin>, pooled: bool) -> Self {
        let most_idle = if pooled { MOST_IDLE } else { 0 };
        Self(Arc::new(Shared { connector, origin, most_idle, pool: Mutex::default() }))
    }

    /// `request` has its target in origin form, and the Host header.
    pub async fn request(&self, mut request: Request<RequestBody>) -> Result<Answered, Failed> {
        loop {
            let line = match self.0.obtain().await? {
                Lent::Own(line) => line,
                Lent::Common { sender, reused } => return self.0.share(sender, reused, request).await,
            };
            let reused = line.used;
            match line.send(request, Arc::downgrade(&self.0)).await {
                Ok(response) => return Ok(Answered { response, reused }),
                Err(mut unsent) => match unsent.take_message().filter(|_| reused) {
                    Some(again) => request = again,
                    None => return Err(Failed::Http(unsent.into_error())),
                },
            }
        }
    }
}

impl Shared {
    async fn obtain(self: &Arc<Self>) -> Result<Lent, Failed> {
        let mut handed = match self.idle_or_wait() {
            Ok(lent) => return Ok(lent),
            Err(handed) => handed,
        };
        // Boxed, so that requests that find one idle do not carry the room of a dial.
        let dial = pin!(Box::pin(self.dial()));
        tokio::select! {
            biased;
            Ok(lent) = &mut handed => Ok(lent),
            dialled = dial => {
                handed.close();
                if let Ok(Lent::Own(line)) = handed.try_recv() {
                    self.hand_back(line);
                }
                dialled
            }
        }
    }

    fn idle_or_wait(&self) -> Result<Lent, oneshot::Receiver<Lent>> {
        let mut pool = self.pool.lock();
        if let Some((sender, used)) = pool.http2.as_mut().filter(|(sender, _)| !sender.is_closed()) {
            *used = Instant::now();
            return Ok(Lent::Common { sender: sender.clone(), reused: true });
        }
        while let Some(line) = pool.idle.pop() {
            if line.idle_since.elapsed() < IDLE {
                return Ok(Lent::Own(line));
            }
        }
        let (hand, handed) = oneshot::channel();
        if self.most_idle > 0 {
            // Those whose own dial was faster, or failed, wait no more.
            pool.waiting.retain(|waiting| !waiting.is_closed());
            pool.waiting.push_back(hand);
        }
        Err(handed)
    }

    async fn dial(self: &Arc<Self>) -> Result<Lent, Failed> {
        let dialed = self.connector.open(&self.origin.target).await.map_err(Failed::Dial)?;
        let h2 = dialed.is_h2();
        let io = TokioIo::new(dialed);
        if !h2 {
            let (sender, connection) = http1::handshake(io).await.map_err(Failed::Http)?;
            let connection: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(connection.with_upgrades());
            let (connection, idle_since) = (Some(connection), Instant::now());
            return Ok(Lent::Own(Line { sender, connection, used: false, idle_since }));
        }
        let handshake = http2::Builder::new(TokioExecutor::new()).timer(TokioTimer::new()).handshake(io);
        let (sender, connection) = handshake.await.map_err(Failed::Http)?;
        let mut pool = self.pool.lock();
        if let Some((known, _)) = pool.http2.as_ref().filter(|(known, _)| !known.is_closed()) {
            return Ok(Lent::Common { sender: known.clone(), reused: true });
        }
        tokio::spawn(connection);
        if self.most_idle > 0 {
            pool.http2 = Some((sender.clone(), Instant::now()));
            pool.waiting.drain(..).for_each(|waiting| {
                let _ = waiting.send(Lent::Common { sender: sender.clone(), reused: true });
            });
            self.keep_swept(&mut pool);
        }
        Ok(Lent::Common { sender, reused: false })
    }

    async fn share(
        &self,
        mut sender: http2::SendRequest<RequestBody>,
        reused: bool,
        mut request: Request<RequestBody>,
    ) -> Result<Answered, Failed> {
        self.origin.make_absolute(request.uri_mut());
        request.headers_mut().remove(HOST);
        let response = sender.send_request(request).await.map_err(Failed::Http)?;
        Ok(Answered { response: response.map(AnswerBody::common), reused })
    }

    /// The answer has ended, and the connection is ready for another request.
    pub(super) fn hand_back(self: &Arc<Self>, mut line: Line) {
        if self.most_idle == 0 || !line.is_ready() {
            return;
        }
        let mut pool = self.pool.lock();
        while let Some(waiting) = pool.waiting.pop_front() {
            match waiting.send(Lent::Own(line)) {
                Err(Lent::Own(back)) => line = back,
                Ok(()) | Err(Lent::Common { .. }) => return,
            }
        }
        if pool.idle.len() < self.most_idle {
            line.idle_since = Instant::now();
            pool.idle.push(line);
            self.keep_swept(&mut pool);
        }
    }

    fn keep_swept(self: &Arc<Self>, pool: &mut Pool) {
        if !pool.swept {
            pool.swept = true;
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// Whether anything is left to look after.
    fn let_go_of_old(&self) -> bool {
        let mut pool = self.pool.lock();
        pool.idle.retain_mut(|line| line.idle_since.elapsed() < IDLE && line.is_open());
        pool.http2.take_if(|(sender, used)| sender.is_closed() || used.elapsed() >= IDLE);
        pool.swept = !pool.idle.is_empty() || pool.http2.is_some();
        pool.swept
    }
}

/// Ends when nothing is idle, or when nobody holds the connections any more.
async fn sweep(shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        if !shared.upgrade().is_some_and(|shared| shared.let_go_of_old()) {
            return;
        }
    }
}

impl Line {
    async fn send(
        mut self,
        request: Request<RequestBody>,
        home: Weak<Shared>,
    ) -> Result<Response<AnswerBody>, TrySendError<Request<RequestBody>>> {
        self.used = true;
        // Only the connection brings the answer, and it is polled right here: no waker is needed, nor may tokio's budget
        // end the look early, for nobody would look again.
        let mut answer = pin!(tokio::task::unconstrained(self.sender.try_send_request(request)));
        let response = poll_fn(|context| {
            self.advance(context);
            answer.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        })
        .await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS
            && let Some(connection) = self.connection.take()
        {
            // It hands the bare stream over, and only when it is polled to its end.
            tokio::spawn(connection);
        }
        Ok(response.map(|body| AnswerBody::own(body, self, home)))
    }

    /// Moves the connection along as far as it goes; one that has ended is let go of, which tells whoever waits on it.
    pub(super) fn advance(&mut self, context: &mut Context<'_>) {
        let ended = self.connection.as_mut().is_some_and(|line| line.as_mut().poll(context).is_ready());
        if ended {
            self.connection = None;
        }
    }

    /// For another request. When the answer has come before the request's body was sent, it never is.
    fn is_ready(&mut self) -> bool {
        if self.connection.is_some() && !self.sender.is_ready() {
            self.advance(&mut Context::from_waker(Waker::noop()));
        }
        self.connection.is_some() && self.sender.is_ready()
    }

    /// Whether the other side has left it open, as far as is known by now.
    fn is_open(&mut self) -> bool {
        self.advance(&mut Context::from_waker(Waker::noop()));
        self.connection.is_some()
    }
}

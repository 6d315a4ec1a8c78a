//! The connections of one key and egress: lent to a request, idle between two, closed when idle for long. A request takes
//! an idle one, or dials; one that becomes idle meanwhile goes to whoever is still dialling. HTTP/2, which only a direct
//! connection may speak, is shared by all. It must not know keys or proxies, nor what a request says.
//!
//! Invariant: an HTTP/1.1 connection has no task of its own: whoever holds it moves it along. Handing a request to such a
//! task and its answer back cost more than all that is decided about it here.
//! Invariant: a connection is looked at only when something happened to it: it shares its task with the client's, which is
//! polled for other reasons, too.
//! Invariant: a request goes out a second time only if no byte of it was written, on a connection that had been idle.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use http::header::HOST;
use http::{Request, Response, StatusCode};
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep_until, timeout_at};

use super::answer_body::AnswerBody;
use super::connect::{Connector, DialError};
use super::origin::Origin;
use crate::dispatch::RequestBody;
use crate::gate::Gate;

/// Idle tunnels are closed after this long; common proxies and Google keep them for longer.
const IDLE: Duration = Duration::from_secs(60);
const MOST_IDLE: usize = 32;
/// How often idle connections are looked through for those that are old or were closed by the other side.
const SWEEP: Duration = Duration::from_secs(5);
/// So many of them make an idle connection old; counted, for a look at the clock costs more than all else about it.
const MOST_SWEEPS: u64 = IDLE.as_secs() / SWEEP.as_secs();

/// Why no answer came.
#[derive(Debug)]
pub enum Failed {
    Dial(DialError),
    Http(hyper::Error),
    /// Nothing came for as long as was waited.
    Silent,
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
    /// Somebody sweeps.
    swept: bool,
    sweeps: u64,
}

/// What a request goes out on.
enum Lent {
    Own(Line),
    Common { sender: http2::SendRequest<RequestBody>, reused: bool },
}

type Connection = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// One HTTP/1.1 connection.
pub(super) struct Line {
    sender: http1::SendRequest<RequestBody>,
    /// `None` once it has ended.
    connection: Option<Connection>,
    gate: Gate,
    alarm: Alarm,
    used: bool,
    /// The number of sweeps there had been.
    idle_since: u64,
}

/// Goes off when an answer is due.
///
/// A timer for each request would be set and taken back for nearly every one; this one is left to run out, and set again
/// to what is due by then.
///
/// Invariant: all requests of one connection are waited for equally long, so that what is due never comes nearer.
#[derive(Default)]
struct Alarm(Option<Pin<Box<Sleep>>>);

impl Lines {
    /// Without `pooled`, every connection ends with its answer.
    pub fn new(connector: Connector, origin: Arc<Origin>, pooled: bool) -> Self {
        let most_idle = if pooled { MOST_IDLE } else { 0 };
        Self(Arc::new(Shared { connector, origin, most_idle, pool: Mutex::default() }))
    }

    /// `request` has its target in origin form, and the Host header. Its answer begins within `patience`.
    pub fn request(
        &self,
        mut request: Request<RequestBody>,
        patience: Duration,
    ) -> impl Future<Output = Result<Answered, Failed>> {
        let due = tokio::time::Instant::now() + patience;
        // A block, where an async fn would hold the request twice.
        async move {
            loop {
                let lent = match self.0.idle_or_wait() {
                    Ok(lent) => lent,
                    Err(handed) => timeout_at(due, self.0.dial_or_be_handed(handed))
                        .await
                        .map_err(|_| Failed::Silent)??,
                };
                let line = match lent {
                    Lent::Own(line) => line,
                    Lent::Common { sender, reused } => {
                        return Box::pin(self.0.share(sender, reused, request, due)).await;
                    }
                };
                let reused = line.used;
                match line.send(request, due, Arc::downgrade(&self.0)).await {
                    None => return Err(Failed::Silent),
                    Some(Ok(response)) => return Ok(Answered { response, reused }),
                    Some(Err(mut unsent)) => match unsent.take_message().filter(|_| reused) {
                        Some(again) => request = again,
                        None => return Err(Failed::Http(unsent.into_error())),
                    },
                }
            }
        }
    }
}

impl Shared {
    async fn dial_or_be_handed(
        self: &Arc<Self>,
        mut handed: oneshot::Receiver<Lent>,
    ) -> Result<Lent, Failed> {
        // Boxed, so that requests that find one idle do not carry the room of a dial.
        let shared = Arc::clone(self);
        let mut dial = Box::pin(async move { shared.dial().await });
        tokio::select! {
            biased;
            Ok(lent) = &mut handed => {
                self.finish_apart(dial);
                Ok(lent)
            }
            dialled = &mut dial => {
                handed.close();
                if let Ok(Lent::Own(line)) = handed.try_recv() {
                    self.hand_back(line);
                }
                dialled
            }
        }
    }

    /// A dial that nobody waits for any more ends in an idle connection: there were too few, and were it given up, the
    /// next request would begin another.
    fn finish_apart(self: &Arc<Self>, dial: impl Future<Output = Result<Lent, Failed>> + Send + 'static) {
        let home = Arc::downgrade(self);
        tokio::spawn(async move {
            if let Ok(Lent::Own(line)) = dial.await
                && let Some(home) = home.upgrade()
            {
                home.hand_back(line);
            }
        });
    }

    fn idle_or_wait(&self) -> Result<Lent, oneshot::Receiver<Lent>> {
        let mut pool = self.pool.lock();
        if let Some((sender, used)) = pool.http2.as_mut().filter(|(sender, _)| !sender.is_closed()) {
            *used = Instant::now();
            return Ok(Lent::Common { sender: sender.clone(), reused: true });
        }
        while let Some(line) = pool.idle.pop() {
            if !pool.is_old(&line) {
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
            let connection: Connection = Box::pin(connection.with_upgrades());
            return Ok(Lent::Own(Line {
                sender,
                connection: Some(connection),
                gate: Gate::default(),
                alarm: Alarm::default(),
                used: false,
                idle_since: 0,
            }));
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
        due: tokio::time::Instant,
    ) -> Result<Answered, Failed> {
        self.origin.make_absolute(request.uri_mut());
        request.headers_mut().remove(HOST);
        let response = timeout_at(due, sender.send_request(request)).await;
        let response = response.map_err(|_| Failed::Silent)?.map_err(Failed::Http)?;
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
            line.idle_since = pool.sweeps;
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
        pool.sweeps += 1;
        let mut idle = std::mem::take(&mut pool.idle);
        idle.retain_mut(|line| !pool.is_old(line) && line.is_open());
        pool.idle = idle;
        pool.http2.take_if(|(sender, used)| sender.is_closed() || used.elapsed() >= IDLE);
        pool.swept = !pool.idle.is_empty() || pool.http2.is_some();
        pool.swept
    }
}

impl Pool {
    fn is_old(&self, line: &Line) -> bool {
        self.sweeps - line.idle_since >= MOST_SWEEPS
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
    /// `None` when nothing came before it was `due`.
    fn send(
        mut self,
        request: Request<RequestBody>,
        due: tokio::time::Instant,
        home: Weak<Shared>,
    ) -> impl Future<Output = Option<Result<Response<AnswerBody>, TrySendError<Request<RequestBody>>>>> {
        self.used = true;
        self.expect_polls();
        self.gate.open();
        async move {
            // Only the connection brings the answer, and it is polled right here: no waker is needed, nor may tokio's budget
            // end the look early, for nobody would look again.
            let mut answer = pin!(tokio::task::unconstrained(self.sender.try_send_request(request)));
            let answered = poll_fn(|context| {
                let Some(mut context) = self.gate.pass(context) else { return Poll::Pending };
                move_along(&mut self.connection, &mut context);
                match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(answered) => Poll::Ready(Some(answered)),
                    Poll::Pending if self.alarm.goes_off(due, &mut context) => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                }
            })
            .await?;
            let response = match answered {
                Ok(response) => response,
                Err(unsent) => return Some(Err(unsent)),
            };
            if response.status() == StatusCode::SWITCHING_PROTOCOLS
                && let Some(connection) = self.connection.take()
            {
                // It hands the bare stream over, and only when it is polled to its end.
                tokio::spawn(connection);
            }
            Some(Ok(response.map(|body| AnswerBody::own(body, self, home))))
        }
    }

    /// Whoever holds it polls it next: what is put into the connection, or taken out, need not wake anybody.
    pub(super) fn expect_polls(&self) {
        self.gate.mute();
    }

    /// Moves the connection along as far as it goes, if anything happened to it.
    pub(super) fn advance(&mut self, context: &mut Context<'_>) {
        if let Some(mut context) = self.gate.pass(context) {
            move_along(&mut self.connection, &mut context);
        }
    }

    /// For another request. When the answer has come before the request's body was sent, it never is.
    fn is_ready(&mut self) -> bool {
        if self.connection.is_some() && !self.sender.is_ready() {
            self.gate.open();
            self.advance(&mut Context::from_waker(Waker::noop()));
        }
        self.connection.is_some() && self.sender.is_ready()
    }

    /// Whether the other side has left it open, as far as is known by now.
    fn is_open(&mut self) -> bool {
        self.gate.open();
        self.advance(&mut Context::from_waker(Waker::noop()));
        self.connection.is_some()
    }
}

/// A connection that has ended is let go of, which tells whoever waits on it.
fn move_along(connection: &mut Option<Connection>, context: &mut Context<'_>) {
    if connection.as_mut().is_some_and(|line| line.as_mut().poll(context).is_ready()) {
        *connection = None;
    }
}

impl Alarm {
    /// Polled at least once, it wakes when the answer is `due`, and perhaps earlier.
    fn goes_off(&mut self, due: tokio::time::Instant, context: &mut Context<'_>) -> bool {
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(due)));
        loop {
            if timer.as_mut().poll(context).is_pending() {
                return false;
            }
            if timer.deadline() >= due {
                return true;
            }
            timer.as_mut().reset(due);
        }
    }
}

//! The connection of a following window to the leading one: keeps the newest vault it was given, passes on what it hears
//! and asks what this window is asked. When it ends, `window` decides what comes next.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};

use super::announcement::{self, Unusable};
use super::protocol::{LONGEST_UNPROVED, Lines, ToFollower, ToLeader, send};
use super::{ANNOUNCEMENT, handshake};

/// A test of a key or proxy may take a minute, a secret store that asks the user to unlock it two.
const PATIENCE: Duration = Duration::from_secs(180);

pub enum NoLink {
    /// The leader cannot be reached now: it is starting or ending.
    NotYet,
    /// The leader's version, which is not this one.
    OtherVersion(String),
}

/// What was asked has no answer.
pub enum NoAnswer {
    /// It never left this window.
    NotAsked,
    /// The leader may or may not have done it.
    Lost,
}

/// A proved connection before its first message.
pub struct Proved {
    lines: Lines<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

pub async fn connect(folder: &Path) -> Result<Proved, NoLink> {
    let announced = announcement::read(&folder.join(ANNOUNCEMENT)).map_err(|why| match why {
        Unusable::Absent => NoLink::NotYet,
        Unusable::OtherVersion(version) => NoLink::OtherVersion(version),
    })?;
    let meeting = async {
        let stream = TcpStream::connect(("127.0.0.1", announced.port)).await.ok()?;
        let _ = stream.set_nodelay(true);
        let (read, mut writer) = stream.into_split();
        let mut lines = Lines::new(read, LONGEST_UNPROVED);
        handshake::greet(&mut lines, &mut writer, &announced.secret).await.ok()?;
        Some(Proved { lines, writer })
    };
    tokio::time::timeout(handshake::PATIENCE, meeting).await.ok().flatten().ok_or(NoLink::NotYet)
}

pub struct Link {
    outgoing: mpsc::UnboundedSender<ToLeader>,
    /// `None` once the connection has ended.
    waiting: Mutex<Option<HashMap<u64, oneshot::Sender<String>>>>,
    last: AtomicU64,
}

impl Link {
    /// With the future that runs the connection until it ends; `hear` gets everything but replies, in order.
    pub fn new(
        proved: Proved,
        mut hear: impl FnMut(&Arc<Self>, ToFollower) + Send,
    ) -> (Arc<Self>, impl Future<Output = ()> + Send) {
        let (outgoing, mut asked) = mpsc::unbounded_channel();
        let link =
            Arc::new(Self { outgoing, waiting: Mutex::new(Some(HashMap::new())), last: AtomicU64::new(0) });
        let this = Arc::clone(&link);
        let Proved { mut lines, mut writer } = proved;
        let running = async move {
            let hearing = async {
                while let Ok(Some(said)) = lines.next::<ToFollower>().await {
                    match said {
                        ToFollower::Reply { ticket, reply } => this.answered(ticket, reply),
                        ToFollower::Vault { number, texts, wanted } => {
                            hear(&this, ToFollower::Vault { number, texts, wanted });
                            let _ = this.outgoing.send(ToLeader::VaultKept { number });
                        }
                        other => hear(&this, other),
                    }
                }
            };
            let asking = async {
                while let Some(message) = asked.recv().await {
                    if send(&mut writer, &message).await.is_err() {
                        return;
                    }
                }
            };
            tokio::select! {
                () = hearing => {}
                () = asking => {}
            }
            // Whoever waits hears that nothing more will come.
            this.waiting.lock().take();
        };
        (link, running)
    }

    pub fn has_ended(&self) -> bool {
        self.waiting.lock().is_none()
    }

    pub async fn ask(&self, question: impl FnOnce(u64) -> ToLeader) -> Result<String, NoAnswer> {
        let ticket = self.last.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        match self.waiting.lock().as_mut() {
            Some(waiting) => waiting.insert(ticket, sender),
            None => return Err(NoAnswer::NotAsked),
        };
        self.outgoing.send(question(ticket)).map_err(|_| NoAnswer::NotAsked)?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) | Err(_) => Err(NoAnswer::Lost),
        }
    }

    fn answered(&self, ticket: u64, reply: String) {
        let waiting = self.waiting.lock().as_mut().and_then(|waiting| waiting.remove(&ticket));
        if let Some(waiting) = waiting {
            let _ = waiting.send(reply);
        }
    }
}

//! The window that leads: it alone has a core, and gives the other windows of its profile the vault, every event and the
//! newest snapshot, and carries out what they ask. Whether a window leads is decided in `window`.
//!
//! Invariant: a slow follower misses events and older snapshots, never a reply or a vault; one that takes nothing for
//! long is let go of. Nothing a follower does holds up a request.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::AsyncWrite;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::announcement::Announcement;
use super::copies::{Copies, Numbered, Place};
use super::handshake;
use super::protocol::{LONGEST_UNPROVED, Lines, ToFollower, ToLeader, send};
use super::{ANNOUNCEMENT, read_command};
use crate::aggregator::Aggregator as Core;
use crate::command::{Command, Refusal, RefusalCode, Reply};
use crate::lock::Lock;
use crate::views::EndpointView;

/// Between two snapshots to one follower.
const PAUSE: Duration = Duration::from_millis(100);
const MOST_UNPROVED: usize = 8;
const MOST_FOLLOWERS: usize = 64;
const MOST_UNDER_WAY: usize = 32;
/// What followers asked for may end before the core closes.
const LAST_COMMANDS: Duration = Duration::from_secs(1);

pub struct Leading {
    pub core: Arc<Core>,
    copies: Arc<Copies>,
    /// Nothing is begun any more.
    closing: AtomicBool,
    /// Read by each command under way; the close waits to write it.
    under_way: tokio::sync::RwLock<()>,
    channel: Mutex<JoinSet<()>>,
    lock: Mutex<Option<Lock>>,
    folder: Option<PathBuf>,
}

struct Answer {
    ticket: u64,
    reply: String,
}

impl Leading {
    pub fn new(
        core: Arc<Core>,
        copies: Arc<Copies>,
        lock: Option<Lock>,
        folder: Option<PathBuf>,
    ) -> Arc<Self> {
        Arc::new(Self {
            core,
            copies,
            closing: AtomicBool::new(false),
            under_way: tokio::sync::RwLock::default(),
            channel: Mutex::default(),
            lock: Mutex::new(lock),
            folder,
        })
    }

    pub async fn start(self: &Arc<Self>, patience: Duration) -> EndpointView {
        let _under_way = self.under_way.read().await;
        if self.closing.load(Ordering::Relaxed) {
            return EndpointView::Stopped;
        }
        self.copies.want(true).await;
        self.core.start_server_within(patience).await
    }

    pub async fn stop(&self) -> EndpointView {
        self.copies.want(false).await;
        self.core.stop_server().await
    }

    pub async fn command(&self, command: Command) -> Reply {
        let _under_way = self.under_way.read().await;
        if self.closing.load(Ordering::Relaxed) {
            let words = "This window is closing. Nothing was changed; try again in a moment.";
            return Reply::Refused(Refusal::new(RefusalCode::Failed, words));
        }
        self.core.command(command).await
    }

    /// Lets followers in; an error is a sentence for the user.
    pub async fn open_channel(self: &Arc<Self>) -> Result<(), String> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let cannot = |error: String| {
            format!("Other windows cannot follow this one: {error}. They wait until this window closes.")
        };
        let listener =
            TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| cannot(error.to_string()))?;
        let port = listener.local_addr().map_err(|error| cannot(error.to_string()))?.port();
        let announcement =
            Announcement::new(port).ok_or_else(|| cannot("the system gives no random bytes".to_owned()))?;
        announcement.write(&folder.join(ANNOUNCEMENT)).map_err(|error| cannot(error.to_string()))?;
        let accepting = Arc::clone(self).accept(listener, Arc::from(announcement.secret));
        self.channel.lock().spawn(accepting);
        Ok(())
    }

    /// Invariant: the lock is let go of after the last save, and followers hear the end after that, so that the first
    /// of them to try has it.
    pub async fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        let _ = tokio::time::timeout(LAST_COMMANDS, self.under_way.write()).await;
        self.core.close().await;
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_file(folder.join(ANNOUNCEMENT));
        }
        drop(self.lock.lock().take());
        let mut channel = std::mem::take(&mut *self.channel.lock());
        channel.shutdown().await;
    }

    async fn accept(self: Arc<Self>, listener: TcpListener, secret: Arc<str>) {
        let unproved = Arc::new(Semaphore::new(MOST_UNPROVED));
        let followers = Arc::new(Semaphore::new(MOST_FOLLOWERS));
        // Ends them with itself.
        let mut connections = JoinSet::new();
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            while connections.try_join_next().is_some() {}
            let Ok(asking) = Arc::clone(&unproved).try_acquire_owned() else { continue };
            let Ok(place) = Arc::clone(&followers).try_acquire_owned() else { continue };
            let (this, secret) = (Arc::clone(&self), Arc::clone(&secret));
            connections.spawn(async move {
                this.serve(stream, &secret, asking).await;
                drop(place);
            });
        }
    }

    async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        secret: &str,
        asking: tokio::sync::OwnedSemaphorePermit,
    ) {
        let _ = stream.set_nodelay(true);
        let (read, mut writer) = stream.into_split();
        let mut lines = Lines::new(read, LONGEST_UNPROVED);
        let proved = handshake::answer(&mut lines, &mut writer, secret);
        if !matches!(tokio::time::timeout(handshake::PATIENCE, proved).await, Ok(Ok(()))) {
            return;
        }
        drop(asking);
        let place = self.copies.join();
        let (answers, answered) = mpsc::channel(MOST_UNDER_WAY);
        tokio::select! {
            _ = self.hear(lines, place, answers) => {}
            _ = self.tell(writer, answered) => {}
        }
    }

    async fn hear(
        self: &Arc<Self>,
        mut lines: Lines<OwnedReadHalf>,
        place: Place,
        answers: mpsc::Sender<Answer>,
    ) -> std::io::Result<()> {
        let under_way = Arc::new(Semaphore::new(MOST_UNDER_WAY));
        while let Some(asked) = lines.next::<ToLeader>().await? {
            if let ToLeader::VaultKept { number } = asked {
                place.has(number);
                continue;
            }
            let Ok(one) = Arc::clone(&under_way).acquire_owned().await else { break };
            let (this, answers) = (Arc::clone(self), answers.clone());
            // Goes on when the follower leaves: a change begun is a change made.
            tokio::spawn(async move {
                if let Some(answer) = this.carry_out(asked).await {
                    let _ = answers.send(answer).await;
                }
                drop(one);
            });
        }
        Ok(())
    }

    async fn carry_out(self: &Arc<Self>, asked: ToLeader) -> Option<Answer> {
        let (ticket, reply) = match asked {
            ToLeader::VaultKept { .. } => return None,
            ToLeader::Start { ticket } => (ticket, serde_json::to_string(&self.start(Duration::ZERO).await)),
            ToLeader::Stop { ticket } => (ticket, serde_json::to_string(&self.stop().await)),
            ToLeader::Command { ticket, command } => {
                let reply = match read_command(&command) {
                    Ok(command) => self.command(command).await,
                    Err(refusal) => Reply::Refused(refusal),
                };
                (ticket, serde_json::to_string(&reply))
            }
        };
        Some(Answer { ticket, reply: reply.ok()? })
    }

    async fn tell(
        &self,
        mut writer: impl AsyncWrite + Unpin,
        mut answers: mpsc::Receiver<Answer>,
    ) -> std::io::Result<()> {
        let mut vaults = self.copies.watch();
        let mut events = self.core.state().events.subscribe();
        let mut changes = self.core.state().events.changes();
        send(&mut writer, &vault(&mut vaults)).await?;
        send(&mut writer, &self.snapshot()).await?;
        let (mut stale, mut next) = (false, Instant::now() + PAUSE);
        loop {
            tokio::select! {
                biased;
                changed = vaults.changed() => match changed {
                    Ok(()) => send(&mut writer, &vault(&mut vaults)).await?,
                    Err(_) => return Ok(()),
                },
                answer = answers.recv() => match answer {
                    // Whoever is told that a change was made sees it, too.
                    Some(Answer { ticket, reply }) => {
                        send(&mut writer, &self.snapshot()).await?;
                        send(&mut writer, &ToFollower::Reply { ticket, reply }).await?;
                    }
                    None => return Ok(()),
                },
                () = tokio::time::sleep_until(next), if stale => {
                    send(&mut writer, &self.snapshot()).await?;
                    (stale, next) = (false, Instant::now() + PAUSE);
                }
                event = events.recv() => match event {
                    Ok(event) => send(&mut writer, &ToFollower::Event { event }).await?,
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Ok(()),
                },
                changed = changes.changed(), if !stale => match changed {
                    Ok(()) => stale = true,
                    Err(_) => return Ok(()),
                },
            }
        }
    }

    fn snapshot(&self) -> ToFollower {
        ToFollower::Snapshot { snapshot: Box::new(self.core.snapshot()) }
    }
}

fn vault(vaults: &mut tokio::sync::watch::Receiver<Numbered>) -> ToFollower {
    let Numbered { number, entered, wanted } = vaults.borrow_and_update().clone();
    ToFollower::Vault { number, texts: crate::vault::secrets::texts_of(&entered), wanted }
}

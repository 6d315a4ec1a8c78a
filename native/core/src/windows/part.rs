//! How a window comes to its part: it tries the lock and, while another holds it, follows that one; when the connection
//! ends it tries again at once. Whoever has the lock leads until it closes.
//!
//! Invariant: only the holder of the lock opens a core, and it opens it with the vault that the leader before confirmed,
//! or, never having followed, with what its own store holds at that moment.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::copies::{Copies, SharedVault};
use super::leading::Leading;
use super::link::{Link, NoLink, Proved, connect};
use super::protocol::ToFollower;
use super::window::{Part, Window};
use super::{LOCK, Owed};
use crate::aggregator::{Aggregator as Core, Opening, Tokens};
use crate::clock::{Clock, SystemClock};
use crate::events::{Event, EventType, Level};
use crate::lock::{Lock, Taken, take};
use crate::server::guard::AdminAccess;
use crate::vault::legacy::{self, Found};
use crate::vault::{Entered, Vault, secrets};
use crate::views::EndpointView;
use crate::wire::{CoreMessage, OpenReport, WindowRole};

const BETWEEN_TRIES: Duration = Duration::from_millis(50);
/// A leader that could not lead tries again after this long, or when settings change.
const AFTER_FAILURE: Duration = Duration::from_secs(2);
/// A process that dies lets go of the lock and of the port one after the other.
const PORT_PATIENCE: Duration = Duration::from_secs(1);

enum Turn {
    Lead(Option<Lock>, Option<String>),
    Follow(Proved),
    Wait(Option<String>),
}

impl Window {
    pub(super) async fn take_part(self: Arc<Self>) {
        loop {
            match self.turn().await {
                Turn::Lead(lock, warning) => match self.lead(lock, warning).await {
                    Ok(()) => return,
                    Err(words) => {
                        let Err(Err(words)) = self.opened(Err(words)) else { return };
                        self.wait_with(words);
                        let changed = self.settings_changed.notified();
                        let _ = tokio::time::timeout(AFTER_FAILURE, changed).await;
                    }
                },
                Turn::Follow(proved) => self.follow(proved).await,
                Turn::Wait(words) => {
                    if let Some(words) = words {
                        self.wait_with(words);
                    }
                    tokio::time::sleep(BETWEEN_TRIES).await;
                }
            }
        }
    }

    async fn turn(&self) -> Turn {
        let Some(folder) = self.options.folder.as_deref() else { return Turn::Lead(None, None) };
        match try_lead(folder) {
            Some(turn) => turn,
            // The leader may end while this window knocks.
            None => tokio::select! {
                linked = connect(folder) => match linked {
                    Ok(proved) => Turn::Follow(proved),
                    Err(NoLink::NotYet) => Turn::Wait(None),
                    Err(NoLink::OtherVersion(other)) => Turn::Wait(Some(other_version(&other))),
                },
                turn = until_leading(folder) => turn,
            },
        }
    }

    fn wait_with(&self, message: String) {
        let view = EndpointView::Failed { message };
        if !self.is_waiting_with(&view) {
            self.take(Part::Waiting(view));
        }
    }

    async fn follow(self: &Arc<Self>, proved: Proved) {
        let this = Arc::clone(self);
        let mut begun = false;
        let (_link, running) = Link::new(proved, move |link, said| match said {
            ToFollower::Vault { texts, wanted, .. } => {
                *this.copy.lock() = Some(secrets::load(&texts).entered);
                this.wanted.store(wanted, Ordering::Relaxed);
            }
            ToFollower::Snapshot { snapshot } => {
                this.heard(*snapshot);
                if !std::mem::replace(&mut begun, true) {
                    this.take(Part::Following(Arc::clone(link)));
                    let _ = this.opened(Ok(OpenReport::empty(WindowRole::Follower)));
                }
            }
            ToFollower::Event { event } => this.events().pass_on(event),
            ToFollower::Reply { .. } => {}
        });
        running.await;
        self.take(Part::Waiting(EndpointView::Starting));
    }

    async fn lead(self: &Arc<Self>, lock: Option<Lock>, warning: Option<String>) -> Result<(), String> {
        let copied = self.copy.lock().clone();
        let followed = copied.is_some();
        let (entered, report) = match copied {
            Some(entered) => (entered, OpenReport::empty(WindowRole::Leader)),
            None => self.read_own().await?,
        };
        if followed {
            self.host.owe(Owed::Whole(Box::new(entered.clone())));
        }
        let copies = Copies::new(entered.clone(), self.wanted.load(Ordering::Relaxed));
        let core = self.open_core(entered, &copies)?;
        self.pass_on(&core);
        let leading = Leading::new(Arc::clone(&core), copies, lock, self.options.folder.clone());
        self.take(Part::Leading(Arc::clone(&leading)));
        let channel = leading.open_channel().await;
        for words in warning.into_iter().chain(channel.err()) {
            self.say(EventType::StateWarning, Level::Warn, words);
        }
        // Whoever opened this window starts the endpoint; nobody does when it has been open for some time.
        if let Err(Ok(report)) = self.opened(Ok(report)) {
            self.take_over(&leading, (!followed).then_some(report)).await;
        }
        Ok(())
    }

    async fn take_over(&self, leading: &Arc<Leading>, report: Option<OpenReport>) {
        if let Some(report) = report {
            self.host.tell(CoreMessage::Opened { report });
        }
        let words = "This window now serves the endpoint; the window before it closed.";
        self.say(EventType::EndpointChanged, Level::Info, words.to_owned());
        if self.wanted.load(Ordering::Relaxed) {
            leading.start(PORT_PATIENCE).await;
        }
        // Where the endpoint does not listen, too: this window's store is the one that lasts from now on.
        if let Err(error) = self.host.begin().await {
            let words = format!(
                "The keys and proxies are in use, but could not be stored by this window yet: {}",
                error.0
            );
            self.say(EventType::StateWarning, Level::Warn, words);
        }
    }

    async fn read_own(&self) -> Result<(Entered, OpenReport), String> {
        let stored = match &self.options.secrets {
            Some(secrets) => secrets.clone(),
            None => self.host.read().await?,
        };
        // Some secret stores keep a deleted secret as an empty one.
        let stored = stored.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        let found = legacy::read(&stored, SystemClock.now(), &mut fastrand::Rng::new());
        let Found { entered, warnings, notes, writes, settings: legacy_settings } = found;
        if let Some(hints) = &legacy_settings {
            hints.lay_under(&mut self.settings.lock().proxy);
        }
        self.host.owe(Owed::Writes(writes));
        Ok((entered, OpenReport { role: WindowRole::Leader, warnings, notes, legacy_settings }))
    }

    fn open_core(&self, entered: Entered, copies: &Arc<Copies>) -> Result<Arc<Core>, String> {
        let own = Arc::clone(&self.host) as Arc<dyn Vault>;
        Core::open(Opening {
            settings: self.settings.lock().clone(),
            entered,
            admin: AdminAccess::LocalToken,
            tokens: Tokens::File(self.options.token_file.clone()),
            vault: Arc::new(SharedVault { own, copies: Arc::clone(copies) }),
            store: self.options.store.clone(),
            config: None,
            extra_ca: self.options.extra_ca.clone(),
        })
        .map_err(|cannot| cannot.to_string())
    }

    /// What the core tells is what this window tells, until both are dropped.
    fn pass_on(self: &Arc<Self>, core: &Arc<Core>) {
        let mut events = core.state().events.subscribe();
        let mut changes = core.state().events.changes();
        let window = Arc::downgrade(self);
        self.tasks.lock().spawn(async move {
            loop {
                let event = tokio::select! {
                    event = events.recv() => event.map(Some),
                    changed = changes.changed() => match changed {
                        Ok(()) => Ok(None),
                        Err(_) => return,
                    },
                };
                let Some(window) = window.upgrade() else { return };
                match event {
                    Ok(Some(event)) => window.events().pass_on(event),
                    Ok(None) => window.events().touch(),
                    Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
                }
            }
        });
    }

    /// To this window alone.
    fn say(&self, kind: EventType, level: Level, words: String) {
        self.events().publish(Event::new(kind, level, SystemClock.now(), words));
    }
}

fn try_lead(folder: &Path) -> Option<Turn> {
    match take(&folder.join(LOCK)) {
        Taken::Mine(lock) => Some(Turn::Lead(Some(lock), None)),
        Taken::Held => None,
        Taken::Unavailable(why) => {
            let words = format!(
                "The folder {} gives no file locks ({why}): this window cannot see whether another one serves. Use one \
                 window at a time, or keep the editor's data on a local disk.",
                folder.display()
            );
            Some(Turn::Lead(None, Some(words)))
        }
    }
}

async fn until_leading(folder: &Path) -> Turn {
    loop {
        tokio::time::sleep(BETWEEN_TRIES).await;
        if let Some(turn) = try_lead(folder) {
            return turn;
        }
    }
}

fn other_version(other: &str) -> String {
    format!(
        "Another window runs version {other} of the Gemini API Key Aggregator, this one version {}. Reload this window \
         (\"Developer: Reload Window\"); if it says so again, reload the other windows.",
        crate::VERSION
    )
}

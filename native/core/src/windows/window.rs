//! One window as its host sees it: commands in, snapshots and events out, whether it leads or follows. Which of the two
//! it does, and when that changes, is `part`'s matter.
//!
//! Invariant: the revisions of this window's snapshots never go back, although each core counts from the beginning.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinSet;

use super::leading::Leading;
use super::link::{Link, NoAnswer};
use super::protocol::ToLeader;
use super::{WindowHost, read_command};
use crate::clock::SystemClock;
use crate::command::{Command, Refusal, RefusalCode, Reply};
use crate::events::EventManager;
use crate::pools::Pools;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::state::State;
use crate::store::StateStore;
use crate::token;
use crate::vault::Entered;
use crate::views::{EndpointView, Snapshot, snapshot};
use crate::wire::{CoreMessage, OpenReport, WindowRole};

/// How long opening, or a command, waits for this window to find its part.
const PATIENCE: Duration = Duration::from_secs(5);
/// Snapshots of the part before may still be on their way when a new part begins.
const GAP: u64 = 1_000;

pub struct Options {
    pub settings: Settings,
    /// Where the windows of one profile find each other; without it this window is alone and leads.
    pub folder: Option<PathBuf>,
    /// What the secret store holds; without it the host is asked when this window begins to lead.
    pub secrets: Option<HashMap<String, String>>,
    pub token_file: PathBuf,
    pub store: Option<Arc<dyn StateStore>>,
    pub extra_ca: Vec<PathBuf>,
}

pub(super) enum Part {
    /// Neither yet; the view says why.
    Waiting(EndpointView),
    Following(Arc<Link>),
    Leading(Arc<Leading>),
}

/// A part, and what is added to its revisions.
struct Term {
    base: u64,
    part: Part,
}

pub struct Window {
    pub(super) host: Arc<dyn WindowHost>,
    pub(super) options: Options,
    pub(super) settings: Mutex<Settings>,
    pub(super) settings_changed: Notify,
    /// The vault as the last leader gave it.
    pub(super) copy: Mutex<Option<Entered>>,
    /// The endpoint is meant to listen, as the last leader said.
    pub(super) wanted: AtomicBool,
    pub(super) tasks: Mutex<JoinSet<()>>,
    opening: Mutex<Option<oneshot::Sender<Result<OpenReport, String>>>>,
    newest: Mutex<Arc<Snapshot>>,
    events: EventManager,
    term: watch::Sender<Arc<Term>>,
    last_revision: AtomicU64,
}

impl Window {
    pub fn new(host: Arc<dyn WindowHost>, options: Options) -> Arc<Self> {
        let settings = options.settings.clone();
        let nothing = State::new(Pools::new(fastrand::Rng::new()), settings.clone(), Arc::new(SystemClock));
        let part = Part::Waiting(EndpointView::Starting);
        Arc::new(Self {
            host,
            options,
            settings: Mutex::new(settings),
            settings_changed: Notify::new(),
            copy: Mutex::default(),
            wanted: AtomicBool::new(true),
            tasks: Mutex::default(),
            opening: Mutex::default(),
            newest: Mutex::new(Arc::new(snapshot(&nothing, EndpointView::Stopped))),
            events: EventManager::default(),
            term: watch::Sender::new(Arc::new(Term { base: 0, part })),
            last_revision: AtomicU64::new(0),
        })
    }

    /// Finds this window's part. An error, when it ought to lead and cannot, is a sentence; nothing is held then. Must be
    /// called on a tokio runtime, once.
    pub async fn open(self: &Arc<Self>) -> Result<OpenReport, String> {
        let (first, found) = oneshot::channel();
        *self.opening.lock() = Some(first);
        let taking_part = Arc::clone(self).take_part();
        self.tasks.lock().spawn(taking_part);
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(Ok(report)) => report,
            Ok(Err(_)) => Err("The window was closed while it opened.".to_owned()),
            Err(_) => Ok(OpenReport::empty(WindowRole::Waiting)),
        }
    }

    pub fn events(&self) -> &EventManager {
        &self.events
    }

    pub fn snapshot(&self) -> Snapshot {
        let term = self.term.borrow().clone();
        let mut shown = match &term.part {
            Part::Leading(leading) => leading.core.snapshot(),
            Part::Following(_) => Snapshot::clone(&self.newest.lock().clone()),
            Part::Waiting(view) => {
                let newest = self.newest.lock().clone();
                Snapshot { revision: 0, endpoint: view.clone(), ..Snapshot::clone(&newest) }
            }
        };
        shown.revision += term.base;
        self.last_revision.fetch_max(shown.revision, Ordering::Relaxed);
        shown
    }

    /// JSON of EndpointView.
    pub async fn start_server(&self) -> String {
        self.steer(true).await
    }

    /// JSON of EndpointView.
    pub async fn stop_server(&self) -> String {
        self.steer(false).await
    }

    /// JSON of a Command in, JSON of a Reply out.
    pub async fn command(&self, text: &str) -> String {
        let command = match read_command(text) {
            Ok(command) => command,
            Err(refusal) => return json(&Reply::Refused(refusal)),
        };
        if let Command::ApplySettings { settings } = command {
            return json(&self.apply_settings(settings).await);
        }
        loop {
            match &self.settled().await.part {
                Part::Leading(leading) => return json(&leading.command(command).await),
                Part::Following(link) => {
                    let asked = link.ask(|ticket| ToLeader::Command { ticket, command: text.to_owned() });
                    match asked.await {
                        Ok(reply) => return reply,
                        Err(NoAnswer::NotAsked) => tokio::task::yield_now().await,
                        Err(NoAnswer::Lost) => return json(&Reply::Refused(lost())),
                    }
                }
                Part::Waiting(view) => return json(&Reply::Refused(nobody_leads(view))),
            }
        }
    }

    /// What a tool sends as its API key.
    pub fn local_token(&self) -> Option<Secret> {
        match &self.term.borrow().part {
            Part::Leading(leading) => leading.core.local_token(),
            // The leader may have made a new one.
            _ => token::load(&self.options.token_file),
        }
    }

    /// Lets go of everything; a window that leads saves first.
    pub async fn close(&self) {
        if !matches!(&self.term.borrow().part, Part::Leading(_)) {
            // From now on it takes no other part.
            self.end_tasks().await;
        }
        let term = self.term.borrow().clone();
        if let Part::Leading(leading) = &term.part {
            leading.close().await;
        }
        self.end_tasks().await;
        self.term.send_modify(|term| {
            *term = Arc::new(Term { base: term.base, part: Part::Waiting(EndpointView::Stopped) });
        });
    }

    async fn end_tasks(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        tasks.shutdown().await;
    }

    /// To whoever waits for this window to open; the report comes back when nobody does any more.
    pub(super) fn opened(
        &self,
        report: Result<OpenReport, String>,
    ) -> Result<(), Result<OpenReport, String>> {
        match self.opening.lock().take() {
            Some(waiting) => waiting.send(report),
            None => Err(report),
        }
    }

    pub(super) fn take(&self, part: Part) {
        let role = match &part {
            Part::Waiting(_) => WindowRole::Waiting,
            Part::Following(_) => WindowRole::Follower,
            Part::Leading(_) => WindowRole::Leader,
        };
        let base = self.last_revision.load(Ordering::Relaxed) + GAP;
        self.term.send_replace(Arc::new(Term { base, part }));
        self.host.tell(CoreMessage::Role { role });
        self.events.touch();
    }

    pub(super) fn is_waiting_with(&self, view: &EndpointView) -> bool {
        matches!(&self.term.borrow().part, Part::Waiting(shown) if shown == view)
    }

    pub(super) fn heard(&self, newest: Snapshot) {
        *self.newest.lock() = Arc::new(newest);
        self.events.touch();
    }

    /// The part once there is one; a waiting one when that takes too long.
    async fn settled(&self) -> Arc<Term> {
        let mut terms = self.term.subscribe();
        let settled = terms.wait_for(|term| match &term.part {
            Part::Waiting(_) => false,
            // It has ended, and the next part is about to begin.
            Part::Following(link) => !link.has_ended(),
            Part::Leading(_) => true,
        });
        let found = tokio::time::timeout(PATIENCE, settled).await;
        match found {
            Ok(Ok(term)) => Arc::clone(&term),
            _ => self.term.borrow().clone(),
        }
    }

    async fn steer(&self, start: bool) -> String {
        let term = self.settled().await;
        match &term.part {
            Part::Leading(leading) => json(&match start {
                true => leading.start(Duration::ZERO).await,
                false => leading.stop().await,
            }),
            Part::Following(link) => {
                let asked = link.ask(|ticket| match start {
                    true => ToLeader::Start { ticket },
                    false => ToLeader::Stop { ticket },
                });
                asked.await.unwrap_or_else(|_| json(&self.snapshot().endpoint))
            }
            Part::Waiting(view) => json(view),
        }
    }

    /// Every window hears of changed settings from the editor; one that does not lead keeps them for when it does.
    async fn apply_settings(&self, settings: Box<Settings>) -> Reply {
        if let Some(problem) = settings.problems().into_iter().next() {
            return Reply::Refused(Refusal::invalid(&problem.path, problem.message));
        }
        let term = self.term.borrow().clone();
        let reply = match &term.part {
            Part::Leading(leading) => {
                leading.command(Command::ApplySettings { settings: settings.clone() }).await
            }
            _ => Reply::done("The settings are applied.".to_owned()),
        };
        *self.settings.lock() = *settings;
        self.settings_changed.notify_one();
        reply
    }
}

fn lost() -> Refusal {
    let words = "The window that serves the endpoint closed before it answered. The change may or may not have been made: \
                 look, and try again if it was not.";
    Refusal::new(RefusalCode::Failed, words)
}

fn nobody_leads(view: &EndpointView) -> Refusal {
    let words = match view {
        EndpointView::Failed { message } => message.clone(),
        _ => "No window serves the endpoint now. Nothing was changed; try again in a moment.".to_owned(),
    };
    Refusal::new(RefusalCode::Failed, words)
}

fn json<T: Serialize>(value: &T) -> String {
    // Plain data with text keys: writing it cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

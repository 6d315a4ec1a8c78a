//! The whole core behind one handle: opens with what a host gives it, serves the endpoint, carries out commands
//! and shows snapshots. Hosts (the addon, the headless program) talk to this and to nothing else.
//!
//! Invariant: a change is computed on a copy, saved in the vault, and only then taken over; commands that change
//! something go one after another.

mod backups;
mod changes;
mod commands;
mod edit;
mod keeping;
mod key_lists;
mod listening;
mod lists;
mod many;
mod moves;
mod moving;
mod probes;
pub mod reload;
mod returns;
mod rotating;
mod stages;
mod testing;
mod undo;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::clock::{Clock, SystemClock};
use crate::dispatch::CurrentForwarder;
use crate::events::{Event, EventType, Level};
use crate::forward::GoogleApiForwarder;
use crate::forward::tls::TlsRoots;
use crate::pools::Pools;
use crate::secret::Secret;
use crate::server::Endpoint;
use crate::server::guard::AdminAccess;
use crate::server::uploads::Uploads;
use crate::settings::{Problem, Settings};
use crate::state::State;
use crate::store::StateStore;
use crate::token;
use crate::vault::{Entered, Vault};
use crate::views::{EndpointView, Snapshot, snapshot};
use keeping::Copied;
use reload::ConfigSource;
use undo::Removals;

/// Where the local tokens come from.
pub enum Tokens {
    /// One token in a file that only its owner reads; made when absent, rotated by command.
    File(PathBuf),
    /// Given by the configuration.
    Given(Vec<Secret>),
}

/// What a host opens the core with.
pub struct Opening {
    pub settings: Settings,
    pub entered: Entered,
    pub tokens: Tokens,
    pub admin: AdminAccess,
    pub vault: Arc<dyn Vault>,
    /// Where learned state is kept; without one a restart forgets it.
    pub store: Option<Arc<dyn StateStore>>,
    /// Where the configuration can be read anew; without one there is nothing to reload.
    pub config: Option<Arc<dyn ConfigSource>>,
    /// More certificate authorities to trust, beside `upstream.caFile` (Node's NODE_EXTRA_CA_CERTS, say).
    pub extra_ca: Vec<PathBuf>,
}

/// Why the core cannot open: the wrong values with their places, as sentences.
#[derive(Debug)]
pub struct CannotOpen(pub Vec<Problem>);

impl std::fmt::Display for CannotOpen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> =
            self.0.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for CannotOpen {}

pub struct Aggregator {
    state: Arc<State>,
    vault: Arc<dyn Vault>,
    store: Option<Arc<dyn StateStore>>,
    /// What was kept has been taken over.
    loaded: AtomicBool,
    /// Saves begun, and the newest of them that reached the store: they go one after another and never backwards.
    saves: AtomicU64,
    saving: Arc<Mutex<u64>>,
    /// What was copied for the last save.
    copied: Mutex<Copied>,
    config: Option<Arc<dyn ConfigSource>>,
    extra_ca: Vec<PathBuf>,
    token_file: RwLock<Option<PathBuf>>,
    tokens: RwLock<Vec<Secret>>,
    admin: RwLock<AdminAccess>,
    forwarder: CurrentForwarder,
    uploads: Arc<Uploads>,
    /// What the vault holds; keys placed or moved by themselves are saved after the fact.
    saved: Mutex<Entered>,
    /// What may be brought back.
    removals: Mutex<Removals>,
    /// Changes go one after another; starting and stopping likewise.
    editing: tokio::sync::Mutex<()>,
    endpoint: tokio::sync::Mutex<Option<Endpoint>>,
    /// Endpoints of addresses that were left, as long as requests there are under way.
    leaving: tokio::sync::Mutex<JoinSet<()>>,
    view: Mutex<EndpointView>,
    /// The proxies were edited: new ones want a probe.
    pool_changed: Notify,
    /// Probes, returns and the keeping of what was learned; they run from the first time the endpoint listens.
    watching: Mutex<JoinSet<()>>,
}

impl Aggregator {
    /// Checks the settings, reads certificates and token, places keys without a proxy. Must be called on a tokio
    /// runtime, which then carries the probes.
    pub fn open(opening: Opening) -> Result<Arc<Self>, CannotOpen> {
        Self::open_at(opening, Arc::new(SystemClock), fastrand::Rng::new())
    }

    fn open_at(opening: Opening, clock: Arc<dyn Clock>, rng: fastrand::Rng) -> Result<Arc<Self>, CannotOpen> {
        let problems = opening.settings.problems();
        if !problems.is_empty() {
            return Err(CannotOpen(problems));
        }
        let (forwarder, warning) =
            forwarder(&opening.settings, &opening.extra_ca).map_err(|one| CannotOpen(vec![one]))?;
        let (tokens, token_file) = load_tokens(&opening.tokens).map_err(|one| CannotOpen(vec![one]))?;
        let mut pools = Pools::new(rng);
        pools.adopt(opening.entered.clone());
        pools.settle_assignments(&opening.settings, clock.now());
        let state = State::new(pools, opening.settings, clock);
        if let Some(words) = warning {
            state.events.publish(Event::new(EventType::StateWarning, Level::Warn, state.now(), words));
        }
        let this = Arc::new(Self {
            state,
            vault: opening.vault,
            store: opening.store,
            loaded: AtomicBool::new(false),
            saves: AtomicU64::new(0),
            saving: Arc::default(),
            config: opening.config,
            copied: Mutex::default(),
            extra_ca: opening.extra_ca,
            token_file: RwLock::new(token_file),
            tokens: RwLock::new(tokens),
            admin: RwLock::new(opening.admin),
            forwarder: Arc::new(RwLock::new(Arc::new(forwarder))),
            uploads: Arc::default(),
            saved: Mutex::new(opening.entered),
            removals: Mutex::default(),
            editing: tokio::sync::Mutex::default(),
            endpoint: tokio::sync::Mutex::default(),
            leaving: tokio::sync::Mutex::default(),
            view: Mutex::new(EndpointView::Stopped),
            pool_changed: Notify::new(),
            watching: Mutex::default(),
        });
        Ok(this)
    }

    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    pub fn snapshot(&self) -> Snapshot {
        snapshot(&self.state, self.view.lock().clone())
    }

    /// The token a tool sends as its API key; the first of several. `None` when none is configured.
    pub fn local_token(&self) -> Option<Secret> {
        self.tokens.read().first().cloned()
    }

    /// Stops the endpoint and the probes, saves what was learned and lets go of every idle connection.
    pub async fn close(&self) {
        self.stop_server().await;
        // Not before: what is learned by the last requests is kept like everything else.
        self.watching.lock().abort_all();
        self.keep_at_the_end().await;
        self.forwarder().clients().retain(|_, _| false);
    }

    fn forwarder(&self) -> Arc<GoogleApiForwarder> {
        self.forwarder.read().clone()
    }
}

/// Certificates are read here, and only when the upstream settings are new.
fn forwarder(
    settings: &Settings,
    extra_ca: &[PathBuf],
) -> Result<(GoogleApiForwarder, Option<String>), Problem> {
    let own = settings.upstream.ca_file.as_ref().map(|path| Path::new(path).to_path_buf());
    let files: Vec<PathBuf> = own.into_iter().chain(extra_ca.iter().cloned()).collect();
    let roots = TlsRoots::load(&files).map_err(|error| Problem::new("upstream.caFile", error.to_string()))?;
    let warning = roots.warning().map(str::to_owned);
    let forwarder = GoogleApiForwarder::new(&settings.upstream, &roots)
        .map_err(|error| Problem::new(error.path, error.message))?;
    Ok((forwarder, warning))
}

fn load_tokens(tokens: &Tokens) -> Result<(Vec<Secret>, Option<PathBuf>), Problem> {
    match tokens {
        Tokens::Given(tokens) => Ok((tokens.clone(), None)),
        Tokens::File(path) => match token::load_or_create(path) {
            Ok(token) => Ok((vec![token], Some(path.clone()))),
            Err(error) => {
                let words = format!(
                    "The file for the local token can neither be read nor made: {error}. Check its folder."
                );
                Err(Problem::new("token_file", words))
            }
        },
    }
}

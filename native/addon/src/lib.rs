//! The core as a Node-API addon: JSON text in, JSON text out, one callback for everything the core has to say.
//! It converts and never decides. Each `Aggregator` owns a tokio runtime of its own and nothing is process-wide, so
//! the addon may be loaded twice; it ends with its environment.
//!
//! Invariant: no panic crosses into Node: sync functions catch unwinds, async ones reject their promise.

mod messages;
mod vault;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aggregator_core::aggregator::{Aggregator as Core, Opening, Tokens};
use aggregator_core::clock::{Clock, SystemClock};
use aggregator_core::command::{Command, Refusal, RefusalCode, Reply};
use aggregator_core::server::guard::AdminAccess;
use aggregator_core::store::json_file::JsonFile;
use aggregator_core::vault::legacy::{self, Found};
use aggregator_core::vault::secrets;
use aggregator_core::wire::{OpenOptions, OpenReport};
use napi::bindgen_prelude::Function;
use napi::{Env, Error, Result, Status};
use napi_derive::napi;
use parking_lot::{Mutex, RwLock};
use tokio::runtime::{Handle, Runtime};

use messages::{Callback, Outlet};
use vault::SecretVault;

/// How long the end of the environment may wait for open connections to be dropped.
const LAST_GRACE: Duration = Duration::from_millis(500);
/// Requests are I/O; more threads would take cores from the editor.
const THREADS: usize = 2;

/// What outlives a single call; the clean-up hook holds it weakly.
struct Inner {
    runtime: Mutex<Option<Runtime>>,
    core: RwLock<Option<Arc<Core>>>,
    vault: Arc<SecretVault>,
    outlet: Outlet,
}

#[napi]
pub struct Aggregator {
    inner: Arc<Inner>,
}

#[napi]
impl Aggregator {
    /// `onMessages` gets a JSON array of CoreMessage, at most four times a second; the first of a quiet time at once.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, on_messages: Function<'_, String, ()>) -> Result<Self> {
        let callback: Callback = on_messages.build_threadsafe_function().weak::<true>().build()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("gemini-aggregator")
            .enable_all()
            .build()
            .map_err(|error| failure(format!("The core cannot start its threads: {error}.")))?;
        let outlet = Outlet::new(callback);
        let vault = Arc::new(SecretVault::new(outlet.writes()));
        let inner =
            Arc::new(Inner { runtime: Mutex::new(Some(runtime)), core: RwLock::new(None), vault, outlet });
        let weak = Arc::downgrade(&inner);
        env.add_env_cleanup_hook(weak, |weak| {
            if let Some(inner) = weak.upgrade() {
                inner.end(LAST_GRACE);
            }
        })?;
        Ok(Self { inner })
    }

    /// Names of the secrets to read, given those read so far by name: ask again until no name is new.
    #[napi(catch_unwind)]
    pub fn secret_names(known: Option<HashMap<String, String>>) -> Vec<String> {
        secrets::secret_names(&that_exist(known.unwrap_or_default()))
    }

    /// Takes JSON of OpenOptions and loads the vault. Resolves to JSON of OpenReport; rejects when the settings
    /// are invalid.
    #[napi]
    pub async fn open(&self, options_json: String) -> Result<String> {
        let inner = Arc::clone(&self.inner);
        self.on_runtime(async move { inner.open(&options_json) }).await?
    }

    /// Resolves to JSON of EndpointView. A taken port is kind "elsewhere" or "failed", not a rejection.
    #[napi]
    pub async fn start_server(&self) -> Result<String> {
        let core = self.core()?;
        let view = self.on_runtime(async move { core.start_server().await }).await?;
        json(&view)
    }

    /// Resolves to JSON of EndpointView.
    #[napi]
    pub async fn stop_server(&self) -> Result<String> {
        let core = self.core()?;
        let view = self.on_runtime(async move { core.stop_server().await }).await?;
        json(&view)
    }

    /// JSON of Command in, JSON of Reply out.
    #[napi]
    pub async fn command(&self, command_json: String) -> Result<String> {
        let core = self.core()?;
        let reply = match serde_json::from_str::<Command>(&command_json) {
            Ok(command) => self.on_runtime(async move { core.command(command).await }).await?,
            // Without the parser's own words: they may quote a key.
            Err(_) => Reply::Refused(Refusal::new(
                RefusalCode::Invalid,
                "The command, or one of its values, has not the expected form.",
            )),
        };
        json(&reply)
    }

    /// JSON of Snapshot.
    #[napi(catch_unwind)]
    pub fn snapshot(&self) -> Result<String> {
        json(&self.core()?.snapshot())
    }

    /// What a tool sends as its API key; empty when there is none.
    #[napi(catch_unwind)]
    pub fn local_token(&self) -> Result<String> {
        Ok(self.core()?.local_token().map(|token| token.expose().to_owned()).unwrap_or_default())
    }

    /// The host has carried out the writes of this ticket, or could not.
    #[napi(catch_unwind)]
    pub fn vault_written(&self, ticket: u32, error: Option<String>) {
        self.inner.vault.written(ticket, error);
    }

    /// Stops the server and lets go of everything. Idempotent.
    #[napi]
    pub async fn close(&self) -> Result<()> {
        let core = self.inner.core.write().take();
        if let Some(core) = core {
            self.on_runtime(async move { core.close().await }).await?;
        }
        self.inner.end(Duration::ZERO);
        Ok(())
    }

    fn core(&self) -> Result<Arc<Core>> {
        self.inner.core.read().clone().ok_or_else(|| failure("The core is not open.".to_owned()))
    }

    /// Runs on the aggregator's own runtime; napi's only waits.
    async fn on_runtime<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T> {
        let handle: Option<Handle> =
            self.inner.runtime.lock().as_ref().map(|runtime| runtime.handle().clone());
        let handle = handle.ok_or_else(|| failure("The core is closed.".to_owned()))?;
        handle.spawn(work).await.map_err(|error| {
            failure(match error.is_cancelled() {
                true => "The core was closed before this was done.".to_owned(),
                false => format!("The core failed inside: {error}."),
            })
        })
    }
}

impl Inner {
    fn open(&self, options_json: &str) -> Result<String> {
        // Without the parser's own words: the options hold secrets.
        let options: OpenOptions = serde_json::from_str(options_json)
            .map_err(|error| failure(format!("The options cannot be read at column {}.", error.column())))?;
        let mut rng = fastrand::Rng::new();
        let found = legacy::read(&that_exist(options.secrets), SystemClock.now(), &mut rng);
        let mut settings = options.settings;
        if let Some(hints) = &found.settings {
            hints.lay_under(&mut settings.proxy);
        }
        self.vault.owe(found.writes);
        let core = Core::open(Opening {
            settings,
            entered: found.entered,
            admin: AdminAccess::LocalToken,
            tokens: Tokens::File(PathBuf::from(options.token_file)),
            vault: Arc::clone(&self.vault) as Arc<_>,
            store: options.state_file.map(|path| Arc::new(JsonFile::new(path)) as Arc<_>),
            extra_ca: options.extra_ca_file.map(PathBuf::from).into_iter().collect(),
        })
        .map_err(|cannot| failure(cannot.to_string()))?;
        self.outlet.follow(&core);
        *self.core.write() = Some(core);
        let Found { warnings, notes, settings: legacy_settings, .. } = found;
        json(&OpenReport { warnings, notes, legacy_settings })
    }

    /// Drops the core and its threads; sockets close with them.
    fn end(&self, wait: Duration) {
        drop(self.core.write().take());
        let runtime = self.runtime.lock().take();
        if let Some(runtime) = runtime {
            if wait.is_zero() {
                runtime.shutdown_background();
            } else {
                runtime.shutdown_timeout(wait);
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

/// Empty texts count as absent: some secret stores keep a deleted secret as an empty one.
fn that_exist(secrets: HashMap<String, String>) -> HashMap<String, String> {
    secrets.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| failure(format!("The answer cannot be written: {error}.")))
}

fn failure(words: String) -> Error {
    Error::new(Status::GenericFailure, words)
}

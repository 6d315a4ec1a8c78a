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

use aggregator_core::store::falling_back::FallingBack;
use aggregator_core::vault::secrets;
use aggregator_core::windows::{Options, Window};
use aggregator_core::wire::OpenOptions;
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
    window: RwLock<Option<Arc<Window>>>,
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
        let vault = Arc::new(SecretVault::new(outlet.sender()));
        let inner =
            Arc::new(Inner { runtime: Mutex::new(Some(runtime)), window: RwLock::new(None), vault, outlet });
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

    /// Takes JSON of OpenOptions and finds this window's part: to lead, with the vault it is given or asks for, or to
    /// follow the window that leads. Resolves to JSON of OpenReport; rejects when it ought to lead and cannot, because the
    /// settings are invalid, say.
    #[napi]
    pub async fn open(&self, options_json: String) -> Result<String> {
        let inner = Arc::clone(&self.inner);
        self.on_runtime(async move { inner.open(&options_json).await }).await?
    }

    /// Starts the one endpoint of all windows. Resolves to JSON of EndpointView. A taken port is kind "failed", not a
    /// rejection.
    #[napi]
    pub async fn start_server(&self) -> Result<String> {
        let window = self.window()?;
        self.on_runtime(async move { window.start_server().await }).await
    }

    /// Resolves to JSON of EndpointView.
    #[napi]
    pub async fn stop_server(&self) -> Result<String> {
        let window = self.window()?;
        self.on_runtime(async move { window.stop_server().await }).await
    }

    /// JSON of Command in, JSON of Reply out.
    #[napi]
    pub async fn command(&self, command_json: String) -> Result<String> {
        let window = self.window()?;
        self.on_runtime(async move { window.command(&command_json).await }).await
    }

    /// JSON of Snapshot.
    #[napi(catch_unwind)]
    pub fn snapshot(&self) -> Result<String> {
        json(&self.window()?.snapshot())
    }

    /// What a tool sends as its API key; empty when there is none.
    #[napi(catch_unwind)]
    pub fn local_token(&self) -> Result<String> {
        Ok(self.window()?.local_token().map(|token| token.expose().to_owned()).unwrap_or_default())
    }

    /// The host has carried out the writes of this ticket, or could not.
    #[napi(catch_unwind)]
    pub fn vault_written(&self, ticket: u32, error: Option<String>) {
        self.inner.vault.written(ticket, error);
    }

    /// The host has read what `secretNames` names, for this ticket, or could not.
    #[napi(catch_unwind)]
    pub fn vault_read(&self, ticket: u32, secrets: Option<HashMap<String, String>>, error: Option<String>) {
        let read =
            secrets.ok_or_else(|| error.unwrap_or_else(|| "The secrets could not be read.".to_owned()));
        self.inner.vault.was_read(ticket, read);
    }

    /// Lets go of everything; a window that leads stops the server and saves first. Idempotent.
    #[napi]
    pub async fn close(&self) -> Result<()> {
        let window = self.inner.window.read().clone();
        if let Some(window) = window {
            // Writes of the last moment still find their way to the host.
            self.on_runtime(async move { window.close().await }).await?;
        }
        drop(self.inner.window.write().take());
        self.inner.end(Duration::ZERO);
        Ok(())
    }

    fn window(&self) -> Result<Arc<Window>> {
        self.inner.window.read().clone().ok_or_else(|| failure("The core is not open.".to_owned()))
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
    async fn open(&self, options_json: &str) -> Result<String> {
        // Without the parser's own words: the options hold secrets.
        let options: OpenOptions = serde_json::from_str(options_json)
            .map_err(|error| failure(format!("The options cannot be read at column {}.", error.column())))?;
        let window = Window::new(
            Arc::clone(&self.vault) as Arc<_>,
            Options {
                settings: options.settings,
                folder: options.windows_folder.map(PathBuf::from),
                secrets: options.secrets.map(that_exist),
                token_file: PathBuf::from(options.token_file),
                store: options.state_file.map(|path| Arc::new(FallingBack::beside(path)) as Arc<_>),
                extra_ca: options.extra_ca_file.map(PathBuf::from).into_iter().collect(),
            },
        );
        self.outlet.follow(&window);
        let report = window.open().await.map_err(failure)?;
        *self.window.write() = Some(window);
        json(&report)
    }

    /// Drops the core and its threads; sockets close with them.
    fn end(&self, wait: Duration) {
        drop(self.window.write().take());
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

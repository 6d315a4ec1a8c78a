//! `gemini-aggregator`: the core without an editor. It reads the configuration, opens the core, prints where it
//! listens and stops on a signal. All behaviour of requests is the core's.

mod claim;
mod cleaning;
mod config;
mod logging;
mod process;
mod reading;
mod shape;
mod signals;
mod source;
mod tree;
mod vault;
mod watch;
mod wording;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use aggregator_core::aggregator::reload::ConfigSource;
use aggregator_core::aggregator::{Aggregator, Opening, Tokens};
use aggregator_core::metrics::{HostFigure, HostFigures, Kind};
use aggregator_core::server::guard::AdminAccess;
use aggregator_core::store::StateStore;
use aggregator_core::store::falling_back::FallingBack;
use aggregator_core::views::EndpointView;
use clap::{Parser, Subcommand};
use cleaning::Known;
use logging::Log;
use reading::{Line, Ready};
use signals::{Hangup, Signals};
use source::FileAndEnvironment;
use tokio::task::JoinSet;
use vault::HeadlessVault;

/// A request makes about a hundred small allocations, of many sizes and lifetimes. This allocator takes little time for
/// them and keeps little of what is given back, over hours, too.
#[cfg(all(feature = "jemalloc", not(target_env = "msvc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[derive(Parser)]
#[command(
    name = "gemini-aggregator",
    version,
    about = "Your Gemini API keys, each behind its own proxy, as one local endpoint."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Open the endpoint and serve until SIGINT or SIGTERM.
    Serve {
        /// The YAML file; config/keys.yaml when it is there.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// The address to listen on.
        #[arg(long, value_name = "H")]
        host: Option<String>,
        /// The port to listen on; 0 takes a free one.
        #[arg(long, value_name = "N")]
        #[arg(value_parser = clap::value_parser!(u32).range(0..=65_535))]
        port: Option<u32>,
    },
    /// Print every problem of the configuration with its place.
    Check {
        /// The YAML file; config/keys.yaml when it is there.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve { config, host, port } => serve(&Line { file: config, host, port }),
        Command::Check { config } => {
            check(&Line { file: config, ..Line::default() }).map(|()| ExitCode::SUCCESS)
        }
    };
    match result {
        Ok(code) => code,
        Err(words) => {
            let _ = writeln!(std::io::stderr(), "{words}");
            ExitCode::FAILURE
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn check(line: &Line) -> Result<(), String> {
    let ready = reading::read(line, variable).map_err(|problems| problems.to_string())?;
    let file = ready
        .file
        .map_or_else(|| "the defaults and the environment".to_owned(), |path| path.display().to_string());
    let (keys, proxies) = (ready.entered.keys.len(), ready.entered.proxies.len());
    let mut lines = vec![format!("No problems in {file}. Keys: {keys}, proxies: {proxies}.")];
    lines.extend(ready.warnings);
    writeln!(std::io::stdout(), "{}", lines.join("\n")).map_err(|error| error.to_string())
}

fn serve(line: &Line) -> Result<ExitCode, String> {
    let seen = watch::look(line.path());
    let ready = reading::read(line, variable).map_err(|problems| problems.to_string())?;
    let started = SystemTime::now();
    let (log, set_level) = logging::init(&ready.config.log);
    ready.access_tokens.iter().chain(&ready.admin_token).for_each(|token| log.known.add(token));
    for words in &ready.warnings {
        tracing::warn!("{words}");
    }
    let source =
        FileAndEnvironment::new(line.clone(), seen, ready.config.clone(), set_level, log.known.clone());
    let runtime = runtime()
        .enable_all()
        .build()
        .map_err(|error| format!("The program cannot start its threads: {error}."))?;
    let _claim = ready.state.as_ref().map(claim::claim).transpose()?;
    let store = ready.state.as_ref().map(|files| Arc::new(FallingBack::new(&files.sqlite, &files.json)));
    let host = host_figures(&log, started, store.clone());
    let store = store.map(|store| store as Arc<dyn StateStore>);
    let file = line.path().to_path_buf();
    let ended = runtime.block_on(run(ready, source, file, store, host, log.known.clone()));
    // Whatever still hangs at a disk is not waited for.
    runtime.shutdown_background();
    ended
}

/// On a single core, one thread for all: handing tasks to a worker that shares the core costs and gains nothing.
fn runtime() -> tokio::runtime::Builder {
    match std::thread::available_parallelism() {
        Ok(cores) if cores.get() == 1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    }
}

async fn run(
    ready: Ready,
    source: Arc<FileAndEnvironment>,
    file: PathBuf,
    store: Option<Arc<dyn StateStore>>,
    host: HostFigures,
    known: Known,
) -> Result<ExitCode, String> {
    let tokens = source::tokens(&ready);
    if let Tokens::File(path) = &tokens {
        tracing::info!("no access token is configured; tools use the one in {}", path.display());
    }
    let (vault, entered, warning) = HeadlessVault::open(store.clone(), &ready.entered);
    if let Some(words) = warning {
        tracing::error!("{words}");
    }
    let aggregator = Aggregator::open(Opening {
        settings: ready.settings,
        entered,
        tokens,
        admin: AdminAccess::Own(ready.admin_token),
        vault: Arc::new(vault),
        store,
        config: Some(Arc::clone(&source) as Arc<dyn ConfigSource>),
        extra_ca: Vec::new(),
    })
    .map_err(|cannot| cannot.to_string())?;
    let _ = aggregator.state().host.set(host);
    let mut signals =
        Signals::new().map_err(|error| format!("The program cannot listen for signals: {error}."))?;
    let (end_log, log_ends) = tokio::sync::oneshot::channel();
    aggregator.local_token().iter().for_each(|token| known.add(token));
    let state = Arc::clone(aggregator.state());
    let events = state.events.subscribe_notable();
    let followed = tokio::spawn(logging::follow(state, events, known, log_ends));
    match aggregator.start_server().await {
        EndpointView::Listening { url, .. } => {
            let mut out = std::io::stdout();
            let _ = writeln!(out, "listening on {url}").and_then(|()| out.flush());
        }
        EndpointView::Failed { message } => return Err(message),
        EndpointView::Stopped | EndpointView::Starting => {
            return Err("The endpoint did not start.".to_owned());
        }
    }
    let mut reloading = JoinSet::new();
    reloading.spawn(watch::watch(file, source, Arc::clone(&aggregator)));
    reloading.spawn(reload_when_asked(signals.hangup, Arc::clone(&aggregator)));
    signals.stop.next().await;
    reloading.abort_all();
    tracing::info!("stopping: requests under way may finish; a second signal ends them at once");
    let code = tokio::select! {
        () = aggregator.close() => 0,
        code = signals.stop.next() => code,
    };
    if code != 0 {
        tracing::warn!("stopped at once by a second signal: requests under way were cut off");
    }
    let _ = end_log.send(());
    let _ = followed.await;
    Ok(ExitCode::from(code))
}

/// What the core's metrics say of this program beside what the core counts.
fn host_figures(log: &Log, started: SystemTime, store: Option<Arc<FallingBack>>) -> HostFigures {
    let dropped = log.dropped();
    Box::new(move || {
        let mut figures = process::figures(started);
        figures.push(HostFigure {
            name: "gemini_aggregator_log_lines_dropped",
            help: "Log lines that were lost because nobody read the log.",
            kind: Kind::Counter,
            value: dropped() as f64,
        });
        figures.extend(store.as_ref().map(|store| HostFigure {
            name: "gemini_aggregator_state_store_failing",
            help: "1 while what is learned cannot be kept in the database; a JSON file stands in where it can.",
            kind: Kind::Gauge,
            value: f64::from(u8::from(store.is_failing())),
        }));
        figures
    })
}

async fn reload_when_asked(mut hangup: Hangup, aggregator: Arc<Aggregator>) {
    loop {
        hangup.next().await;
        // What came of it is told as an event.
        let _ = aggregator.reload().await;
    }
}

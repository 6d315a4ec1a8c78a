//! `gemini-aggregator`: the core without an editor. It reads the configuration, opens the core, prints where it
//! listens and stops on a signal. All behaviour of requests is the core's.

mod cleaning;
mod config;
mod logging;
mod places;
mod process;
mod reading;
mod wording;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use aggregator_core::aggregator::{Aggregator, Opening, Tokens};
use aggregator_core::metrics::{HostFigure, HostFigures, Kind};
use aggregator_core::server::guard::AdminAccess;
use aggregator_core::settings::LocalAuth;
use aggregator_core::store::StateStore;
use aggregator_core::store::falling_back::FallingBack;
use aggregator_core::vault::DeclaredVault;
use aggregator_core::views::EndpointView;
use clap::{Parser, Subcommand};
use logging::Log;
use reading::{Line, Ready};

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
        Command::Check { config } => check(&Line { file: config, ..Line::default() }),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
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

fn serve(line: &Line) -> Result<(), String> {
    let ready = reading::read(line, variable).map_err(|problems| problems.to_string())?;
    let started = SystemTime::now();
    let (log, _set_level) = logging::init(&ready.config.log);
    ready.access_tokens.iter().chain(&ready.admin_token).for_each(|token| log.known.add(token));
    for words in &ready.warnings {
        tracing::warn!("{words}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("The program cannot start its threads: {error}."))?;
    runtime.block_on(run(ready, &log, started))
}

async fn run(ready: Ready, log: &Log, started: SystemTime) -> Result<(), String> {
    let tokens = tokens(&ready);
    let store =
        ready.state.map(|state| Arc::new(FallingBack::new(state.sqlite, state.json)) as Arc<dyn StateStore>);
    let aggregator = Aggregator::open(Opening {
        settings: ready.settings,
        entered: ready.entered,
        tokens,
        admin: AdminAccess::Own(ready.admin_token),
        vault: Arc::new(DeclaredVault),
        store,
        extra_ca: Vec::new(),
    })
    .map_err(|cannot| cannot.to_string())?;
    let _ = aggregator.state().host.set(host_figures(log, started));
    let mut signals =
        StopSignals::new().map_err(|error| format!("The program cannot listen for signals: {error}."))?;
    let (end_log, log_ends) = tokio::sync::oneshot::channel();
    aggregator.local_token().iter().for_each(|token| log.known.add(token));
    let state = Arc::clone(aggregator.state());
    let events = state.events.subscribe();
    let followed = tokio::spawn(logging::follow(state, events, log.known.clone(), log_ends));
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
    signals.next().await;
    tokio::select! {
        () = aggregator.close() => {}
        // Asked twice: requests under way are not waited for any longer.
        () = signals.next() => {}
    }
    let _ = end_log.send(());
    let _ = followed.await;
    Ok(())
}

/// What the core's metrics say of this program beside what the core counts.
fn host_figures(log: &Log, started: SystemTime) -> HostFigures {
    let dropped = log.dropped();
    Box::new(move || {
        let mut figures = process::figures(started);
        figures.push(HostFigure {
            name: "gemini_aggregator_log_lines_dropped",
            help: "Log lines that were lost because nobody read the log.",
            kind: Kind::Counter,
            value: dropped() as f64,
        });
        figures
    })
}

/// The configured tokens; without any, one in a file of its own, so that the endpoint is never open by omission.
/// Beyond loopback a token must be configured.
fn tokens(ready: &Ready) -> Tokens {
    let wanted = ready.settings.server.local_auth == LocalAuth::Token && ready.access_tokens.is_empty();
    if wanted && reading::is_loopback(&ready.settings.server.host) {
        tracing::info!("no access token is configured; tools use the one in {}", ready.token_file.display());
        return Tokens::File(ready.token_file.clone());
    }
    Tokens::Given(ready.access_tokens.clone())
}

/// The signals that ask the program to stop. Listened for from `new` on, so that one that comes before the program
/// waits for it is not lost, nor takes it down without a save.
struct StopSignals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl StopSignals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

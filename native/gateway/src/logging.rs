//! Log lines of the headless program: the core's events and its own messages, as JSON or text on stderr, cleaned by
//! `cleaning` on their way. At `info` the log is quiet: a request that went well is a `debug` message of the core, none of
//! the events followed here. Standard output
//! belongs to the one line that says where the program listens.
//!
//! Invariant: a reader of stderr that stops reading costs log lines, never a request: a thread of its own writes.

use std::sync::Arc;

use aggregator_core::events::{self, Event, EventType};
use aggregator_core::state::State;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::oneshot;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cleaning::{Cleaning, Known};
use crate::config::{LogFormat, LogLevel, LogSection};

/// Lines that wait to be written; more are lost and counted. Their room is taken at the start: the library's own choice of
/// 128,000 was a third of all the memory of an idle program.
const MOST_LINES: usize = 16_384;

/// Sets the level of the lines that are written from now on; for the reload of the configuration.
pub type SetLevel = Box<dyn Fn(LogLevel) + Send + Sync>;

/// The log in force: it writes out what is left when it is dropped, for a second at the most.
pub struct Log {
    /// What no line shows.
    pub known: Known,
    dropped: ErrorCounter,
    _written_out: WorkerGuard,
}

impl Log {
    /// Counts the lines that were lost because nobody read the log.
    pub fn dropped(&self) -> impl Fn() -> usize + Send + Sync + use<> {
        let dropped = self.dropped.clone();
        move || dropped.dropped_lines()
    }
}

pub fn init(section: &LogSection) -> (Log, SetLevel) {
    let known = Known::default();
    let lines = NonBlockingBuilder::default().buffered_lines_limit(MOST_LINES);
    let (writer, guard) = lines.finish(Cleaning::new(std::io::stderr(), known.clone()));
    let log = Log { known, dropped: writer.error_counter(), _written_out: guard };
    let (level, handle) = reload::Layer::new(filter(section.level));
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let registry = tracing_subscriber::registry().with(level);
    // A second initialisation can only happen in a test; the first one stays.
    let _ = match section.format {
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
        LogFormat::Text => registry.with(lines.with_ansi(false)).try_init(),
    };
    (log, Box::new(move |level| drop(handle.reload(filter(level)))))
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

/// Writes every notable event until the core is gone, or until `ends` and all that happened before is written.
pub async fn follow(
    state: Arc<State>,
    mut events: Receiver<Arc<Event>>,
    known: Known,
    mut ends: oneshot::Receiver<()>,
) {
    known.add_all(&state.pools.lock());
    loop {
        let event = tokio::select! {
            biased;
            event = events.recv() => event,
            _ = &mut ends => return,
        };
        match event {
            Ok(event) => {
                if changes_secrets(event.kind) {
                    known.add_all(&state.pools.lock());
                }
                write(&event);
            }
            Err(RecvError::Lagged(missed)) => {
                state.events.missed(missed);
                known.add_all(&state.pools.lock());
                tracing::warn!(missed, "The log fell behind and missed events.");
            }
            Err(RecvError::Closed) => return,
        }
    }
}

fn changes_secrets(kind: EventType) -> bool {
    matches!(
        kind,
        EventType::KeyAdded | EventType::KeyUpdated | EventType::PoolChanged | EventType::RotatingChanged
    )
}

fn write(event: &Event) {
    let level = level_of(event);
    if level > LevelFilter::current() {
        return;
    }
    let kind = event.kind.name();
    let request = event.request_id.as_deref();
    match level {
        Level::ERROR => tracing::error!(event = kind, request, "{}", event.message),
        Level::WARN => tracing::warn!(event = kind, request, "{}", event.message),
        Level::INFO => tracing::info!(event = kind, request, "{}", event.message),
        _ => tracing::debug!(event = kind, request, "{}", event.message),
    }
}

fn level_of(event: &Event) -> Level {
    match event.level {
        events::Level::Debug => Level::DEBUG,
        events::Level::Info => Level::INFO,
        events::Level::Warn => Level::WARN,
        events::Level::Error => Level::ERROR,
    }
}

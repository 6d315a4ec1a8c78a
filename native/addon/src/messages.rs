//! The one callback into JavaScript: events, the newest snapshot and vault writes in batches, at most four a second.
//! It runs beside the requests and can only fall behind, never hold one up.

use std::sync::Arc;
use std::time::Duration;

use aggregator_core::aggregator::Aggregator as Core;
use aggregator_core::events::Event;
use aggregator_core::wire::CoreMessage;
use napi::Status;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use parking_lot::Mutex;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, mpsc};

use crate::vault::Ticketed;

/// Weak: a running server alone must not keep Node from exiting.
pub type Callback = ThreadsafeFunction<String, (), String, Status, false, true>;

const PAUSE: Duration = Duration::from_millis(250);

pub struct Outlet {
    callback: Arc<Callback>,
    sender: mpsc::UnboundedSender<Ticketed>,
    /// Taken by the first core that is followed; there is one to an outlet.
    receiver: Mutex<Option<mpsc::UnboundedReceiver<Ticketed>>>,
}

impl Outlet {
    pub fn new(callback: Callback) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self { callback: Arc::new(callback), sender, receiver: Mutex::new(Some(receiver)) }
    }

    pub fn writes(&self) -> mpsc::UnboundedSender<Ticketed> {
        self.sender.clone()
    }

    /// Tells the host of everything in `core` until it is dropped. Must run on a tokio runtime.
    pub fn follow(&self, core: &Arc<Core>) {
        let Some(writes) = self.receiver.lock().take() else { return };
        let events = core.state().events.subscribe();
        let changes = core.state().events.changes();
        let core = Arc::downgrade(core);
        let callback = Arc::clone(&self.callback);
        tokio::spawn(async move {
            let mut sources = Sources { writes, events, changes };
            while let Some(mut batch) = sources.next().await {
                let Some(core) = core.upgrade() else { return };
                batch.push(CoreMessage::Snapshot { snapshot: Box::new(core.snapshot()) });
                drop(core);
                let Ok(text) = serde_json::to_string(&batch) else { continue };
                callback.call(text, ThreadsafeFunctionCallMode::NonBlocking);
                tokio::time::sleep(PAUSE).await;
            }
        });
    }
}

struct Sources {
    writes: mpsc::UnboundedReceiver<Ticketed>,
    events: broadcast::Receiver<Arc<Event>>,
    changes: tokio::sync::watch::Receiver<()>,
}

impl Sources {
    /// Waits for anything to tell, then takes all there is. `None` when the core is gone.
    async fn next(&mut self) -> Option<Vec<CoreMessage>> {
        let mut batch = Vec::new();
        tokio::select! {
            written = self.writes.recv() => batch.push(write(written?)),
            event = self.events.recv() => match event {
                Ok(event) => batch.push(CoreMessage::Event { event }),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            },
            changed = self.changes.changed() => changed.ok()?,
        }
        self.changes.mark_unchanged();
        while let Ok(written) = self.writes.try_recv() {
            batch.push(write(written));
        }
        loop {
            match self.events.try_recv() {
                Ok(event) => batch.push(CoreMessage::Event { event }),
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return Some(batch),
            }
        }
    }
}

fn write(ticketed: Ticketed) -> CoreMessage {
    CoreMessage::VaultWrite { ticket: ticketed.ticket, writes: ticketed.writes }
}

//! The one callback into JavaScript: events, the newest snapshot and vault writes in batches, at most four a second.
//! It runs beside the requests and can only fall behind, never hold one up.

use std::sync::Arc;
use std::time::Duration;

use aggregator_core::events::Event;
use aggregator_core::windows::Window;
use aggregator_core::wire::CoreMessage;
use napi::Status;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use parking_lot::Mutex;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, mpsc};

/// Weak: a running server alone must not keep Node from exiting.
pub type Callback = ThreadsafeFunction<String, (), String, Status, false, true>;

const PAUSE: Duration = Duration::from_millis(250);

pub struct Outlet {
    callback: Arc<Callback>,
    sender: mpsc::UnboundedSender<CoreMessage>,
    /// Taken by the first window that is followed; there is one to an outlet.
    receiver: Mutex<Option<mpsc::UnboundedReceiver<CoreMessage>>>,
}

impl Outlet {
    pub fn new(callback: Callback) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self { callback: Arc::new(callback), sender, receiver: Mutex::new(Some(receiver)) }
    }

    /// For what is said beside events and snapshots.
    pub fn sender(&self) -> mpsc::UnboundedSender<CoreMessage> {
        self.sender.clone()
    }

    /// Tells the host of everything in `window` until it is dropped. Must run on a tokio runtime.
    pub fn follow(&self, window: &Arc<Window>) {
        let Some(said) = self.receiver.lock().take() else { return };
        let events = window.events().subscribe();
        let changes = window.events().changes();
        let window = Arc::downgrade(window);
        let callback = Arc::clone(&self.callback);
        tokio::spawn(async move {
            let mut sources = Sources { said, events, changes };
            while let Some(mut batch) = sources.next().await {
                let Some(window) = window.upgrade() else { return };
                batch.push(CoreMessage::Snapshot { snapshot: Box::new(window.snapshot()) });
                drop(window);
                let Ok(text) = serde_json::to_string(&batch) else { continue };
                callback.call(text, ThreadsafeFunctionCallMode::NonBlocking);
                tokio::time::sleep(PAUSE).await;
            }
        });
    }
}

struct Sources {
    said: mpsc::UnboundedReceiver<CoreMessage>,
    events: broadcast::Receiver<Arc<Event>>,
    changes: tokio::sync::watch::Receiver<()>,
}

impl Sources {
    /// Waits for anything to tell, then takes all there is. `None` when the core is gone.
    async fn next(&mut self) -> Option<Vec<CoreMessage>> {
        let mut batch = Vec::new();
        tokio::select! {
            said = self.said.recv() => batch.push(said?),
            event = self.events.recv() => match event {
                Ok(event) => batch.push(CoreMessage::Event { event }),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            },
            changed = self.changes.changed() => changed.ok()?,
        }
        self.changes.mark_unchanged();
        while let Ok(said) = self.said.try_recv() {
            batch.push(said);
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

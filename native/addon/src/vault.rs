//! The vault whose keeper is the host: reads and writes go out as messages, and the host answers each by its ticket when
//! it is done. Which writes are needed is the core's codec's knowledge.

use std::collections::HashMap;
use std::time::Duration;

use aggregator_core::vault::secrets::{SecretWrite, writes_between, writes_over};
use aggregator_core::vault::{Entered, Vault, VaultError};
use aggregator_core::windows::{Owed, WindowHost};
use aggregator_core::wire::CoreMessage;
use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

/// A secret store that asks the user to unlock it may take this long.
const PATIENCE: Duration = Duration::from_secs(120);

type Read = Result<HashMap<String, String>, String>;

pub struct SecretVault {
    outgoing: mpsc::UnboundedSender<CoreMessage>,
    writing: Tickets<Result<(), VaultError>>,
    reading: Tickets<Read>,
    /// Invariant: nothing else is stored before it, because changes are computed against what it makes of the store.
    owed: tokio::sync::Mutex<Option<Owed>>,
}

/// Questions that the host has not answered yet.
struct Tickets<T>(Mutex<(u32, HashMap<u32, oneshot::Sender<T>>)>);

impl<T> Tickets<T> {
    fn new() -> Self {
        Self(Mutex::new((0, HashMap::new())))
    }

    fn draw(&self) -> (u32, oneshot::Receiver<T>) {
        let (sender, receiver) = oneshot::channel();
        let (last, waiting) = &mut *self.0.lock();
        *last = last.wrapping_add(1);
        waiting.insert(*last, sender);
        (*last, receiver)
    }

    /// An unknown ticket (answered twice, or too late) changes nothing.
    fn answer(&self, ticket: u32, answer: T) {
        let waiting = self.0.lock().1.remove(&ticket);
        if let Some(waiting) = waiting {
            let _ = waiting.send(answer);
        }
    }
}

impl SecretVault {
    pub fn new(outgoing: mpsc::UnboundedSender<CoreMessage>) -> Self {
        Self {
            outgoing,
            writing: Tickets::new(),
            reading: Tickets::new(),
            owed: tokio::sync::Mutex::default(),
        }
    }

    pub fn written(&self, ticket: u32, error: Option<String>) {
        self.writing.answer(ticket, error.map_or(Ok(()), |words| Err(VaultError(words))));
    }

    pub fn was_read(&self, ticket: u32, read: Read) {
        self.reading.answer(ticket, read);
    }

    async fn carry_out(&self, writes: Vec<SecretWrite>) -> Result<(), VaultError> {
        let (ticket, answer) = self.writing.draw();
        let gone = || VaultError("the secret store is closed".to_owned());
        self.outgoing.send(CoreMessage::VaultWrite { ticket, writes }).map_err(|_| gone())?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(answer) => answer.map_err(|_| gone())?,
            Err(_) => {
                let late = VaultError("the secret store did not answer within two minutes".to_owned());
                self.writing.answer(ticket, Err(late.clone()));
                Err(late)
            }
        }
    }

    /// What is still owed, as writes for the store as it is now.
    async fn writes_owed(&self, owed: &Owed) -> Vec<SecretWrite> {
        match owed {
            Owed::Writes(writes) => writes.clone(),
            Owed::Whole(entered) => {
                // A store that cannot be read is written whole; what it holds beyond that is not known.
                let own = self.read().await.unwrap_or_default();
                writes_over(&own, entered)
            }
        }
    }
}

#[async_trait]
impl Vault for SecretVault {
    async fn save(&self, before: &Entered, after: &Entered) -> Result<(), VaultError> {
        self.begin().await?;
        let writes = writes_between(before, after);
        if writes.is_empty() {
            return Ok(());
        }
        let Err(error) = self.carry_out(writes).await else { return Ok(()) };
        // Some of the writes may be done: what they changed is put back, so that store and core agree again.
        match self.carry_out(writes_between(after, before)).await {
            Ok(()) => Err(error),
            Err(_) => Err(VaultError(format!("{}; what was stored before could not be put back", error.0))),
        }
    }

    async fn begin(&self) -> Result<(), VaultError> {
        let mut owed = self.owed.lock().await;
        if let Some(some) = owed.as_ref() {
            let writes = self.writes_owed(some).await;
            if !writes.is_empty() {
                self.carry_out(writes).await?;
            }
            *owed = None;
        }
        Ok(())
    }
}

#[async_trait]
impl WindowHost for SecretVault {
    async fn read(&self) -> Read {
        let (ticket, answer) = self.reading.draw();
        let gone = || "The secret store is closed.".to_owned();
        self.outgoing.send(CoreMessage::VaultWanted { ticket }).map_err(|_| gone())?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(answer) => answer.map_err(|_| gone())?,
            Err(_) => Err("The secret store did not answer within two minutes.".to_owned()),
        }
    }

    fn owe(&self, owed: Owed) {
        // Nobody holds it yet: the core is not open.
        if let Ok(mut place) = self.owed.try_lock() {
            *place = Some(owed);
        }
    }

    fn tell(&self, message: CoreMessage) {
        // An error only says that this window is closed.
        let _ = self.outgoing.send(message);
    }
}

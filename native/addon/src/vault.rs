//! The vault whose keeper is the host: writes go out as messages, and the host answers each by its ticket when it
//! has stored them. Which writes are needed is the core's codec's knowledge.

use std::collections::HashMap;
use std::time::Duration;

use aggregator_core::vault::secrets::{SecretWrite, writes_between};
use aggregator_core::vault::{Entered, Vault, VaultError};
use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

/// A secret store that asks the user to unlock it may take this long.
const PATIENCE: Duration = Duration::from_secs(120);

/// Writes that the host carries out in order.
pub struct Ticketed {
    pub ticket: u32,
    pub writes: Vec<SecretWrite>,
}

pub struct SecretVault {
    outgoing: mpsc::UnboundedSender<Ticketed>,
    waiting: Mutex<Waiting>,
    /// What reading left to write, a migration say.
    /// Invariant: nothing else is stored before it, because changes are computed against what it makes of the store.
    owed: tokio::sync::Mutex<Vec<SecretWrite>>,
}

#[derive(Default)]
struct Waiting {
    last: u32,
    by_ticket: HashMap<u32, oneshot::Sender<Result<(), VaultError>>>,
}

impl SecretVault {
    pub fn new(outgoing: mpsc::UnboundedSender<Ticketed>) -> Self {
        Self { outgoing, waiting: Mutex::default(), owed: tokio::sync::Mutex::default() }
    }

    /// To be written before the first change, by the window that writes.
    pub fn owe(&self, writes: Vec<SecretWrite>) {
        // Nobody holds it yet: the core is not open.
        if let Ok(mut owed) = self.owed.try_lock() {
            *owed = writes;
        }
    }

    /// An unknown ticket (answered twice, or too late) changes nothing.
    pub fn written(&self, ticket: u32, error: Option<String>) {
        let waiting = self.waiting.lock().by_ticket.remove(&ticket);
        if let Some(waiting) = waiting {
            let _ = waiting.send(error.map_or(Ok(()), |words| Err(VaultError(words))));
        }
    }

    async fn carry_out(&self, writes: Vec<SecretWrite>) -> Result<(), VaultError> {
        let (ticket, answer) = self.ticket();
        let gone = || VaultError("the secret store is closed".to_owned());
        self.outgoing.send(Ticketed { ticket, writes }).map_err(|_| gone())?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(answer) => answer.map_err(|_| gone())?,
            Err(_) => {
                self.waiting.lock().by_ticket.remove(&ticket);
                Err(VaultError("the secret store did not answer within two minutes".to_owned()))
            }
        }
    }

    fn ticket(&self) -> (u32, oneshot::Receiver<Result<(), VaultError>>) {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        waiting.last = waiting.last.wrapping_add(1);
        let ticket = waiting.last;
        waiting.by_ticket.insert(ticket, sender);
        (ticket, receiver)
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
        if !owed.is_empty() {
            self.carry_out(owed.clone()).await?;
            owed.clear();
        }
        Ok(())
    }
}

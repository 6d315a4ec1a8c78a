//! Several windows of one editor and profile share one endpoint: one window leads and has the core, the others follow it
//! and take over when it ends. This room decides who leads and carries what windows say to each other; it must not know
//! Node, VS Code or where the shared folder lies, and nothing of requests.
//!
//! ```text
//! lock → who leads          announcement → where, and the secret      handshake (proof) → nobody else gets in
//! window → this one's part  leading ⇄ link (protocol)                 copies → each change is in every window
//! ```

mod announcement;
mod copies;
mod handshake;
mod leading;
mod link;
mod part;
mod proof;
mod protocol;
#[cfg(test)]
mod tests;
mod window;

use std::collections::HashMap;

use async_trait::async_trait;

use crate::command::{Command, Refusal, RefusalCode};
use crate::vault::secrets::SecretWrite;
use crate::vault::{Entered, Vault};
use crate::wire::CoreMessage;
pub use window::{Options, Window};

const LOCK: &str = "leader.lock";
const ANNOUNCEMENT: &str = "leader.json";

/// What is to be stored before anything else is.
pub enum Owed {
    /// What reading the store left to do, a migration say.
    Writes(Vec<SecretWrite>),
    /// All of this, over whatever the store holds: it came from another window, whose store may be a copy of its own.
    Whole(Box<Entered>),
}

/// The window's own surroundings: its secret store and whoever listens to the core. Saving carries out what is owed
/// first.
#[async_trait]
pub trait WindowHost: Vault {
    /// What the window's own store holds now, by name. An error is a sentence without secrets.
    async fn read(&self) -> Result<HashMap<String, String>, String>;

    fn owe(&self, owed: Owed);

    /// Beside events and snapshots, which are taken from the window.
    fn tell(&self, message: CoreMessage);
}

/// Without the parser's own words: they may quote a key.
fn read_command(text: &str) -> Result<Command, Refusal> {
    serde_json::from_str(text).map_err(|_| {
        Refusal::new(RefusalCode::Invalid, "The command, or one of its values, has not the expected form.")
    })
}

//! The line by which the endpoint hands commands on: one way, to whoever carries them out. It knows nothing of either.
//!
//! Invariant: a command that was handed on is carried out even when the client that asked has gone, whole.

use tokio::sync::{mpsc, oneshot};

use crate::command::{Command, Refusal, RefusalCode, Reply};
use crate::versions::OnlyIf;

/// Commands that wait to be taken up; whoever brings more waits, too.
const MOST_WAITING: usize = 16;

/// One command on its way, and where its reply goes.
pub struct Order {
    pub command: Command,
    pub only_if: Option<OnlyIf>,
    pub reply: oneshot::Sender<Reply>,
}

#[derive(Clone)]
pub struct CommandLine(mpsc::Sender<Order>);

impl CommandLine {
    pub fn open() -> (Self, mpsc::Receiver<Order>) {
        let (sender, receiver) = mpsc::channel(MOST_WAITING);
        (Self(sender), receiver)
    }

    pub async fn ask(&self, command: Command, only_if: Option<OnlyIf>) -> Reply {
        let (reply, replied) = oneshot::channel();
        // Either fails only when nobody carries commands out any more.
        let _ = self.0.send(Order { command, only_if, reply }).await;
        replied.await.unwrap_or_else(|_| {
            let words = "The program is ending and takes no commands any more. Try again when it runs.";
            Reply::Refused(Refusal::new(RefusalCode::NotSaved, words))
        })
    }
}

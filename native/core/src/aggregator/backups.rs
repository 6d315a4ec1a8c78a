//! Carries out the commands for backups: writes one, shows what restoring one would change, restores one as a single
//! change. Passphrases become secrets at once; encrypting and reading happen off the runtime's threads.

use ring::rand::{SecureRandom, SystemRandom};

use super::Aggregator;
use super::edit::{Edited, Subject};
use crate::backup::diff::{BackupDiff, counted};
use crate::backup::error::BackupError;
use crate::backup::plan::plan;
use crate::backup::seal::{COST, SALT_BYTES};
use crate::backup::{self, Backup, Sealing};
use crate::command::{Refusal, RefusalCode, Reply};
use crate::secret::Secret;
use crate::versions::OnlyIf;

impl Aggregator {
    pub(super) async fn export_backup(&self, passphrase: Option<String>) -> Result<Reply, Refusal> {
        let passphrase = passphrase.map(Secret::new);
        let entered = self.state.pools.lock().entered();
        let now = self.state.now();
        let message = format!(
            "Backup made: {}, {}{}.",
            counted(entered.keys.len(), "key"),
            counted(entered.proxies.len(), "proxy"),
            match &passphrase {
                Some(_) => ", encrypted with your passphrase. Without it nobody can open the backup",
                None => "; without the keys' texts and the proxies' passwords",
            }
        );
        let text = aside(move || {
            let sealing = passphrase.as_ref().map(|passphrase| Ok((passphrase, sealing()?))).transpose()?;
            backup::write(&entered, now, sealing)
        })
        .await?;
        Ok(Reply::Backup { message, text })
    }

    pub(super) async fn preview_backup(
        &self,
        text: String,
        passphrase: Option<String>,
    ) -> Result<Reply, Refusal> {
        let backup = read(text, passphrase).await?;
        let pools = self.state.pools.lock().clone();
        let diff = plan(&pools, &backup, &self.state.settings(), self.state.now())?.diff;
        let message = match diff.summary() {
            Some(summary) => format!("Restoring the backup of {}: {summary}.", diff.created),
            None => format!("Restoring the backup of {} changes nothing.", diff.created),
        };
        Ok(Reply::BackupDiff { message, diff: Box::new(diff) })
    }

    /// Invariant: restored as one change, saved whole before any of it is in force.
    pub(super) async fn import_backup(
        &self,
        text: String,
        passphrase: Option<String>,
        only_if: Option<&OnlyIf>,
    ) -> Result<Reply, Refusal> {
        let backup = read(text, passphrase).await?;
        let settings = self.state.settings();
        let mut diff = BackupDiff::default();
        self.edit_if(only_if, |pools, now| {
            let planned = plan(pools, &backup, &settings, now)?;
            diff = planned.diff;
            *pools = planned.next;
            Ok(Edited { subject: Subject::Nothing, message: String::new() })
        })
        .await?;
        let message = match diff.summary() {
            Some(summary) => format!("The backup of {} is restored: {summary}.", diff.created),
            None => format!("The backup of {} changed nothing: all of it is there already.", diff.created),
        };
        Ok(Reply::BackupDiff { message, diff: Box::new(diff) })
    }
}

async fn read(text: String, passphrase: Option<String>) -> Result<Backup, Refusal> {
    let passphrase = passphrase.filter(|text| !text.is_empty()).map(Secret::new);
    aside(move || backup::read(&text, passphrase.as_ref())).await
}

fn sealing() -> Result<Sealing, BackupError> {
    let mut salt = [0_u8; SALT_BYTES];
    SystemRandom::new().fill(&mut salt).map_err(|_| BackupError::NoRandomness)?;
    Ok(Sealing { salt, cost: COST })
}

/// Runs `work` where it holds up no request.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    let failed = |_| Refusal::new(RefusalCode::Failed, "The backup was given up; try again.");
    Ok(done.map_err(failed)??)
}

#[cfg(test)]
mod tests;

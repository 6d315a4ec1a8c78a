//! `/admin/backup`: all that was entered as one text, and back. Without a passphrase the text holds no secrets. The
//! passphrase comes in a header, because addresses are written to logs and a GET has no body.

use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::Call;
use super::answers::{Answer, Fault, object};
use crate::backup::diff::BackupDiff;
use crate::command::{Command, Reply};
use crate::versions::About;

pub const PASSPHRASE: &str = "x-backup-passphrase";

#[derive(Serialize)]
pub struct BackupObject {
    pub message: String,
    pub text: String,
    /// Of all that was entered.
    pub version: String,
}

#[derive(Serialize)]
pub struct Restored {
    pub message: String,
    pub diff: Box<BackupDiff>,
}

pub async fn export(call: Call<'_>) -> Result<Answer, Fault> {
    let passphrase = passphrase(call.headers)?;
    let state = call.state();
    let version = state.versions.of(&About::All, &state.pools.lock()).unwrap_or_default();
    match call.ask(Command::ExportBackup { passphrase }, About::All).await? {
        Reply::Backup { message, text } => {
            let backup = BackupObject { message, text, version };
            Ok(object(StatusCode::OK, &backup, Some(&backup.version)))
        }
        _ => Err(super::unexpected()),
    }
}

/// With `preview` nothing is restored; the answer says what would be.
pub async fn restore(mut call: Call<'_>) -> Result<Answer, Fault> {
    let text = call.fields.text("text").unwrap_or_default();
    let passphrase = call.fields.text("passphrase");
    let command = match call.fields.flag("preview").unwrap_or_default() {
        true => Command::PreviewBackup { text, passphrase },
        false => Command::ImportBackup { text, passphrase },
    };
    match call.ask(command, About::All).await? {
        Reply::BackupDiff { message, diff } => Ok(object(StatusCode::OK, &Restored { message, diff }, None)),
        _ => Err(super::unexpected()),
    }
}

/// In UTF-8, as clients send it.
fn passphrase(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let Some(value) = headers.get(PASSPHRASE) else { return Ok(None) };
    let text = String::from_utf8(value.as_bytes().to_vec());
    text.map(Some).map_err(|_| Fault::invalid(PASSPHRASE, "The passphrase must be in UTF-8."))
}

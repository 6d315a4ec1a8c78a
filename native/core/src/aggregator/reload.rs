//! Reads the configuration anew and applies what changed: keys and proxies by the one path of every edit, settings and
//! tokens behind it. The host knows where its configuration comes from; it gives it whole and checked.
//!
//! Invariant: whatever can fail is tried before anything is changed; a configuration that is refused changes nothing.

use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::commands::Difference;
use super::edit::{Edited, Subject};
use super::{Aggregator, Tokens, forwarder, load_tokens};
use crate::backup::diff::{BackupDiff, Differences, counted};
use crate::command::{Counts, Refusal, RefusalCode, Reloaded, Reply};
use crate::events::{Event, EventType, Level};
use crate::forward::GoogleApiForwarder;
use crate::secret::Secret;
use crate::server::guard::AdminAccess;
use crate::server::tls;
use crate::settings::{Problem, Settings};
use crate::vault::Entered;

/// Where a host's configuration comes from: file, environment, command line.
pub trait ConfigSource: Send + Sync {
    /// Reads and checks all of it anew; may block on a disk. Each problem's path says where it stands.
    fn read(&self) -> Result<Declared, Vec<Problem>>;

    /// What was read last is in force now; the host applies its own part of it.
    fn in_force(&self) {}
}

/// A configuration as it was read.
pub struct Declared {
    pub settings: Settings,
    pub entered: Entered,
    pub tokens: Tokens,
    pub admin: AdminAccess,
    /// Places of the host's own settings that differ from those in force.
    pub host_settings: Vec<String>,
    /// What should be known besides, as sentences.
    pub notes: Vec<String>,
}

/// All that may fail, done; nothing is changed yet.
struct Prepared {
    forwarder: Option<GoogleApiForwarder>,
    tokens: Vec<Secret>,
    tls: Option<TlsAcceptor>,
    listener: Option<TcpListener>,
}

impl Aggregator {
    pub(super) async fn reload_config(self: &Arc<Self>) -> Result<Reply, Refusal> {
        self.reload().await.map(Reply::Reloaded)
    }

    /// Applies the configuration as it is now, and tells what that changed or why it is not used.
    pub async fn reload(self: &Arc<Self>) -> Result<Reloaded, Refusal> {
        let result = self.read_and_apply().await;
        let (level, words) = match &result {
            Ok(reloaded) => (Level::Info, reloaded.message.clone()),
            Err(refusal) => (Level::Error, refusal.message.clone()),
        };
        self.state.events.publish(Event::new(EventType::ConfigReloaded, level, self.state.now(), words));
        result
    }

    async fn read_and_apply(self: &Arc<Self>) -> Result<Reloaded, Refusal> {
        let source = self.config.clone().ok_or_else(|| {
            let words = "This program has no configuration to read again; its settings are the editor's.";
            Refusal::new(RefusalCode::Invalid, words)
        })?;
        let _one_at_a_time = self.editing.lock().await;
        let reader = Arc::clone(&source);
        let read = tokio::task::spawn_blocking(move || reader.read()).await;
        let declared = read
            .map_err(|_| not_used("it could not be read.".to_owned()))?
            .map_err(|problems| refused(&problems))?;
        let before = self.state.settings();
        let prepared = self.prepare(&before, &declared).await?;
        let (_, difference) = self
            .edit_alone(&declared.settings, Some(&declared.entered), |pools, _| {
                let merged = self.vault.merge(&declared.entered, &pools.entered());
                pools.adopt(merged);
                Ok(Edited { subject: Subject::Nothing, message: String::new() })
            })
            .await?;
        let mut settings = changed_places(&before, &declared.settings);
        settings.extend(self.changed_access(&prepared, &declared.admin));
        settings.extend(declared.host_settings.iter().cloned());
        let mut notes = declared.notes.clone();
        notes.extend(self.put_in_force(prepared, declared, &before).await);
        source.in_force();
        Ok(report(&difference, settings, notes))
    }

    async fn prepare(&self, before: &Settings, declared: &Declared) -> Result<Prepared, Refusal> {
        let one = |problem: Problem| refused(&[problem]);
        let settings = &declared.settings;
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(refused(&problems));
        }
        let is_new = before.upstream != settings.upstream;
        let forwarder = is_new.then(|| forwarder(settings, &self.extra_ca)).transpose().map_err(one)?;
        let (tokens, _) = load_tokens(&declared.tokens).map_err(one)?;
        // Always: the same files may hold a renewed certificate.
        let tls = settings.server.tls.as_ref().map(tls::acceptor).transpose().map_err(one)?;
        let listener = self.reserve(before, settings, &tokens).await.map_err(not_used)?;
        Ok(Prepared { forwarder: forwarder.map(|(forwarder, _)| forwarder), tokens, tls, listener })
    }

    /// Answers what did not work out after all, as sentences.
    async fn put_in_force(
        self: &Arc<Self>,
        prepared: Prepared,
        declared: Declared,
        before: &Settings,
    ) -> Option<String> {
        if let Some(forwarder) = prepared.forwarder {
            *self.forwarder.write() = Arc::new(forwarder);
        }
        *self.tokens.write() = prepared.tokens;
        *self.token_file.write() = declared.tokens.file();
        *self.admin.write() = declared.admin;
        self.state.set_settings(declared.settings);
        self.serve_anew(before, prepared.listener, prepared.tls).await
    }

    fn changed_access(&self, prepared: &Prepared, admin: &AdminAccess) -> Vec<String> {
        let tokens = *self.tokens.read() != prepared.tokens;
        let admin = *self.admin.read() != *admin;
        let changed = [(tokens, "server.accessTokens"), (admin, "server.adminToken")];
        changed.into_iter().filter(|(changed, _)| *changed).map(|(_, place)| place.to_owned()).collect()
    }
}

impl Tokens {
    fn file(self) -> Option<std::path::PathBuf> {
        match self {
            Self::File(path) => Some(path),
            Self::Given(_) => None,
        }
    }
}

/// One problem to a line, each with its place.
fn refused(problems: &[Problem]) -> Refusal {
    let lines: Vec<String> =
        problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect();
    not_used(format!("it has {}:\n{}", counted(problems.len(), "problem"), lines.join("\n")))
}

fn not_used(why: String) -> Refusal {
    let words =
        format!("The configuration was read anew and is not used, the one before stays in force: {why}");
    Refusal::new(RefusalCode::Invalid, words)
}

fn report(difference: &Difference, settings: Vec<String>, notes: Vec<String>) -> Reloaded {
    let diff = BackupDiff::between(&difference.before, &difference.after);
    let mut parts: Vec<String> = diff.summary().into_iter().collect();
    if !settings.is_empty() {
        parts.push(format!("{} changed ({})", counted(settings.len(), "setting"), settings.join(", ")));
    }
    let what = if parts.is_empty() { "nothing changed".to_owned() } else { parts.join("; ") };
    let message = [format!("The configuration is read anew: {what}.")];
    let message = message.into_iter().chain(notes.iter().cloned()).collect::<Vec<_>>().join(" ");
    Reloaded { message, keys: counts(&diff.keys), proxies: counts(&diff.proxies), settings, notes }
}

fn counts(differences: &Differences) -> Counts {
    Counts {
        added: differences.added.len(),
        changed: differences.changed.len(),
        removed: differences.removed.len(),
    }
}

/// `server.port`, `proxy.failurePolicy`: every setting that is another now.
pub fn changed_places(before: &Settings, after: &Settings) -> Vec<String> {
    let mut places = Vec::new();
    if let (Ok(before), Ok(after)) = (serde_json::to_value(before), serde_json::to_value(after)) {
        compare("", &before, &after, &mut places);
    }
    places
}

fn compare(place: &str, before: &Value, after: &Value, places: &mut Vec<String>) {
    match (before, after) {
        // What has names of the user's own is one setting.
        (Value::Object(old), Value::Object(new)) if place != "modelAliases" => {
            for (name, value) in new {
                let inner = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                compare(&inner, old.get(name).unwrap_or(&Value::Null), value, places);
            }
        }
        _ if before != after => places.push(place.to_owned()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_changed_are_named_by_their_place() {
        let before = Settings::default();
        let mut after = before.clone();
        assert_eq!(changed_places(&before, &after), Vec::<String>::new());
        after.server.port = 1;
        after.max_attempts = 9;
        after.model_aliases.insert("a".to_owned(), "b".to_owned());
        assert_eq!(changed_places(&before, &after), ["maxAttempts", "modelAliases", "server.port"]);
    }

    #[test]
    fn a_refused_configuration_is_told_with_every_problem() {
        let problems = [Problem::new("a.yaml:1:2", "no."), Problem::new("b", "never.")];
        let refusal = refused(&problems);
        assert!(refusal.message.ends_with("it has 2 problems:\na.yaml:1:2: no.\nb: never."), "{refusal:?}");
    }
}
